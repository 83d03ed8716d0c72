// Lines of a terminal that edits them itself. A backslash at the end goes on in the next line.

import { withoutControls } from '../text/control-filter.ts';
import type { Editor, EditorOptions } from './editor.ts';

export function createLineEditor({ onSubmit, takeKey }: EditorOptions): Editor {
  let line = '';
  let before = '';
  const take = (text: string): void => {
    if (text.endsWith('\\')) {
      before += `${text.slice(0, -1)}\n`;
      return;
    }
    const whole = withoutControls(before + text);
    before = '';
    if (!takeKey(whole)) onSubmit(whole);
  };
  return {
    text: '',
    cursor: 0,
    feed(data) {
      const lines = (line + data).split(/\r?\n/);
      line = lines.pop() ?? '';
      for (const text of lines) take(text);
    },
    clear: () => undefined,
    close: () => undefined,
  };
}
