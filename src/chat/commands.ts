// What begins with a slash. Two slashes begin a message that begins with one.

export interface CommandHelp {
  readonly name: string;
  readonly argument: string;
  readonly help: string;
}

export const commandList = [
  { name: 'help', argument: '', help: 'this list' },
  { name: 'new', argument: '', help: 'a new conversation' },
  { name: 'list', argument: '', help: 'your conversations, newest first' },
  { name: 'open', argument: 'N', help: 'open one of the list, or of an id' },
  { name: 'stop', argument: '', help: 'stop the answer, as Ctrl-C does' },
  { name: 'withdraw', argument: '', help: 'take back the last message that still waits' },
  { name: 'interrupt', argument: 'TEXT', help: 'stop the answer and say this in its place' },
  { name: 'retry', argument: '', help: 'ask for another answer to the last message' },
  { name: 'receipt', argument: '[FILE]', help: 'show the last receipt, or save it for candor verify' },
  { name: 'agents', argument: '', help: 'the agents of this gateway' },
  { name: 'agent', argument: 'ID', help: 'a new conversation with another agent' },
  { name: 'events', argument: '', help: 'show every event of a turn, or only what you have to know' },
  { name: 'thinking', argument: '', help: 'show or hide what the model reasons' },
  { name: 'reconnect', argument: '', help: 'connect at once' },
  { name: 'quit', argument: '', help: 'leave; a turn that runs goes on' },
] as const satisfies readonly CommandHelp[];

export type CommandName = (typeof commandList)[number]['name'];

export type Entered =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'command'; readonly name: CommandName; readonly argument: string }
  | { readonly kind: 'unknown'; readonly name: string };

export function parseEntered(text: string): Entered {
  if (text.trim() === '') return { kind: 'nothing' };
  if (text.startsWith('//')) return { kind: 'message', text: text.slice(1) };
  const found = /^\/([a-z]+)(?:\s+([\s\S]*))?$/.exec(text.trimEnd());
  if (!text.startsWith('/')) return { kind: 'message', text };
  const name = found?.[1] ?? text.split(/\s/)[0]?.slice(1) ?? '';
  const known = commandList.find((command) => command.name === name);
  if (known === undefined || found === null) return { kind: 'unknown', name };
  return { kind: 'command', name: known.name, argument: (found[2] ?? '').trim() };
}

/** Commands that the text may become. */
export const matching = (text: string): readonly CommandHelp[] =>
  /^\/[a-z]*$/.test(text) ? commandList.filter(({ name }) => `/${name}`.startsWith(text)) : [];
