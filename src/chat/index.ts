// The door of the terminal client: what the command is composed of.

export { createEditor } from './input/editor.ts';
export { createLineEditor } from './input/line-editor.ts';
export { readHistory, addToHistory } from './input/history.ts';
export { runOneTurn } from './one-turn.ts';
export { createRest, RestError } from './rest.ts';
export { createPaint } from './screen/row.ts';
export { createPlainStage } from './screen/plain-stage.ts';
export { createStage } from './screen/stage.ts';
export { createTerminal } from './screen/terminal.ts';
export { showOneTurn } from './session/show-one-turn.ts';
export { startSession } from './session/session.ts';
