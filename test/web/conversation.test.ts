// A conversation is merged from REST, events and the outbox; the order in which they arrive must not matter.

import { describe, expect, test } from '@jest/globals';
import type { Outgoing } from '../../src/client/index.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { applyEvent } from '../../src/protocol/transcript.ts';
import {
  newConversation,
  runningTurn,
  titleOf,
  updateTurn,
  withLoaded,
  withOutgoing,
  withResource,
  type Conversation,
} from '../../web/src/conversation.ts';
import type { TurnResource } from '../../web/src/resources.ts';
import { answerOfTurn, auditOf, needsEvents, stateOfTurn, withHandle, type Turn } from '../../web/src/turn.ts';
import { agentId, createTurnScript } from './turn-script.ts';

const conversationId = '6b1f0c1e-5a39-4b0e-9e55-000000000001' as ConversationId;
const turnId = '6b1f0c1e-5a39-4b0e-9e55-0000000000a1' as TurnId;
const otherId = '6b1f0c1e-5a39-4b0e-9e55-0000000000a2' as TurnId;

const outgoing: Outgoing = { turnId, conversationId, agentId, text: 'Question?', writtenAtMs: 1, accepted: false };
const resource = (part: Partial<TurnResource> = {}): TurnResource => ({
  turnId,
  conversationId,
  agentId,
  state: 'completed',
  text: 'Question?',
  answer: 'The whole answer',
  error: null,
  receipt: null,
  audit: null,
  steps: [],
  links: { temporal: 'http://127.0.0.1:8233/turn' },
  ...part,
});
/** What the client tells of the turn after one more event. */
const applyTo = (conversation: Conversation, event: TurnEvent): Conversation =>
  updateTurn(conversation, event.turnId, (turn) =>
    withHandle(turn, { transcript: applyEvent(turn.transcript, event), refusal: null, stopRequested: false }),
  );
const fresh = (): Conversation => newConversation(conversationId, agentId, 'new');
const only = (conversation: Conversation): Turn => {
  const [turn] = conversation.turns;
  if (turn === undefined || conversation.turns.length > 1) throw new Error('not exactly one turn');
  return turn;
};

describe('a turn', () => {
  test('is unsent until its acceptance comes', () => {
    const written = withOutgoing(fresh(), outgoing);
    expect(stateOfTurn(only(written))).toBe('unsent');
    const accepted = applyTo(written, createTurnScript(turnId, conversationId).accepted('Question?'));
    expect(stateOfTurn(only(accepted))).toBe('accepted');
    expect(only(accepted).outgoing?.accepted).toBe(true);
  });

  test('that was accepted before a reload is not unsent', () => {
    const reloaded = withOutgoing(fresh(), { ...outgoing, accepted: true });
    expect(stateOfTurn(only(reloaded))).toBe('accepted');
  });

  test('that is over and was loaded is not replayed until somebody looks at its events', () => {
    const loaded = withResource(fresh(), resource());
    expect(needsEvents(only(loaded))).toBe(false);
    expect(needsEvents({ ...only(loaded), detailsWanted: true })).toBe(true);
  });

  test('does not shrink while the events of its finished answer are replayed', () => {
    const script = createTurnScript(turnId, conversationId);
    let conversation = withResource(fresh(), resource());
    const shown = new Set<string>();
    const events = [
      script.accepted('Question?'),
      script.started(),
      script.thinking(),
      script.delta(0, 'The whole '),
      script.delta(10, 'answer'),
      script.answered('The whole answer'),
      script.stored(),
      script.auditStarted(),
      script.completed(),
    ];
    for (const event of events) {
      conversation = applyTo(conversation, event);
      shown.add(`${stateOfTurn(only(conversation))}: ${answerOfTurn(only(conversation))}`);
    }
    expect([...shown]).toEqual(['completed: The whole answer']);
  });

  test('goes by its events once they know more than what REST said', () => {
    const script = createTurnScript(turnId, conversationId);
    const running = withResource(fresh(), resource({ state: 'running', answer: null }));
    const events = [script.accepted('Question?'), script.started(), script.thinking(), script.delta(0, 'Live')];
    const turn = only(events.reduce(applyTo, running));
    expect([stateOfTurn(turn), answerOfTurn(turn)]).toEqual(['running', 'Live']);
  });

  test('withdraws the text of a failed attempt', () => {
    const script = createTurnScript(turnId, conversationId);
    const events = [
      script.accepted('Question?'),
      script.started(),
      script.thinking(),
      script.delta(0, 'Wrong'),
      script.attemptFailed(1, 5),
    ];
    const turn = only(events.reduce(applyTo, fresh()));
    expect([stateOfTurn(turn), answerOfTurn(turn)]).toEqual(['waiting', '']);
  });

  test('shows the partial text of a stopped turn that was loaded', () => {
    const stopped = resource({ state: 'cancelled', answer: null, steps: [{ step: 1, text: 'As far as it' }] });
    expect(answerOfTurn(only(withResource(fresh(), stopped)))).toBe('As far as it');
  });

  test('waits for its audit, and takes the verdict that comes after the end', () => {
    const script = createTurnScript(turnId, conversationId);
    const events = [
      script.accepted('Question?'),
      script.started(),
      script.thinking(),
      script.answered('Answer'),
      script.stored(),
      script.auditStarted(),
      script.completed(),
    ];
    const ended = events.reduce(applyTo, fresh());
    expect(auditOf(only(ended))).toBe('running');
    const audited = applyTo(ended, {
      type: 'audit_completed',
      turnId,
      conversationId,
      time: '2026-01-02T03:04:06.000Z',
      auditId: `audit/${turnId}` as never,
      verdict: 'flagged',
      confidence: 0.7,
      reason: 'Reason',
    });
    expect(auditOf(only(audited))).toMatchObject({ verdict: 'flagged', confidence: 0.7, reason: 'Reason' });
  });
});

