/** The downloader against real servers that behave, and that misbehave. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { download, type DownloadRequest } from '../../src/parts/download.ts';
import { findFree, type PartsEvent } from '../../src/parts/index.ts';
import { useServers } from './file-server.ts';
import { useFolders } from './folders.ts';

const content = randomBytes(300_000);
const sha256 = createHash('sha256').update(content).digest('hex');
const startServer = useServers();
const makeFolder = useFolders();

async function toRequest(
  url: string,
  more: Partial<DownloadRequest> = {},
): Promise<DownloadRequest & { events: PartsEvent[] }> {
  const events: PartsEvent[] = [];
  const file = join(await makeFolder(), 'part.bin');
  return {
    name: 'a part',
    url: `${url}/part.bin`,
    file,
    sha256,
    report: (event) => events.push(event),
    events,
    ...more,
  };
}

describe('download', () => {
  test('brings a file, under its name only when it is whole, and reports size, speed and time left', async () => {
    const server = await startServer((_, response) => response.end(content));
    const request = await toRequest(server.url);
    await download(request);
    expect(await readFile(request.file)).toEqual(content);
    expect(existsSync(`${request.file}.part`)).toBe(false);
  });

  test('reports progress up to the last byte when the server gives the length', async () => {
    const server = await startServer((_, response) => {
      response.setHeader('content-length', content.length);
      response.end(content);
    });
    const request = await toRequest(server.url);
    await download(request);
    expect(request.events.at(-1)).toMatchObject({
      kind: 'progress',
      name: 'a part',
      bytes: content.length,
      totalBytes: content.length,
      secondsLeft: 0,
    });
  });

  test('follows redirects', async () => {
    const server = await startServer((request, response) => {
      if (request.url === '/whole') response.end(content);
      else response.writeHead(302, { location: '/whole' }).end();
    });
    const request = await toRequest(server.url);
    await download(request);
    expect(await readFile(request.file)).toEqual(content);
  });

  test('goes on by range from what an interrupted run left', async () => {
    const server = await startServer((request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
      response.writeHead(206, { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` });
      response.end(content.subarray(start));
    });
    const request = await toRequest(server.url);
    await writeFile(`${request.file}.part`, content.subarray(0, 100_000));
    await download(request);
    expect(server.requests.map((seen) => seen.headers.range)).toEqual(['bytes=100000-']);
    expect(await readFile(request.file)).toEqual(content);
  });

  test('begins again when the server ignores the range', async () => {
    const server = await startServer((_, response) => response.end(content));
    const request = await toRequest(server.url);
    await writeFile(`${request.file}.part`, randomBytes(100_000));
    await download(request);
    expect(await readFile(request.file)).toEqual(content);
  });

  test('takes a broken transfer up again by itself', async () => {
    const server = await startServer((request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (start > 0) {
        response.writeHead(206, { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` });
        response.end(content.subarray(start));
        return;
      }
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 150_000), () => response.destroy());
    });
    const request = await toRequest(server.url);
    await download(request);
    expect(server.requests).toHaveLength(2);
    expect(await readFile(request.file)).toEqual(content);
  });

  test('refuses a wrong hash, deletes the file and says both hashes', async () => {
    const server = await startServer((_, response) => response.end('something else'));
    const request = await toRequest(server.url);
    await expect(download(request)).rejects.toMatchObject({
      name: 'PartError',
      kind: 'checksum',
      message: expect.stringContaining(sha256),
    });
    expect(existsSync(request.file)).toBe(false);
    expect(existsSync(`${request.file}.part`)).toBe(false);
  });

  test('fetches once from the beginning when a continued file has a wrong hash', async () => {
    const server = await startServer((request, response) => {
      if (request.headers.range === undefined) response.end(content);
      else response.writeHead(416).end();
    });
    const request = await toRequest(server.url);
    await writeFile(`${request.file}.part`, randomBytes(content.length));
    await download(request);
    expect(server.requests.map((seen) => seen.headers.range)).toEqual([`bytes=${content.length}-`, undefined]);
    expect(await readFile(request.file)).toEqual(content);
  });

  test('says at once that a file is not there', async () => {
    const server = await startServer((_, response) => response.writeHead(404).end('no'));
    const request = await toRequest(server.url);
    await expect(download(request)).rejects.toMatchObject({
      kind: 'fetch',
      message: expect.stringMatching(/part\.bin answered 404; check/),
    });
    expect(server.requests).toHaveLength(1);
  });

  test('gives up on a server that falls silent within the file, and keeps what came', async () => {
    const server = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000));
    });
    const request = await toRequest(server.url, { stallTimeoutMs: 100 });
    await expect(download(request)).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('sent nothing for 0.1 s'),
    });
    expect((await readFile(`${request.file}.part`)).length).toBe(1000);
  });

  test('gives up on a server that does not answer at all', async () => {
    const server = await startServer(() => undefined);
    const request = await toRequest(server.url, { connectTimeoutMs: 100 });
    await expect(download(request)).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('did not answer for 0.1 s'),
    });
  });

  test('says that nobody listens', async () => {
    const request = await toRequest(`http://127.0.0.1:${await findFree('127.0.0.1')}`);
    await expect(download(request)).rejects.toMatchObject({
      kind: 'fetch',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('says that the disk is full, and where', async () => {
    const server = await startServer((_, response) => response.end(content));
    const request = await toRequest(server.url, { openWrite: createFullDisk });
    await expect(download(request)).rejects.toMatchObject({
      kind: 'disk_full',
      message: expect.stringMatching(/no space is left in .*CANDOR_CACHE_DIR/),
    });
  });

  test('ends when it is told to', async () => {
    const stop = new AbortController();
    const server = await startServer((_, response) => {
      response.writeHead(200).write(content.subarray(0, 1000), () => {
        stop.abort();
      });
    });
    const request = await toRequest(server.url, { signal: stop.signal });
    await expect(download(request)).rejects.toMatchObject({ kind: 'aborted' });
  });
});

/** A disk that takes the first chunk only. */
function createFullDisk(): Writable {
  let taken = 0;
  return new Writable({
    write(_chunk, _encoding, done) {
      taken += 1;
      done(taken === 1 ? null : Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
    },
  });
}
