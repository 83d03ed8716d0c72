/**
 * The one error of this module. Its message is a whole sentence that a person can act on, because the command prints it
 * alone, without a stack, and ends with exit code 1.
 */
import { hasCode, listCauses, readMessage } from './thrown.ts';

/**
 * What went wrong, for the callers that decide whether another source may still help:
 * `disk_full`, `asked` (something given by the environment is unusable) and `aborted` end the search at once.
 */
export type PartErrorKind =
  | 'aborted'
  | 'asked'
  | 'checksum'
  | 'disk_full'
  | 'exited'
  | 'fetch'
  | 'memory'
  | 'missing_tool'
  | 'platform'
  | 'port_taken'
  | 'timeout';

export class PartError extends Error {
  override readonly name = 'PartError';
  readonly kind: PartErrorKind;

  constructor(kind: PartErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** True for the system's "no space left on device", however deep a library has wrapped it. */
export function isDiskFull(error: unknown): boolean {
  return [...listCauses(error)].some((cause) => hasCode(cause, 'ENOSPC', 'EDQUOT'));
}

/** The error for a disk without room for `name`; `folder` is where it was written, `variable` moves it elsewhere. */
export function createDiskFullError(
  name: string,
  folder: string,
  cause?: unknown,
  variable = 'CANDOR_CACHE_DIR',
): PartError {
  return new PartError(
    'disk_full',
    `unable to store ${name}; no space is left in ${folder}; free some space there, or set ${variable} to a folder on a larger disk`,
    { cause },
  );
}

/** The first line of what was thrown, with its cause, for use inside a sentence. */
export function toReason(error: unknown): string {
  const [own, cause] = [...listCauses(error)];
  const first = readMessage(own ?? error).split('\n')[0] ?? '';
  return cause === undefined || error instanceof PartError ? first : `${first} (${toReason(cause)})`;
}