describe('a conversation', () => {
  const loaded = {
    conversationId,
    title: 'Named by the gateway',
    agentId,
    leaf: turnId,
    updatedAt: '2026-01-02T03:04:05.000Z',
    turns: [resource()],
  };

  test('puts what REST lists first and keeps what only this page knows', () => {
    const written = withOutgoing(fresh(), { ...outgoing, turnId: otherId, text: 'Next' });
    const merged = withLoaded(written, loaded);
    expect(merged.turns.map((turn) => turn.turnId)).toEqual([turnId, otherId]);
    expect(merged.turns[1]?.outgoing?.text).toBe('Next');
  });

  test('does not hold a message back for sending once REST lists it', () => {
    const merged = withLoaded(withOutgoing(fresh(), outgoing), { ...loaded, turns: [resource({ state: 'running' })] });
    expect(only(merged).outgoing).toBeNull();
    expect(needsEvents(only(merged))).toBe(true);
  });

  test('keeps the text that has arrived when it is loaded again', () => {
    const script = createTurnScript(turnId, conversationId);
    const events = [script.accepted('Question?'), script.started(), script.thinking(), script.delta(0, 'Half')];
    const running = { ...loaded, turns: [resource({ state: 'running', answer: null })] };
    const again = withLoaded(events.reduce(applyTo, fresh()), running);
    expect(answerOfTurn(only(again))).toBe('Half');
  });

  test('is named by its first message until the gateway names it', () => {
    const written = withOutgoing(fresh(), { ...outgoing, text: '  First line\nSecond' });
    expect(titleOf(written)).toBe('First line');
    expect(titleOf(withLoaded(written, loaded))).toBe('Named by the gateway');
    expect(titleOf(fresh())).toBeNull();
  });

  test('runs its first open turn; a queued one waits', () => {
    const first = createTurnScript(turnId, conversationId);
    const second = createTurnScript(otherId, conversationId);
    const events = [first.accepted('1'), first.started(), second.accepted('2'), second.queued(turnId)];
    const busy = events.reduce(applyTo, fresh());
    expect(runningTurn(busy)?.turnId).toBe(turnId);
    const ended = [first.cancelled()].reduce(applyTo, busy);
    expect(runningTurn(ended)).toBeNull();
  });

  test('stays the same object when an event brings nothing new', () => {
    const event = createTurnScript(turnId, conversationId).accepted('Question?');
    const once = applyTo(fresh(), event);
    expect(applyTo(once, event)).toBe(once);
  });
});
