// Where cuts are made: two gateways and two workers as processes of their own, the model in this one, and a Redis between
// them or none.

import { randomUUID } from 'node:crypto';
import neo4j, { type Driver } from 'neo4j-driver';
import { launchGateway, launchWorker } from '../candor-process.ts';
import { redisProgram, startRedis, type RedisServer } from '../redis-server.ts';
import { testServers } from '../stack.ts';
import { createCutModel, type CutModel } from './cut-model.ts';

export interface CutSite {
  readonly model: CutModel;
  /** `null`: each process has a live lane of its own. */
  readonly redis: RedisServer | null;
  /** Ports of the gateways, on 127.0.0.1. */
  readonly gateways: readonly number[];
  readonly token: string;
  /** To look into the graph past the product. */
  readonly neo4j: Driver;
  close(): Promise<void>;
}

export async function startCutSite({ withRedis }: { readonly withRedis: boolean }): Promise<CutSite> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    const model = await createCutModel();
    closers.push(() => model.close());
    const redis = withRedis && redisProgram !== null ? await startRedis() : null;
    if (redis !== null) closers.push(() => redis.close());
    const secret = randomUUID();
    const options = {
      taskQueue: `cuts-${randomUUID()}`,
      upstreamUrl: model.upstream.url,
      env: redis === null ? {} : { REDIS_URL: redis.url },
    };
    const workers = await Promise.all([launchWorker(options), launchWorker(options)]);
    const gateways = await Promise.all([launchGateway(options, secret), launchGateway(options, secret)]);
    closers.push(() => Promise.all([...workers, ...gateways].map((one) => one.close())));
    await Promise.all([...workers, ...gateways].map(({ ready }) => ready));
    const { uri, user, password } = testServers().neo4j;
    const graph = neo4j.driver(uri, neo4j.auth.basic(user, password), { disableLosslessIntegers: true });
    closers.push(() => graph.close());
    const [first] = gateways;
    return {
      model,
      redis,
      neo4j: graph,
      gateways: gateways.map(({ url }) => Number(new URL(url).port)),
      token: await first.token('cuts'),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
