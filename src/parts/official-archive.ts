/**
 * Official downloads of the parts other than the model: the archive, its checksum from where the catalogue says, and its
 * files. The archive is removed after unpacking.
 */
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Checksum, OfficialDownload } from './catalogue.ts';
import { extractTarball } from './archive.ts';
import type { PartsContext } from './context.ts';
import { download } from './download.ts';
import { PartError, toReason } from './part-error.ts';

/** Brings the archive into `stage` and unpacks it there; its executable is then at `official.executable` below it. */
export async function fetchOfficial(
  context: PartsContext,
  name: string,
  official: OfficialDownload,
  stage: string,
): Promise<void> {
  const fileName = decodeURIComponent(basename(new URL(official.url).pathname));
  const sha256 = await fetchChecksum(name, official.checksum, fileName, context.signal);
  const file = join(stage, fileName);
  await download({
    name: `${name} (${new URL(official.url).host})`,
    url: official.url,
    file,
    sha256,
    report: context.report,
    signal: context.signal,
  });
  if (official.archive === 'tar.gz') {
    await extractTarball(file, stage);
    await rm(file);
  }
}

async function fetchChecksum(
  name: string,
  checksum: Checksum,
  fileName: string,
  signal?: AbortSignal,
): Promise<string> {
  if (checksum.kind === 'pinned') return checksum.sha256;
  const timeout = AbortSignal.timeout(10_000);
  let text: string;
  try {
    const response = await fetch(checksum.url, {
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    text = await response.text();
  } catch (error) {
    throw new PartError(
      'fetch',
      `unable to check ${name}; its checksum at ${checksum.url} could not be read: ${toReason(error)}; check the network and try again`,
      { cause: error },
    );
  }
  const sha256 = checksum.kind === 'vendor-file' ? parseChecksumFile(text, fileName) : parseRelease(text, fileName);
  if (sha256 === undefined)
    throw new PartError(
      'checksum',
      `unable to check ${name}; ${checksum.url} names no SHA-256 for ${fileName}; give an own copy instead`,
    );
  return sha256;
}

/** Lines of `hash  name`, or the hash alone; `undefined` when the file is not among them. */
export function parseChecksumFile(text: string, fileName: string): string | undefined {
  const rows = text
    .split('\n')
    .map((line) => /^([0-9a-fA-F]{64})(?:\s+\*?(\S.*?))?\s*$/.exec(line))
    .filter((row) => row !== null);
  const row =
    rows.find(([, , name]) => name !== undefined && basename(name) === fileName) ??
    rows.find(([, , name]) => name === undefined);
  return row?.[1]?.toLowerCase();
}

/** A release as GitHub describes it: `{assets: [{name, digest: 'sha256:…'}]}`. */
export function parseRelease(text: string, fileName: string): string | undefined {
  const release = JSON.parse(text) as {
    readonly assets?: readonly { readonly name?: string; readonly digest?: string | null }[];
  };
  const digest = release.assets?.find((asset) => asset.name === fileName)?.digest;
  return /^sha256:([0-9a-f]{64})$/.exec(digest ?? '')?.[1];
}

/** The SHA-256 of each name in a file of `hash  name` lines. */
export async function readManifest(path: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}
