// From the bytes of a reply to the data of its events. Stricter than the standard, which skips what it does not
// understand: a proxy's page in the middle of an answer is no comment, and what it replaced is lost; and bytes that are
// no UTF-8 would become U+FFFD and nobody would know.

import { createParser } from 'eventsource-parser';

/** Characters of an event that is not whole yet: JSON may spell each byte of the longest reply with six. */
const maxEventChars = 2 * 1024 * 1024;
/** A field with its colon, known or not. */
const namedField = /^[\w.-]*:/;
const endOfData = '[DONE]';

/** `noEvents`: a whole line that is no line of an event stream. */
export type StreamFault = 'notUtf8' | 'noEvents' | 'lineTooLong';

export interface EventStream {
  /** Takes the next bytes, gives the data of the events that they made whole. @throws StreamFaultError */
  read(bytes: Uint8Array): readonly string[];
  /** No bytes come any more. @throws StreamFaultError when they ended inside of a character */
  end(): void;
}

export class StreamFaultError extends Error {
  readonly fault: StreamFault;

  constructor(fault: StreamFault) {
    super(`unable to read the stream; ${fault}`);
    this.fault = fault;
  }
}

export function createEventStream(): EventStream {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let events: string[] = [];
  let fault: StreamFault | null = null;
  let isOver = false;
  const parser = createParser({
    maxBufferSize: maxEventChars,
    onEvent({ data }) {
      if (data.startsWith(endOfData)) isOver = true;
      else if (!isOver) events.push(data);
    },
    onError({ type, line = '' }) {
      if (type === 'max-buffer-size-exceeded') fault ??= 'lineTooLong';
      else if (type === 'unknown-field' && !namedField.test(line)) fault ??= 'noEvents';
    },
  });
  return {
    read(bytes) {
      parser.feed(decode(() => decoder.decode(bytes, { stream: true })));
      if (fault !== null) throw new StreamFaultError(fault);
      const whole = events;
      events = [];
      return whole;
    },
    end: () => void decode(() => decoder.decode()),
  };
}

function decode(step: () => string): string {
  try {
    return step();
  } catch {
    // Swallowed: a decoder that is told to be strict throws for one reason, which the fault names.
    throw new StreamFaultError('notUtf8');
  }
}
