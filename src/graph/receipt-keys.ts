// The public keys that receipts were ever signed with. None is removed when its worker goes: its receipts are still around.

import type { ReceiptKeys } from '../protocol/ports.ts';
import type { ReceiptKeyJwk } from '../protocol/receipt.ts';
import type { Database } from './database.ts';

const publish = `
MERGE (k:ReceiptKey {kid: $kid})
  ON CREATE SET k.x = $x, k.publishedAt = $now`;

const list = `MATCH (k:ReceiptKey) RETURN k.kid AS kid, k.x AS x ORDER BY k.publishedAt, k.kid`;

export function createReceiptKeys(database: Database): ReceiptKeys {
  return {
    async publishReceiptKey({ kid, x }) {
      await database.write(publish, { kid, x, now: database.now() });
    },
    async receiptKeys() {
      const rows = await database.read<Pick<ReceiptKeyJwk, 'kid' | 'x'>>(list);
      return rows.map(({ kid, x }) => ({ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }));
    },
  };
}
