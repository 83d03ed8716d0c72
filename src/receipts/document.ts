// What a person may have saved: a receipt, the event that carried it, a turn or a conversation as the API gives them, or a
// list of these. Each becomes the same thing: a receipt, and what the document says beside it and must answer for.

import { isObject, parseJson, type JsonObject } from './json.ts';

export interface Subject {
  /** Where it stands in the document: empty, `[2]` or `turns[2]`. */
  readonly place: string;
  /** `null`: there is none where one should be. */
  readonly receipt: JsonObject | null;
  /** Fields of the receipt that the document repeats outside of it. */
  readonly claims: JsonObject;
  /** `undefined`: the document does not say what the answer was; `null`: it says that there was none. */
  readonly answer: string | null | undefined;
}

export interface Unreadable {
  readonly place: string;
  readonly unreadable: string;
}

export interface ReceiptDocument {
  /** A list promises that every receipt's predecessor is in it; one receipt alone does not. */
  readonly isList: boolean;
  readonly entries: readonly (Subject | Unreadable)[];
}

export function parseDocument(text: string): ReceiptDocument {
  const value = parseJson(text);
  if (value === undefined) return alone({ place: '', unreadable: 'it holds no JSON' });
  if (Array.isArray(value)) return listOf(value, '');
  if (isObject(value) && Array.isArray(value['turns'])) return listOf(value['turns'], 'turns');
  return alone(toEntry(value, ''));
}

const alone = (entry: Subject | Unreadable): ReceiptDocument => ({ isList: false, entries: [entry] });

function listOf(values: readonly unknown[], name: string): ReceiptDocument {
  if (values.length === 0) return alone({ place: name, unreadable: 'it is an empty list' });
  return { isList: true, entries: values.map((value, at) => toEntry(value, `${name}[${at}]`)) };
}

function toEntry(value: unknown, place: string): Subject | Unreadable {
  if (!isObject(value)) return { place, unreadable: 'it holds no receipt' };
  const { type, state, receipt } = value;
  if (receipt === undefined) {
    const looksLikeOne = 'version' in value && 'outcome' in value;
    return looksLikeOne
      ? { place, receipt: value, claims: {}, answer: undefined }
      : { place, unreadable: 'it holds no receipt' };
  }
  if (receipt !== null && !isObject(receipt)) return { place, unreadable: 'its receipt is no object' };
  const outcome = outcomes[String(type ?? state)];
  return {
    place,
    receipt,
    claims: {
      ...pick(value, ['turnId', 'conversationId', 'agentId']),
      ...(outcome === undefined ? {} : { outcome }),
    },
    answer: typeof value['answer'] === 'string' || value['answer'] === null ? value['answer'] : undefined,
  };
}

/** By the type of a terminal event and by the state of a turn. */
const outcomes: Readonly<Record<string, string>> = {
  turn_completed: 'completed',
  turn_failed: 'failed',
  turn_cancelled: 'cancelled',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

const pick = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.filter((name) => typeof value[name] === 'string').map((name) => [name, value[name]]));
