/** Ports: the usual one, another one, or a refusal, against ports that are really taken. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { choosePort, findFree } from '../../src/parts/index.ts';

const host = '127.0.0.1';
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function occupy(address: string = host): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, address, resolve);
  });
  return (server.address() as AddressInfo).port;
}

const wish = { name: 'Temporal', host, variable: 'TEMPORAL_PORT', asked: undefined };

describe('choosePort', () => {
  test('takes the usual port when it is free, and says nothing', async () => {
    const usual = await findFree(host);
    expect(await choosePort({ ...wish, usual })).toEqual({ port: usual });
  });

  test.each([host, '0.0.0.0'])('takes another one when somebody listens on %s, and says so', async (address) => {
    const usual = await occupy(address);
    const choice = await choosePort({ ...wish, usual });
    expect(choice.port).not.toBe(usual);
    expect(choice.note).toBe(`Temporal: port ${usual} is taken, using ${choice.port}`);
  });

  test('takes another one when the usual one is promised', async () => {
    const usual = await findFree(host);
    expect((await choosePort({ ...wish, usual, taken: new Set([usual]) })).port).not.toBe(usual);
  });

  test('takes the port that was asked for', async () => {
    const asked = await findFree(host);
    expect(await choosePort({ ...wish, usual: 7233, asked: String(asked) })).toEqual({ port: asked });
  });

  test('refuses one that was asked for and is taken, with what to do', async () => {
    const asked = await occupy();
    await expect(choosePort({ ...wish, usual: 7233, asked: String(asked) })).rejects.toMatchObject({
      name: 'PartError',
      kind: 'port_taken',
      message: `unable to start Temporal; port ${asked}, asked for by TEMPORAL_PORT, is taken on 127.0.0.1; end what uses it or ask for another`,
    });
  });

  test.each(['0', '65536', 'web', '-1', '3.5'])('refuses %s, which is no port', async (asked) => {
    await expect(choosePort({ ...wish, usual: 7233, asked })).rejects.toMatchObject({
      kind: 'asked',
      message: expect.stringContaining(`TEMPORAL_PORT is ${asked}`),
    });
  });
});
