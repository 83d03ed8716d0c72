// A5: clients that are cut at random moments, and resume by their cursor at either gateway, by socket or by server-sent
// events, have each character once. `npm run chaos -- cuts` makes a thousand cuts.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithRedis } from '../describe-with-redis.ts';
import { startCutSite, type CutSite } from './cut-site.ts';
import { complaintsOf, cutsOf, strikesOf } from './report.ts';
import { runCuts } from './run-cuts.ts';

const cuts = 25;

function body(withRedis: boolean, redisCuts: number) {
  return () => {
    let site: CutSite;
    beforeAll(async () => {
      site = await startCutSite({ withRedis });
    }, 60_000);
    afterAll(() => site.close());

    test(`${cuts} cuts and resumes: nothing lost, nothing doubled, one end`, async () => {
      const turns = await runCuts({ site, seed: 1, cuts, redisCuts, atOnce: 4, tokens: 150 });
      expect(complaintsOf(turns)).toEqual([]);
      expect(cutsOf(turns)).toBeGreaterThanOrEqual(cuts);
      expect(strikesOf(turns)).toBeGreaterThanOrEqual(redisCuts);
    }, 180_000);
  };
}

describe('two gateways and two workers without a Redis', body(false, 0));
describeWithRedis('two gateways and two workers, a Redis between them that is killed, wiped and paused', body(true, 3));
