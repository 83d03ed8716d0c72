// The screen of a session: what is over is printed for good, the turn under way and what is written stay below it and
// change. Draws at most so often as the terminal takes it: a slow line gets fewer frames, never a late one.

import { inputRows } from '../input/input-rows.ts';
import { createOpenSection } from './open-section.ts';
import { createPainter } from './painter.ts';
import type { Paint, Row } from './row.ts';
import { cutToWidth } from './wrap.ts';
import type { Terminal } from './terminal.ts';

/** What is to be seen now. */
export interface Scene {
  /** Of the turn under way, from its first one; `null`: none is. */
  readonly open: { readonly rows: readonly Row[]; readonly settled: number } | null;
  /** Between it and the input. */
  readonly foot: readonly Row[];
  /** `null`: nothing can be written. */
  readonly input: { readonly text: string; readonly cursor: number } | null;
}

/** One empty row between what is under way and what is said about it. */
export const belowOpen = (open: readonly Row[], foot: readonly Row[]): readonly Row[] =>
  foot.length === 0 || open.length === 0 || open.at(-1)?.length === 0 ? foot : [[], ...foot];

export interface Stage {
  /** Rows may be so wide. */
  readonly columns: number;
  /** Prints for good with the next frame, above what is under way. */
  print(rows: readonly Row[]): void;
  /** The open turn is over: its rows are printed for good. */
  finish(rows: readonly Row[]): void;
  /** Something has changed. */
  changed(): void;
  /** Draws now; false: the terminal takes nothing at the moment. */
  draw(): boolean;
  drained(): void;
  resized(): void;
  /** Takes the lower region away and draws no more: the terminal is another's for a while. */
  suspend(): void;
  resume(): void;
  /** Prints what is to be printed, takes the lower region away, and draws no more. */
  end(): void;
}

const frameMs = 33;

export interface StageOptions {
  readonly terminal: Terminal;
  readonly paint: Paint;
  readonly scene: () => Scene;
}

export function createStage({ terminal, paint, scene }: StageOptions): Stage {
  let isFull = false;
  let isEnded = false;
  let isAway = false;
  let timer: NodeJS.Timeout | null = null;
  let nextAtMs = 0;
  let waiting: readonly Row[] = [];
  let section = createOpenSection();
  let isRelaid = false;
  const painter = createPainter((text) => {
    isFull = !terminal.write(text);
  }, paint);
  // The last column stays free: terminals do not agree on what a full row does to the cursor.
  const columnsNow = (): number => Math.max(20, terminal.columns - 1);

  const draw = (): boolean => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (isFull || isAway) return false;
    const startedAtMs = performance.now();
    const { open, foot, input } = isEnded ? { open: null, foot: [], input: null } : scene();
    const written = input === null ? null : inputRows(input.text, input.cursor, columnsNow());
    const below = [...foot.map((line) => cutToWidth(line, columnsNow())), ...(written?.rows ?? [])];
    const room = Math.max(1, terminal.rows - below.length - 1);
    if (isRelaid && open !== null) section.relaid(open.rows);
    isRelaid = false;
    const placed = open === null ? { done: [], region: [] } : section.place(open.rows, room);
    const done = [...waiting, ...placed.done];
    waiting = [];
    const above = placed.region.length + foot.length;
    const cursor =
      written === null ? { row: above, column: 0 } : { row: above + written.cursor.row, column: written.cursor.column };
    // A terminal of three rows shows the input and loses the rest.
    const region = [...placed.region, ...below];
    const cut = Math.max(0, region.length - Math.max(1, terminal.rows - 1));
    painter.draw({ done, region: region.slice(cut), cursor: { ...cursor, row: Math.max(0, cursor.row - cut) } });
    const now = performance.now();
    // A block that takes long to lay out is drawn less often: the answer goes on in time whatever it looks like.
    nextAtMs = now + Math.max(frameMs, 4 * (now - startedAtMs));
    return true;
  };

  return {
    get columns() {
      return columnsNow();
    },
    print(rows) {
      waiting = [...waiting, ...rows];
    },
    finish(rows) {
      if (isRelaid) section.relaid(rows);
      waiting = [...waiting, ...section.finish(rows)];
      section = createOpenSection();
    },
    changed() {
      if (timer !== null || isFull || isEnded) return;
      timer = setTimeout(draw, Math.max(0, nextAtMs - performance.now()));
    },
    draw,
    drained() {
      isFull = false;
      draw();
    },
    resized() {
      painter.erase(terminal.columns, terminal.rows);
      isRelaid = true;
      draw();
    },
    suspend() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      isAway = true;
      painter.erase(terminal.columns, terminal.rows);
    },
    resume() {
      isAway = false;
      draw();
    },
    end() {
      isEnded = true;
      // The last words go out even to a terminal that is behind: the stream keeps them.
      isFull = false;
      draw();
    },
  };
}
