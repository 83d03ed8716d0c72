// The order of a turn's log: PROTOCOL.md R17, R19 and R20. Judged on the log as it stands at the end, because until then
// events are provisional.

import type { AgentThinking, SequencedEvent } from '../../src/protocol/events.ts';
import { isTerminal } from '../../src/protocol/events.ts';
import type { Report } from './violation.ts';

interface OpenCall {
  readonly thinking: AgentThinking;
  state: 'open' | 'failed' | 'completed' | 'given up';
}

export function checkOrder(log: readonly SequencedEvent[], tell: Report): void {
  const wrong = (event: SequencedEvent, what: string): void =>
    tell('order', `${event.type} (seq ${event.seq}) ${what}`);
  const before = (event: SequencedEvent, ...types: readonly SequencedEvent['type'][]): boolean =>
    log.some((e) => e.seq < event.seq && types.includes(e.type));
  const calls: OpenCall[] = [];
  const callOf = ({ step, attempt }: { readonly step: number; readonly attempt: number }): OpenCall | undefined =>
    calls.find(({ thinking }) => thinking.step === step && thinking.attempt === attempt);

  const begin = (event: AgentThinking): void => {
    const { step, attempt, maxAttempts, seq } = event;
    const place = `agent_thinking ${step}/${attempt} (seq ${seq})`;
    const lastStep = Math.max(0, ...calls.map(({ thinking }) => thinking.step));
    const earlier = calls.findLast(({ thinking }) => thinking.step === step);
    if (attempt > maxAttempts) tell('attempt_numbering', `${place} is more than maxAttempts ${maxAttempts}`);
    if (earlier === undefined) {
      if (step !== lastStep + 1) tell('attempt_numbering', `${place} follows step ${lastStep}`);
      if (attempt !== 1) tell('attempt_numbering', `${place} is the first of its step`);
      if (calls.at(-1)?.state === 'failed') wrong(event, 'begins another step after a failed attempt');
    } else {
      if (attempt !== earlier.thinking.attempt + 1) {
        tell('attempt_numbering', `${place} follows attempt ${earlier.thinking.attempt}`);
      }
      if (earlier.state !== 'failed') wrong(event, `tries again what is ${earlier.state}`);
    }
    calls.push({ thinking: event, state: 'open' });
  };
  const close = (event: SequencedEvent, step: number, attempt: number, state: OpenCall['state']): void => {
    const call = callOf({ step, attempt });
    if (call === undefined) tell('without_call', `${event.type} (seq ${event.seq}) names ${step}/${attempt}`);
    else if (call.state !== 'open') wrong(event, `ends a model call that is ${call.state}`);
    else {
      call.state = state;
      const { agentId } = call.thinking;
      // Agents side by side interleave; one agent makes one call at a time.
      if (calls.slice(calls.indexOf(call) + 1).some(({ thinking }) => thinking.agentId === agentId)) {
        wrong(event, 'ends a model call after which the agent had begun another');
      }
    }
  };

  for (const [index, event] of log.entries()) {
    if ((index === 0) !== (event.type === 'turn_accepted')) wrong(event, `is number ${index + 1} of the log`);
    if (isTerminal(event) && index !== log.length - 1) wrong(event, 'is not the last of the log');
    if (event.type !== 'turn_failed' && event.type !== 'turn_cancelled' && before(event, 'agent_failed')) {
      wrong(event, 'comes after agent_failed');
    }
    switch (event.type) {
      case 'turn_queued':
        if (before(event, 'agent_started')) wrong(event, 'comes after agent_started');
        break;
      case 'agent_started':
        if (log.some((e) => e.seq < event.seq && startsSame(e, event)))
          wrong(event, 'starts an agent that had started');
        break;
      case 'agent_thinking':
        if (!log.some((e) => e.seq < event.seq && startsSame(e, event))) wrong(event, 'comes before its agent_started');
        begin(event);
        break;
      case 'attempt_failed':
        close(event, event.step, event.attempt, 'failed');
        break;
      case 'agent_completed':
        close(event, event.step, event.attempt, 'completed');
        break;
      case 'agent_failed':
        if (event.step !== undefined && event.attempt !== undefined)
          close(event, event.step, event.attempt, 'given up');
        break;
      case 'conversation_stored':
        if (before(event, 'conversation_stored')) wrong(event, 'comes a second time');
        if (!before(event, 'agent_thinking')) wrong(event, 'comes before any model call');
        break;
      case 'audit_started':
        if (before(event, 'audit_started')) wrong(event, 'comes a second time');
        if (!before(event, 'conversation_stored')) wrong(event, 'comes before conversation_stored');
        break;
      case 'turn_completed':
        if (calls.at(-1)?.state !== 'completed') wrong(event, 'comes without agent_completed of the last step');
        for (const type of ['conversation_stored', 'audit_started'] as const) {
          if (!before(event, type)) wrong(event, `comes without ${type}`);
        }
        break;
      case 'turn_failed':
        // Without a receipt it is the gateway's own, for a turn that was ended from outside.
        if (event.receipt !== null && !before(event, 'agent_failed')) wrong(event, 'comes without agent_failed');
        break;
      case 'turn_cancelled':
        if (before(event, 'conversation_stored') && !before(event, 'audit_started')) {
          wrong(event, 'comes after conversation_stored without audit_started');
        }
        break;
      case 'turn_accepted':
        break;
    }
    const closing = event.type === 'conversation_stored' || event.type === 'audit_started' || isTerminal(event);
    if (!closing && event.type !== 'agent_failed' && before(event, 'conversation_stored')) {
      wrong(event, 'comes after conversation_stored');
    }
  }
}

const startsSame = (event: SequencedEvent, { agentId }: { readonly agentId: string }): boolean =>
  event.type === 'agent_started' && event.agentId === agentId;
