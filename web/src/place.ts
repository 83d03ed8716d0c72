// Which conversation the page's address names. A fragment, so that the gateway serves one page whatever is open.

import { isUuid, type ConversationId } from '../../src/protocol/ids.ts';

/** `#/c/<id>` → id; `null` for any other fragment. */
export function parsePlace(fragment: string): ConversationId | null {
  const id = fragment.startsWith('#/c/') ? fragment.slice('#/c/'.length) : '';
  return isUuid(id) ? (id as ConversationId) : null;
}

export const toFragment = (id: ConversationId | null): string => (id === null ? '#/' : `#/c/${id}`);
