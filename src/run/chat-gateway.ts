// Which gateway a chat speaks to, and as whom: the one that is named, else the product that runs on this data folder, with
// a development token that is made anew as often as it is asked for.

import { loadDevKey } from '../api/auth/dev-keys.ts';
import { issueDevToken } from '../api/auth/dev-token.ts';
import type { TokenSource } from '../client/index.ts';
import type { Config } from '../config.ts';
import { readRunning } from './data-folder.ts';
import { StartError } from './start-error.ts';

export interface ChatGateway {
  readonly url: string;
  readonly token: TokenSource;
}

/** @throws StartError with what to do */
export async function findChatGateway(
  named: { readonly url: string | null; readonly token: string | null },
  config: Config,
): Promise<ChatGateway> {
  const running = named.url !== null && named.token !== null ? null : await readRunning(config.paths.data);
  const url = named.url ?? running?.url;
  if (url === undefined) {
    throw new StartError(
      `unable to chat; nothing runs on ${config.paths.data}: start Candor with npm start, or name a gateway with --url and its token with --token or CANDOR_TOKEN`,
    );
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new StartError(`unable to chat; ${url} is no address of a gateway: http://host:port`);
  if (named.token !== null) return { url, token: named.token };
  if (running === null || new URL(url).origin !== new URL(running.url).origin) {
    throw new StartError(
      `unable to chat; there is no token for ${url}: give one with --token or CANDOR_TOKEN; candor token makes one for the product of its own data folder`,
    );
  }
  const key = await loadDevKey(config.paths.data);
  return { url, token: () => issueDevToken(key) };
}
