// The session on a terminal that only goes on: nothing is drawn twice. A block of an answer is printed when it is over, so
// that it reads well aloud and in a log; what is withdrawn after that is said to be.

import { createOpenSection } from './open-section.ts';
import { plainOf, type Row } from './row.ts';
import type { Scene, Stage } from './stage.ts';

export interface PlainStageOptions {
  /** Rows are broken for it once: what is printed is not laid out again. */
  readonly columns: number;
  readonly write: (text: string) => void;
  readonly scene: () => Scene;
}

export function createPlainStage({ columns, write, scene }: PlainStageOptions): Stage {
  let section = createOpenSection();
  const print = (rows: readonly Row[]): void => {
    if (rows.length > 0) write(rows.map((line) => `${plainOf(line)}\n`).join(''));
  };
  const draw = (): boolean => {
    const { open } = scene();
    if (open !== null) print(section.place(open.rows.slice(0, open.settled), 0).done);
    return true;
  };
  return {
    columns: Math.max(20, columns),
    print,
    finish(rows) {
      print(section.finish(rows));
      section = createOpenSection();
    },
    changed: () => void draw(),
    draw,
    drained: () => undefined,
    resized: () => undefined,
    suspend: () => undefined,
    resume: () => undefined,
    end: () => undefined,
  };
}
