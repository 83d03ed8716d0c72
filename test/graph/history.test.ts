import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditRecord } from '../../src/protocol/activities.ts';
import { auditWorkflowId } from '../../src/protocol/ids.ts';
import type { TurnInput } from '../../src/protocol/turn.ts';
import type { Graph } from '../../src/graph/neo4j.ts';
import { answerText, endOf, exchange, failureOf, link, newTurn, nextTurn, openGraph } from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

const idsBefore = async (turn: TurnInput, limit = 50) =>
  (await graph.history(turn.turnId, limit)).map((past) => past.turnId);

describe('what a turn answers to', () => {
  test('is the exchanges before it, oldest first, without the turn itself', async () => {
    const first = await exchange(graph, newTurn());
    const second = await exchange(graph, nextTurn(first));
    const third = nextTurn(first);
    await link(graph, third);
    expect(await graph.history(third.turnId, 50)).toEqual(
      [first, second].map(({ turnId, text }) => ({
        turnId,
        question: text,
        answer: `answer to ${turnId}`,
        incomplete: false,
        rejected: false,
      })),
    );
  });

  test('is the last ones, when there are more than asked for', async () => {
    const turns = [await exchange(graph, newTurn())];
    for (let count = 1; count < 6; count += 1) turns.push(await exchange(graph, nextTurn(turns[0] as TurnInput)));
    const last = nextTurn(turns[0] as TurnInput);
    await link(graph, last);
    expect(await idsBefore(last, 2)).toEqual(turns.slice(-2).map((turn) => turn.turnId));
    expect(await idsBefore(last, 0)).toEqual([]);
  });

  test('follows the branch, not the time', async () => {
    const first = await exchange(graph, newTurn());
    await exchange(graph, nextTurn(first));
    const branch = nextTurn(first, { parentTurnId: first.turnId });
    await link(graph, branch);
    expect(await idsBefore(branch)).toEqual([first.turnId]);
  });

  test('passes over a turn that failed, not over what that one answered to', async () => {
    const first = await exchange(graph, newTurn());
    const failing = nextTurn(first);
    const queued = nextTurn(first);
    await link(graph, failing);
    await link(graph, queued);
    await graph.storeTurn(failureOf(failing));
    expect((await graph.turn(queued.turnId))?.parentTurnId).toBe(failing.turnId);
    expect(await idsBefore(queued)).toEqual([first.turnId]);
  });

  test('holds the exchange that a queued turn waited for', async () => {
    const running = newTurn();
    const queued = nextTurn(running);
    await link(graph, running);
    await link(graph, queued);
    expect(await idsBefore(queued)).toEqual([]);
    await graph.storeTurn(endOf(running));
    expect(await idsBefore(queued)).toEqual([running.turnId]);
  });

  test('says that an answer was stopped, and which one the audit rejected', async () => {
    const first = newTurn();
    await link(graph, first);
    await graph.storeTurn(endOf(first, { outcome: 'cancelled', answer: answerText(first, { incomplete: true }) }));
    const second = await exchange(graph, nextTurn(first));
    await graph.saveAudit(auditOf(second, { verdict: 'rejected' }));
    const third = nextTurn(first);
    await link(graph, third);
    expect(await graph.history(third.turnId, 50)).toMatchObject([
      { turnId: first.turnId, incomplete: true, rejected: false },
      { turnId: second.turnId, incomplete: false, rejected: true },
    ]);
  });

  test('of a turn that is not there is nothing', async () => {
    expect(await idsBefore(newTurn())).toEqual([]);
  });
});

describe('the record of an audit', () => {
  test('is on the turn', async () => {
    const turn = await exchange(graph, newTurn());
    const record = auditOf(turn, { verdict: 'flagged', confidence: 0.7 });
    expect(await graph.saveAudit(record)).toEqual({ recordedAt: record.recordedAt });
    const { auditId, verdict, confidence, reason, error, recordedAt } = record;
    expect((await graph.turn(turn.turnId))?.audit).toEqual({ auditId, verdict, confidence, reason, error, recordedAt });
  });

  test('comes once: of many at the same time the first stays, and all are given its time', async () => {
    const turn = await exchange(graph, newTurn());
    const records = Array.from({ length: 8 }, (_, day) =>
      auditOf(turn, { reason: `reason ${day}`, recordedAt: new Date(Date.UTC(2026, 0, 1 + day)).toISOString() }),
    );
    const results = await Promise.all(records.map((record) => graph.saveAudit(record)));
    for (const result of results) expect(result).toEqual(results[0]);
    const winner = records.find((record) => record.recordedAt === results[0]?.recordedAt);
    expect((await graph.turn(turn.turnId))?.audit?.reason).toBe(winner?.reason);
  });

  test('of a failed audit keeps the error', async () => {
    const turn = await exchange(graph, newTurn());
    const error = { code: 'llm_timeout', message: 'm', retryable: true, source: 'model' } as const;
    await graph.saveAudit(auditOf(turn, { verdict: 'failed', confidence: null, error }));
    expect((await graph.turn(turn.turnId))?.audit).toMatchObject({ verdict: 'failed', confidence: null, error });
  });
});

function auditOf(turn: TurnInput, over: Partial<AuditRecord> = {}): AuditRecord {
  const { turnId, conversationId, userId, agentId } = turn;
  return {
    ...{ auditId: auditWorkflowId(turnId), turnId, conversationId, userId, agentId },
    verdict: 'accepted',
    confidence: 0.1,
    reason: 'matches its sources',
    isIncorrect: false,
    findings: [{ kind: 'no_context', detail: 'none' }],
    error: null,
    model: 'm',
    responseId: null,
    usage: { promptTokens: 1, completionTokens: null, totalTokens: null },
    recordedAt: new Date().toISOString(),
    ...over,
  };
}
