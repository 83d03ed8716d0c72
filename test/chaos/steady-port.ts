// A port that is still free when its server comes back: below the range from which systems take ports for outgoing
// connections, of which a chaos run opens thousands while a server is away.

import { randomInt } from 'node:crypto';
import { choosePort } from '../../src/parts/index.ts';

export async function findSteadyPort(host: string): Promise<number> {
  for (;;) {
    const usual = randomInt(20_000, 32_000);
    const { port } = await choosePort({ name: 'a server', host, usual, variable: 'PORT', asked: undefined });
    if (port === usual) return port;
  }
}
