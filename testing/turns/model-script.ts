// What the model does in a turn of the rig, call by call, told at the port: the time between the calls is the workflow's
// and passes in milliseconds.

import type { StreamInput, StreamResult } from '../../src/protocol/activities.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import { answered, streamFailure } from './turn-fakes.ts';

export interface ModelCall {
  readonly input: StreamInput;
  /** Milliseconds since the turn's first model call, by the server's skipped clock. */
  readonly sinceMs: number;
}

/** Gives a reply or throws a failure: `answered` and `streamFailure` make both. */
export type ModelScript = (call: ModelCall) => StreamResult | Promise<StreamResult>;

/** Each call fails for so long, by the server's clock; from then on the model answers. */
export const downFor =
  (forMs: number, then: StreamResult = answered(), code: ErrorCode = 'llm_unavailable'): ModelScript =>
  ({ sinceMs }) => {
    if (sinceMs < forMs) throw streamFailure(code);
    return then;
  };

/** The first calls fail with these codes, one each; from then on the model answers. */
export const failing =
  (codes: readonly ErrorCode[], then: StreamResult = answered()): ModelScript =>
  ({ input }) => {
    const code = codes[input.attempt - 1];
    if (code !== undefined) throw streamFailure(code);
    return then;
  };

/** The script as the activity that the workflow calls. */
export function playModel(script: ModelScript, nowMs: () => Promise<number>) {
  let beganMs: number | undefined;
  return async (input: StreamInput): Promise<StreamResult> => {
    const atMs = await nowMs();
    beganMs ??= atMs;
    return script({ input, sinceMs: atMs - beganMs });
  };
}
