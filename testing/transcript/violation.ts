// What can be wrong with a turn as a reader received it. Each violation has a name, so that a test can say which one it
// expects; the sentences are its documentation.

/** Every violation by its name, in the order in which a reader would ask. */
export const violationMeanings = {
  no_terminal: 'The turn never ended: no turn_completed, turn_failed or turn_cancelled came.',
  two_terminals: 'Terminal events of different content came.',
  after_terminal: 'Something behind the terminal event would have changed what it ended.',
  gap: 'An event or a piece of text came that does not follow from what the reader had: something before it is missing.',
  seq_missing: 'The log has a hole, or something that came could never be applied.',
  foreign_event: 'An event of another turn came where one turn was read.',
  order: 'The events of the log stand in an order that no turn has.',
  attempt_numbering: 'Steps or attempts are not numbered 1, 2, 3 …, or exceed what was announced.',
  without_call: 'Text, a failure or a reply came of a model call that no agent_thinking announced.',
  surrogate_split: 'A delta cuts a character in two.',
  overlap_differs: 'Text that came again at the same place is not the text that came first.',
  doubled: 'A reader was shown the same characters a second time as if they were new.',
  discarded_text_shown: 'Text of a failed attempt is still there.',
  discarded_count: 'attempt_failed says fewer discarded characters than were shown, and not that it is a lower bound.',
  reply_differs: 'The text of agent_completed is not the text that had come as deltas.',
  sha256: 'A hash is not the hash of the text.',
  not_upstream_text: 'Text was shown that the model server did not send, or a reply that it did not finish.',
  answer_and_error: 'The turn has an answer and an error.',
  neither: 'The turn ended without an answer and without an explicit error.',
  banned_sentence: 'A sentence was shown that neither the user nor the model said.',
} as const;

export type ViolationName = keyof typeof violationMeanings;

export interface Violation {
  readonly name: ViolationName;
  /** What exactly, with the place: the `seq`, or step, attempt and offset. */
  readonly detail: string;
  /** Position among the received frames, from 0; absent when it is told of the whole. */
  readonly at?: number;
}

export type Report = (name: ViolationName, detail: string) => void;
