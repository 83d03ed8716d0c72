// A gateway, a Redis and a worker as processes of their own, as an operator runs them; the client and the model server
// are in the benchmark's process. Without a Redis on this machine there is nothing to measure.

import { randomUUID } from 'node:crypto';
import { createChatClient, type ChatClient } from '../test/chat-client.ts';
import { launchGateway, launchWorker } from '../test/candor-process.ts';
import { redisProgram, startRedis } from '../test/redis-server.ts';

export interface Processes {
  readonly socket: ChatClient;
  close(): Promise<void>;
}

/** `null`: no Redis can be started here. */
export async function startProcesses(upstreamUrl: string): Promise<Processes | null> {
  if (redisProgram === null) return null;
  const redis = await startRedis();
  const closers: (() => Promise<void>)[] = [() => redis.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const options = { taskQueue: `first-token-${randomUUID()}`, upstreamUrl, env: { REDIS_URL: redis.url } };
    const worker = await launchWorker(options);
    closers.push(() => worker.close());
    const gateway = await launchGateway(options);
    closers.push(() => gateway.close());
    await Promise.all([worker.ready, gateway.ready]);
    const socket = await createChatClient({ url: gateway.url, agentId: 'operator', token: await gateway.token() });
    closers.push(async () => socket.close());
    return { socket, close };
  } catch (error) {
    await close();
    throw error;
  }
}
