// What an event says, as rows. What a person has to know always stands; the rest is for whoever wants every event. Every
// text of the wire passes through `toOneLine`.

import type { SequencedEvent, TurnCancelled } from '../../protocol/events.ts';
import type { ErrorInfo } from '../../protocol/errors.ts';
import { row, span, type Row } from '../screen/row.ts';
import { toOneLine } from '../text/control-filter.ts';
import { toToolEvent, type ToolEvent } from './tool-events.ts';
import { cancelledWords, clockTime, count, duration, known } from './wording.ts';

/** @param everyEvent also those that only tell of progress */
export function eventRows(event: SequencedEvent, everyEvent: boolean): readonly Row[] {
  const detail = (text: string): readonly Row[] => (everyEvent ? [row(`· ${toOneLine(text)}`, 'quiet')] : []);
  switch (event.type) {
    case 'turn_accepted':
      return detail(`accepted as turn ${event.turnId}`);
    case 'turn_queued':
      return detail(`queued behind ${event.behind}`);
    case 'agent_started':
      return detail(
        `agent ${event.agentId}, model ${event.model}, ${count(event.context.length, 'passage')} of knowledge`,
      );
    case 'agent_thinking': {
      const call = `${event.model}, step ${event.step}, try ${event.attempt} of ${event.maxAttempts}`;
      return event.attempt > 1 ? [row(`· asked again: ${toOneLine(call)}`, 'quiet')] : detail(`asked: ${call}`);
    }
    case 'attempt_failed':
      return [
        row(`✗ try ${event.attempt} of ${event.maxAttempts} failed: ${errorWords(event.error)}`, 'warning'),
        ...discarded(event),
      ];
    case 'agent_completed':
      return [
        ...(event.incomplete ? [row('! incomplete: the model stopped at its limit of length', 'warning')] : []),
        ...sources(event.citations.map(({ source }) => source)),
        ...(event.unsupported.length === 0
          ? []
          : [row(`! named but not given to the model: ${toOneLine(event.unsupported.join(', '))}`, 'warning')]),
        ...detail(
          `answered: ${count(event.text.length, 'character')}, ${known(event.usage.promptTokens)} tokens in, ${known(event.usage.completionTokens)} out, finish reason ${event.finishReason}`,
        ),
      ];
    case 'agent_failed':
      return [
        row(`✗ agent ${toOneLine(event.agentId)} failed: ${errorWords(event.error)}`, 'bad'),
        ...discarded(event),
      ];
    case 'conversation_stored':
      return detail('stored');
    case 'audit_started':
      return detail('audit started');
    case 'turn_completed':
      return [];
    case 'turn_failed':
      return [row(`✗ no answer: ${errorWords(event.error)}`, 'bad')];
    case 'turn_cancelled':
      return [row(`■ ${cancelledWords[event.by] ?? 'stopped'} · ${stopProof(event)}`, 'warning')];
    default: {
      const tool = toToolEvent(event);
      // An event of a newer gateway: its name is all that is known of it here.
      return tool === null ? detail((event as SequencedEvent).type) : toolRows(tool);
    }
  }
}

export const errorWords = ({ message, code }: ErrorInfo): string => `${toOneLine(message)} (${toOneLine(code, 40)})`;

/** When the stop was asked for, when the model's connection was closed, and what still came in between. */
function stopProof({ requestedAt, upstreamClosedAt, charsAfterStop }: TurnCancelled): string {
  return [
    `asked at ${clockTime(requestedAt)}`,
    upstreamClosedAt === null
      ? 'no call of the model was seen to close'
      : `model closed at ${clockTime(upstreamClosedAt)}`,
    charsAfterStop === null
      ? 'characters after the stop unknown'
      : `${count(charsAfterStop, 'character')} after the stop`,
  ].join(' · ');
}

interface Discarding {
  readonly discardedChars: number;
  readonly attempt?: number;
  readonly atLeast?: true;
}

function discarded({ discardedChars, attempt, atLeast }: Discarding): readonly Row[] {
  if (discardedChars === 0) return [];
  const amount = `${atLeast === true ? 'at least ' : ''}${count(discardedChars, 'character')}`;
  return [row(`  discarded: ${amount}${attempt === undefined ? '' : ` of try ${attempt}`}`, 'warning')];
}

const sources = (names: readonly string[]): readonly Row[] =>
  names.length === 0 ? [] : [row(`  sources: ${toOneLine([...new Set(names)].join(', '))}`, 'quiet')];

function toolRows(event: ToolEvent): readonly Row[] {
  switch (event.type) {
    case 'tool_executing':
      return [[span('⚙ ', 'accent'), span(`${toOneLine(event.tool, 80)} ${valueWords(event.arguments)}`)]];
    case 'tool_completed': {
      const took = event.durationMs === null ? '' : ` after ${duration(event.durationMs)}`;
      if (event.errorMessage !== null) return [row(`  ✗ failed${took}: ${toOneLine(event.errorMessage)}`, 'bad')];
      return [row(`  ✓ returned${took}: ${valueWords(event.result)}`, 'quiet')];
    }
    case 'approval_requested': {
      const until = event.expiresAt === null ? '' : ` until ${clockTime(event.expiresAt)}`;
      return [
        row(`? ${toOneLine(event.tool, 80)} wants your approval${until}`, 'warning'),
        // In full: what is approved has to be read.
        row(`  ${toOneLine(JSON.stringify(event.arguments) ?? '', 8_000)}`),
      ];
    }
    case 'approval_resolved': {
      const by = event.by === null ? '' : ` by ${toOneLine(event.by, 80)}`;
      return [row(`  ${toOneLine(event.decision, 40)}${by}`, /^approve/.test(event.decision) ? 'good' : 'warning')];
    }
  }
}

const valueWords = (value: unknown): string =>
  toOneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), 300);
