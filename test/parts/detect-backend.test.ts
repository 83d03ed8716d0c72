/** Finding a model server that runs here already. */
import { describe, expect, test } from '@jest/globals';
import { detectBackend, findFree } from '../../src/parts/index.ts';
import { useServers } from './file-server.ts';

const startServer = useServers();
const toPort = (url: string): number => Number(new URL(url).port);
const answering = (body: unknown) => startServer((_, response) => response.end(JSON.stringify(body)));

describe('detectBackend', () => {
  test('gives the first server that names a model, in the order of the list', async () => {
    const [first, second] = [
      await answering({ data: [{ id: 'nomic-embed-text' }, { id: 'llama3.2' }] }),
      await answering({ data: [{ id: 'other' }] }),
    ];
    const servers = [
      { name: 'Ollama', port: toPort(first.url) },
      { name: 'vLLM', port: toPort(second.url) },
    ];
    expect(await detectBackend({ servers })).toEqual({
      baseUrl: `${first.url}/v1`,
      model: 'llama3.2',
      why: `model: llama3.2, served by Ollama at port ${servers[0]?.port} on this machine`,
    });
    expect(first.requests[0]?.url).toBe('/v1/models');
  });

  test.each([
    ['an empty list', '{"data":[]}', 200],
    ['another shape', '{"models":["x"]}', 200],
    ['a page', '<html></html>', 200],
    ['an error', '{"data":[{"id":"x"}]}', 401],
  ])('passes over a server that answers with %s', async (_name, body, status) => {
    const server = await startServer((_, response) => response.writeHead(status).end(body));
    expect(await detectBackend({ servers: [{ name: 'vLLM', port: toPort(server.url) }] })).toBeUndefined();
  });

  test('does not wait for a server that does not answer', async () => {
    const silent = await startServer(() => undefined);
    const good = await answering({ data: [{ id: 'm' }] });
    const servers = [silent, good].map((server) => ({ name: 'x', port: toPort(server.url) }));
    expect((await detectBackend({ servers, timeoutMs: 200 }))?.model).toBe('m');
  });

  test('finds nothing where nobody listens', async () => {
    expect(await detectBackend({ servers: [{ name: 'x', port: await findFree('127.0.0.1') }] })).toBeUndefined();
  });
});
