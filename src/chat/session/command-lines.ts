// What each command does, one function each.

import type { TurnHandle } from '../../client/index.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import { commandList, type CommandName } from '../commands.ts';
import { row, span, type Row } from '../screen/row.ts';
import { cutToWidth } from '../screen/wrap.ts';
import { toOneLine } from '../text/control-filter.ts';
import { receiptSha256, receiptWords } from '../turn/receipt-words.ts';
import { clockTime } from '../turn/wording.ts';
import type { ListedConversation, Rest } from '../rest.ts';

/** The last turn that is over: what can be asked again, or be proved. */
export interface LastTurn {
  readonly turnId: string;
  readonly text: string;
  readonly receipt: Receipt | null;
}

export interface SessionState {
  readonly agentId: string;
  readonly conversationId: string;
  readonly everyEvent: boolean;
  readonly reasoning: boolean;
  /** As `/list` numbered them. */
  readonly listed: readonly ListedConversation[];
  readonly last: LastTurn | null;
}

export interface CommandContext {
  readonly argument: string;
  readonly state: () => SessionState;
  readonly set: (part: Partial<SessionState>) => void;
  readonly tell: (...rows: readonly Row[]) => void;
  readonly send: (text: string, more?: { readonly busy?: 'interrupt'; readonly regenerateOf?: string }) => void;
  readonly openNew: (conversationId: string, agentId: string) => void;
  readonly openStored: (conversationId: string) => Promise<void>;
  readonly rest: Rest;
  readonly leave: (code: number) => void;
  readonly saveFile: (path: string, text: string) => Promise<void>;
  readonly newId: () => string;
  readonly columns: number;
  readonly current: TurnHandle | null;
  readonly waiting: readonly TurnHandle[];
  readonly reconnect: () => void;
}

type Run = (context: CommandContext) => Promise<void> | undefined;

const quiet = (text: string): Row => row(`· ${text}`, 'quiet');

/** Another conversation while an answer comes would hide it. */
const isBusy = ({ current, tell }: CommandContext): boolean => {
  if (current !== null) tell(quiet('an answer is under way: stop it first, or wait'));
  return current !== null;
};

export const commandLines: Readonly<Record<CommandName, Run>> = {
  help({ tell }) {
    tell(
      ...commandList.map(({ name, argument, help }): Row => [
        span(`  /${`${name} ${argument}`.padEnd(18)}`),
        span(help, 'quiet'),
      ]),
      quiet('Enter sends · Ctrl-J, Alt-Enter or \\ at the end begins a new line · Ctrl-C stops · Ctrl-D leaves'),
      quiet('what is written while an answer comes is queued'),
    );
    return undefined;
  },
  new(context) {
    if (isBusy(context)) return undefined;
    context.openNew(context.newId(), context.state().agentId);
    context.tell(quiet('a new conversation'));
    return undefined;
  },
  async list({ rest, set, tell, columns }) {
    const listed = await rest.conversations();
    set({ listed });
    if (listed.length === 0) tell(quiet('there are no conversations yet'));
    tell(
      ...listed.map(({ title, agentId, updatedAt }, index) =>
        cutToWidth(
          [
            span(`${String(index + 1).padStart(3)}  `, 'accent'),
            span(toOneLine(title, 200)),
            span(`  ${toOneLine(agentId, 40)}, ${updatedAt.slice(0, 10)} ${clockTime(updatedAt).slice(0, 5)}`, 'quiet'),
          ],
          columns,
        ),
      ),
    );
  },
  async open(context) {
    const { argument, state, tell, openStored } = context;
    if (isBusy(context)) return;
    const id = /^\d+$/.test(argument) ? state().listed[Number(argument) - 1]?.conversationId : argument;
    if (id === undefined || id === '') tell(quiet('/list numbers the conversations; /open 1 opens the first'));
    else await openStored(id);
  },
  async stop({ current, tell }) {
    if (current === null) tell(quiet('nothing is under way'));
    else await current.stop();
  },
  async withdraw({ waiting, tell }) {
    const last = waiting.at(-1);
    if (last === undefined) tell(quiet('no message waits'));
    else await last.withdraw();
  },
  interrupt({ argument, send, tell }) {
    if (argument === '') tell(quiet('/interrupt needs the message that goes before'));
    else send(argument, { busy: 'interrupt' });
    return undefined;
  },
  retry(context) {
    const { state, send, tell } = context;
    if (isBusy(context)) return undefined;
    const { last } = state();
    if (last === null) tell(quiet('there is no message to ask again'));
    else send(last.text, { regenerateOf: last.turnId });
    return undefined;
  },
  async receipt({ argument, state, tell, saveFile }) {
    const receipt = state().last?.receipt ?? null;
    if (receipt === null) return tell(quiet('there is no receipt yet'));
    if (argument !== '') {
      await saveFile(argument, `${JSON.stringify(receipt, null, 2)}\n`);
      return tell(quiet(`saved: candor verify ${toOneLine(argument)}`));
    }
    tell(
      row(`  ${receiptWords(receipt)}`),
      quiet(`turn ${receipt.turnId}, ${receipt.outcome}, issued ${receipt.issuedAt}`),
      quiet(`SHA-256 of the receipt  ${receiptSha256(receipt)}`),
      quiet(`of the answer           ${receipt.answerSha256 ?? 'none'}`),
      quiet(`of the one before       ${receipt.previousReceiptSha256 ?? 'none'}`),
      quiet('/receipt FILE saves it, candor verify FILE checks it without asking anybody'),
    );
  },
  async agents({ rest, tell, state }) {
    const own = state().agentId;
    tell(
      ...(await rest.agents()).map(({ id, description, model }): Row => [
        span(id === own ? '* ' : '  ', 'accent'),
        span(`${toOneLine(id, 60)}  `, 'strong'),
        span(`${toOneLine(description, 200)} (${toOneLine(model, 60)})`, 'quiet'),
      ]),
    );
  },
  async agent(context) {
    const { argument, rest, openNew, newId, tell } = context;
    if (isBusy(context)) return;
    const agents = await rest.agents();
    if (agents.every(({ id }) => id !== argument))
      return tell(quiet(`/agents lists them; «${toOneLine(argument, 60)}» is none`));
    openNew(newId(), argument);
    tell(quiet(`a new conversation with ${toOneLine(argument, 60)}`));
  },
  events({ state, set, tell }) {
    const everyEvent = !state().everyEvent;
    set({ everyEvent });
    tell(quiet(everyEvent ? 'every event is shown, from the next turn on' : 'only what you have to know is shown'));
    return undefined;
  },
  thinking({ state, set, tell }) {
    const reasoning = !state().reasoning;
    set({ reasoning });
    tell(
      quiet(reasoning ? 'reasoning is shown, from the next turn on' : 'reasoning is not shown, from the next turn on'),
    );
    return undefined;
  },
  reconnect({ reconnect }) {
    reconnect();
    return undefined;
  },
  quit({ leave }) {
    leave(0);
    return undefined;
  },
};
