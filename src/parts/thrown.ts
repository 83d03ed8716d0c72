/**
 * Reads what was thrown by its shape. The class says nothing where a program has several realms, as under Jest, whose
 * errors of the system are of another `Error` than the code's.
 */

/** The system's code (`ENOENT`), when there is one. */
export function readCode(thrown: unknown): string | undefined {
  const { code } = toFacts(thrown);
  return typeof code === 'string' ? code : undefined;
}

export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  const code = readCode(thrown);
  return code !== undefined && codes.includes(code);
}

/** The class's name (`TypeError`), when there is one. */
export function readName(thrown: unknown): string | undefined {
  const { name } = toFacts(thrown);
  return typeof name === 'string' ? name : undefined;
}

export function readMessage(thrown: unknown): string {
  const { message } = toFacts(thrown);
  return typeof message === 'string' ? message : String(thrown);
}

/** What was thrown, then its causes. */
export function* listCauses(thrown: unknown): Generator {
  for (let cause = thrown; typeof cause === 'object' && cause !== null; cause = toFacts(cause).cause) yield cause;
}

/** True for a request that failed below HTTP: nobody there, cut off, timed out. */
export function isNetworkFailure(thrown: unknown): boolean {
  const name = readName(thrown);
  return name === 'TypeError' || name === 'TimeoutError' || name === 'AbortError';
}

function toFacts(thrown: unknown): {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
} {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}
