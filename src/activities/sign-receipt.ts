// Signs the receipt of a turn with this worker's key. Runs as a local activity: the private key never comes near the
// sandbox, whose memory a replay rebuilds anywhere, and the signature comes back once, into the history.

import type { TurnActivities } from '../protocol/activities.ts';
import type { ReceiptSigner } from '../protocol/ports.ts';

export const createSignReceipt =
  ({ signer }: { readonly signer: ReceiptSigner }): TurnActivities['signReceipt'] =>
  async (receipt) => ({ jws: await signer.sign(receipt) });
