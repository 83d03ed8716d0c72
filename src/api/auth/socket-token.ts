// Finds the token of a request. Browsers cannot set a header on a socket, so it may travel in the list of subprotocols;
// the answer then names `candor.v1` only, because an echo would put the token into logs along the way.

import { CandorError } from '../../protocol/errors.ts';
import { subprotocol } from '../../protocol/frames.ts';

export interface TokenHeaders {
  readonly authorization?: string | undefined;
  readonly 'sec-websocket-protocol'?: string | undefined;
}

const tokenPrefix = 'jwt.';
const bearerPattern = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const base64urlPattern = /^[A-Za-z0-9_-]+$/;

/** True when the request brings its token in `Authorization`, which no foreign page can make a browser send. */
export const hasBearer = (headers: TokenHeaders): boolean => bearerPattern.test(headers.authorization ?? '');

/**
 * The token, not yet verified. `Authorization` goes first; a broken one is not passed over.
 *
 * @throws CandorError `unauthenticated` when there is none, or more than one
 */
export function readToken(headers: TokenHeaders): string {
  if (headers.authorization !== undefined) {
    const token = bearerPattern.exec(headers.authorization)?.[1];
    if (token === undefined) throw refused('Authorization is not of the form Bearer <token>');
    return token;
  }
  const offered = toSubprotocols(headers['sec-websocket-protocol']).filter((name) => name.startsWith(tokenPrefix));
  const [only, another] = offered;
  if (only === undefined) throw refused('the request has no token');
  if (another !== undefined) throw refused('the subprotocols hold more than one token');
  const encoded = only.slice(tokenPrefix.length);
  if (!base64urlPattern.test(encoded)) throw refused('the subprotocol jwt.… is not base64url');
  return Buffer.from(encoded, 'base64url').toString('utf8');
}

/** The subprotocol that a browser offers beside `candor.v1`. */
export const toTokenSubprotocol = (token: string): string =>
  `${tokenPrefix}${Buffer.from(token, 'utf8').toString('base64url')}`;

/** What the server selects: `candor.v1` or nothing, never a token. For `handleProtocols` of `ws`. */
export function selectSubprotocol(offered: ReadonlySet<string>): typeof subprotocol | false {
  return offered.has(subprotocol) ? subprotocol : false;
}

const toSubprotocols = (header: string | undefined): string[] =>
  (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const refused = (reason: string): CandorError =>
  new CandorError('unauthenticated', { cause: new Error(`unable to read a token; ${reason}`) });
