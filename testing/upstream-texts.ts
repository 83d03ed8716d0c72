// What the model server really said in a turn, for the checker: the oracle is the server's own log, because a log of
// Candor's could repeat Candor's own mistake.

import type { UpstreamText } from './transcript/outcome.ts';
import type { RecordedCall } from './upstream/call-log.ts';

/**
 * The replies of recorded calls, as far as their writing had begun. Audits are left out.
 *
 * @param calls those of one turn; where turns run side by side, the caller knows them by what they asked
 */
export const upstreamTexts = (calls: readonly RecordedCall[]): readonly UpstreamText[] =>
  calls.filter(({ isJson }) => !isJson).map(({ offered, finished }) => ({ text: offered.join(''), whole: finished }));
