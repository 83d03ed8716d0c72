// Tells bytes that are no event stream from events. The vendor's client skips a line that it does not understand, as
// the standard allows; but a proxy's page in the middle of an answer is no comment, and what it replaced is lost.

/** Bytes of a line that are enough to see what it is. */
const headLength = 64;
/** A field with its colon, known or not, a known one without a value, a comment, or nothing. */
const eventLine = /^(?:[\w.-]*:|(?:data|event|id|retry)?$)/;

export interface EventLines {
  /** Takes the next decoded text; false: a whole line of it was no line of an event stream. */
  accept(text: string): boolean;
}

export function createEventLines(): EventLines {
  let head = '';
  return {
    accept(text) {
      const lines = text.split(/\r\n|\n|\r/);
      const rest = lines.pop() ?? '';
      for (const line of lines) {
        const whole = (head + line.slice(0, headLength)).slice(0, headLength);
        head = '';
        if (!eventLine.test(whole)) return false;
      }
      head = (head + rest.slice(0, headLength)).slice(0, headLength);
      return true;
    },
  };
}
