// The public keys of all receipts, for strangers. Any gateway gives all of them, because workers leave theirs in the graph.

import type { FastifyInstance } from 'fastify';
import { CandorError } from '../../protocol/errors.ts';
import type { ReceiptKeys } from '../../protocol/ports.ts';
import type { ReceiptKeyJwk } from '../../protocol/receipt.ts';

/** Seconds. Keys are added now and then and never change; a worker that is new is known soon enough. */
const maxAgeSeconds = 300;

export interface ReceiptKeyRoutes {
  readonly receiptKeys: Pick<ReceiptKeys, 'receiptKeys'>;
}

export async function receiptKeyRoutes(app: FastifyInstance, { receiptKeys }: ReceiptKeyRoutes): Promise<void> {
  const read = createKeyReader(receiptKeys);
  app.get('/.well-known/candor-keys.json', async (_request, reply) => {
    const keys = await read();
    return reply
      .header('cache-control', `public, max-age=${maxAgeSeconds}`)
      .type('application/jwk-set+json')
      .send(JSON.stringify({ keys }));
  });
}

/**
 * Keys are only ever added, so that a set which was read once stays true while the graph is away. Nobody signs in here:
 * callers that come together share one read.
 *
 * @throws CandorError `graph_unavailable` when there is no such set
 */
function createKeyReader(receiptKeys: ReceiptKeyRoutes['receiptKeys']): () => Promise<readonly ReceiptKeyJwk[]> {
  let last: readonly ReceiptKeyJwk[] | null = null;
  let reading: Promise<readonly ReceiptKeyJwk[]> | null = null;
  const readOnce = async (): Promise<readonly ReceiptKeyJwk[]> => {
    try {
      return (last = await receiptKeys.receiptKeys());
    } catch (error) {
      if (last === null || !(error instanceof CandorError) || error.code !== 'graph_unavailable') throw error;
      return last;
    } finally {
      reading = null;
    }
  };
  return () => (reading ??= readOnce());
}
