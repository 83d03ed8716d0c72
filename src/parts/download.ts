/**
 * Downloads one official file: follows redirects, goes on from a `.part` file by range, notices a silent server, checks
 * the SHA-256 and only then gives the file its name. Each way it fails is one sentence.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hashFile } from './file-hash.ts';
import { createDiskFullError, isDiskFull, PartError, toReason } from './part-error.ts';
import { createMeter, type Report } from './progress.ts';
import { hasCode, listCauses } from './thrown.ts';

export interface DownloadRequest {
  /** For sentences and progress. */
  readonly name: string;
  readonly url: string;
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** Time to the response's head; default 5 s, so that an unreachable site does not hold up the next source. */
  readonly connectTimeoutMs?: number;
  /** Longest silence within the body; default 30 s. */
  readonly stallTimeoutMs?: number;
  /** How often a broken transfer is taken up again without having brought anything; default 3. */
  readonly attempts?: number;
  /** Where the bytes go; for tests of a full disk. */
  readonly openWrite?: (path: string, append: boolean) => Writable;
}

/** Throws `PartError`: `fetch`, `timeout`, `checksum`, `disk_full`, `aborted`. */
export async function download(request: DownloadRequest): Promise<void> {
  const { attempts = 3, file, name } = request;
  const part = `${file}.part`;
  const resumed = (await sizeOf(part)) > 0;
  for (let failures = 0; ;) {
    const before = await sizeOf(part);
    try {
      await transfer(request, part, before);
      break;
    } catch (error) {
      const failure = toDownloadError(request, error);
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      if (!(failure instanceof BrokenTransfer) || failures >= attempts) throw failure;
    }
  }
  const actual = await hashFile(part);
  if (actual === request.sha256) {
    await rename(part, file);
    return;
  }
  await rm(part);
  // A part of an earlier version may have been continued with a later one: once from the beginning tells.
  if (resumed) {
    await download(request);
    return;
  }
  throw new PartError(
    'checksum',
    `unable to trust ${name}; the SHA-256 of ${request.url} is ${actual}, not ${request.sha256}; it was deleted; try again, and report it if it stays so`,
  );
}

/** The connection ended within the body: worth taking up again, unlike an answer such as 404. */
class BrokenTransfer extends PartError {}

async function transfer(request: DownloadRequest, part: string, startBytes: number): Promise<void> {
  const { name, url, report, connectTimeoutMs = 5_000, stallTimeoutMs = 30_000 } = request;
  const silence = new AbortController();
  const signal = request.signal === undefined ? silence.signal : AbortSignal.any([request.signal, silence.signal]);
  const stop = (timeoutMs: number, doing: string): NodeJS.Timeout =>
    setTimeout(() => {
      silence.abort(
        new PartError(
          'timeout',
          `unable to fetch ${name}; ${url} ${doing} for ${timeoutMs / 1000} s; check the network and try again`,
        ),
      );
    }, timeoutMs);
  let timer = stop(connectTimeoutMs, 'did not answer');
  try {
    const response = await fetch(url, { signal, headers: startBytes > 0 ? { range: `bytes=${startBytes}-` } : {} });
    // 416: the part is whole already, or longer than the file; its hash decides.
    if (response.status === 416 && startBytes > 0) {
      await response.body?.cancel();
      return;
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new PartError(
        'fetch',
        `unable to fetch ${name}; ${url} answered ${response.status}; check that the address is still right`,
      );
    }
    const append =
      response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${startBytes}-`) === true;
    if (response.status === 206 && !append) {
      throw new PartError(
        'fetch',
        `unable to fetch ${name}; ${url} answered with another range than asked for; try again`,
      );
    }
    let bytes = append ? startBytes : 0;
    const length = response.headers.get('content-length');
    const totalBytes =
      length === null || response.headers.get('content-encoding') !== null ? null : bytes + Number(length);
    const meter = createMeter({ name, totalBytes, startBytes: bytes, report });
    const body = response.body;
    await pipeline(
      body,
      async function* watch(chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          clearTimeout(timer);
          bytes += chunk.byteLength;
          meter.at(bytes);
          yield chunk;
          timer = stop(stallTimeoutMs, 'sent nothing');
        }
        clearTimeout(timer);
      },
      (request.openWrite ?? openFile)(part, append),
      { signal },
    );
  } finally {
    clearTimeout(timer);
  }
}

function openFile(path: string, append: boolean): Writable {
  return createWriteStream(path, { flags: append ? 'a' : 'w' });
}

function toDownloadError(request: DownloadRequest, error: unknown): PartError {
  const { name, url, file, signal } = request;
  for (const cause of listCauses(error)) {
    if (cause instanceof PartError) return cause;
  }
  if (isDiskFull(error)) return createDiskFullError(name, dirname(file), error);
  if (signal?.aborted === true) return new PartError('aborted', `unable to fetch ${name}; it was stopped`);
  return new BrokenTransfer(
    'fetch',
    `unable to fetch ${name}; the connection to ${url} failed: ${toReason(error)}; check the network and try again`,
    { cause: error },
  );
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}
