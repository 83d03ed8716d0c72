// Which key signed a receipt, as its signature says. The page shows it and checks nothing: who doubts a receipt has no
// reason to believe the page either, and takes it to `candor verify`.

import type { Receipt } from '../../src/protocol/receipt.ts';

/** Where the gateway publishes the keys. */
export const keysAddress = '/.well-known/candor-keys.json';

/** The key's thumbprint; `null` for a receipt without a signature, or with one that cannot be read. */
export function keyOf({ jws }: Receipt): string | null {
  const [header = ''] = jws?.split('.') ?? [];
  try {
    const { kid } = JSON.parse(atob(header.replaceAll('-', '+').replaceAll('_', '/'))) as { kid?: unknown };
    return typeof kid === 'string' ? kid : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return null;
    throw error;
  }
}

/** A file for `candor verify`, as an address that downloads it. */
export const toFileAddress = (json: string): string =>
  `data:application/json;charset=utf-8,${encodeURIComponent(`${json}\n`)}`;
