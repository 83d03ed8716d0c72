// What a refused call rejected with, so that a test can look at code and cause together.

import { CandorError } from '../../../src/protocol/errors.ts';

export async function refusalOf(attempt: () => unknown): Promise<CandorError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof CandorError) return error;
    throw error;
  }
  throw new Error('unable to see a refusal; the call succeeded');
}
