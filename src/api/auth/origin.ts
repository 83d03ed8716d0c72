// Keeps foreign pages out. A browser names the page behind a request in `Origin`; a page that is neither ours nor listed
// must not open a socket with what the user's browser holds. Programs send no `Origin`: they show a token in its place.

import { CandorError } from '../../protocol/errors.ts';
import { hasBearer } from './socket-token.ts';

export interface OriginHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly authorization?: string | undefined;
}

/** @throws CandorError `forbidden` (403 at the upgrade) */
export type CheckOrigin = (headers: OriginHeaders) => void;

/**
 * @param allowed origins beside the gateway's own, as `https://name[:port]`
 * @throws Error for an entry of another form: it would never match, and nobody would learn why
 */
export function createOriginCheck(allowed: readonly string[]): CheckOrigin {
  const listed = new Set(allowed.map(toListed));
  return (headers) => {
    const { origin, host } = headers;
    if (origin === undefined) {
      if (hasBearer(headers)) return;
      throw refused('there is neither an Origin nor a bearer token');
    }
    const from = parseOrigin(origin);
    if (from === null) throw refused('the Origin is opaque or malformed');
    if (host !== undefined && sameHost(from, host)) return;
    if (listed.has(from.origin)) return;
    throw refused(`the Origin ${from.origin} is neither this host nor listed`);
  };
}

function toListed(entry: string): string {
  const origin = parseOrigin(entry)?.origin;
  if (origin === undefined) {
    throw new Error(
      `unable to allow the origin ${entry}; write it as https://name or https://name:port, nothing after`,
    );
  }
  return origin;
}

/** `null` for anything but scheme, host and port of a web page. */
function parseOrigin(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isPage = url.protocol === 'http:' || url.protocol === 'https:';
  return isPage && url.origin === text.toLowerCase() ? url : null;
}

/** The page's scheme decides the default port: behind a proxy that ends TLS the gateway does not know it. */
function sameHost(from: URL, host: string): boolean {
  const address = `${from.protocol}//${host}`;
  return URL.canParse(address) && new URL(address).host === from.host;
}

const refused = (reason: string): CandorError =>
  new CandorError('forbidden', { cause: new Error(`unable to accept the request; ${reason}`) });
