// Answers by question. Turns run side by side, so the order of their calls is not the order of their messages.

import type { TurnId } from '../../src/protocol/ids.ts';
import {
  answer,
  createValve,
  type Behaviour,
  type RecordedCall,
  type Upstream,
  type Valve,
} from '../../testing/upstream/upstream.ts';

export interface Replies {
  /** The calls for this question get these behaviours, one each; the last one stays. */
  to(question: string, ...behaviours: readonly [Behaviour, ...Behaviour[]]): void;
  /** Chunks pass as the valve lets them. */
  held(question: string, chunks: readonly string[]): Valve;
  /** So far; the auditor's are not among them. */
  calls(question: string): readonly RecordedCall[];
  /** The first call for the question, past or to come. */
  call(question: string): Promise<RecordedCall>;
}

/** What is asked of the model last in the prompt; each turn has its own. */
export const questionOf = (turnId: TurnId): string => `What about ${turnId}?`;
/** What a turn that nothing else was said about is answered. */
export const answerTo = (question: string): string => `An answer to «${question}»`;

export function createReplies(upstream: Upstream): Replies {
  const scripts = new Map<string, Behaviour[]>();
  upstream.chat.always((_nth, { messages }) => {
    const question = messages.at(-1)?.content ?? '';
    const script = scripts.get(question) ?? [];
    return (script.length > 1 ? script.shift() : script[0]) ?? answer(answerTo(question));
  });
  const isFor = (question: string) => (call: RecordedCall) =>
    !call.isJson && call.body.messages.at(-1)?.content === question;
  return {
    to: (question, ...behaviours) => void scripts.set(question, [...behaviours]),
    held(question, chunks) {
      const valve = createValve();
      scripts.set(question, [answer(chunks, { valve })]);
      return valve;
    },
    calls: (question) => upstream.calls.filter(isFor(question)),
    async call(question) {
      for (let n = 1; ; n++) {
        const call = await upstream.call(n).received;
        if (isFor(question)(call)) return call;
      }
    },
  };
}
