// Where a source file loses an error: a catch that does not look at what was thrown, a handler of rejections or of
// `error` events that does nothing, in place or by its name, and results of `Promise.allSettled` of which nobody asks
// whether they failed. Only what one file can prove: a handler from elsewhere is judged where it is written.

import ts from 'typescript';

export interface LostError {
  readonly node: ts.Node;
  readonly problem: string;
  /** Where a reason may stand: at the place itself, or at the function that is named there. */
  readonly reasonAt: readonly ts.Node[];
}

type FunctionNode = ts.ArrowFunction | ts.FunctionExpression | ts.FunctionDeclaration;

/** `null`: this node loses nothing. Looks at the node only, not into it. */
export function findLostError(node: ts.Node, functions: ReadonlyMap<string, FunctionNode>): LostError | null {
  if (ts.isCatchClause(node)) {
    return losesError(node) ? { node, problem: 'a catch that loses its error', reasonAt: [node] } : null;
  }
  const handler = toHandler(node);
  if (handler !== undefined) {
    const named = ts.isIdentifier(handler) ? functions.get(handler.text) : undefined;
    const written = named ?? handler;
    if (!isFunction(written) || !isSilent(written)) return null;
    const reasonAt = named === undefined ? [handler] : [handler, named];
    return { node: handler, problem: 'a rejection that is lost', reasonAt };
  }
  if (isAllSettled(node) && !isLookedAt(node)) {
    return { node, problem: 'rejections that nobody looks at', reasonAt: [node] };
  }
  return null;
}

/** Functions of the file by their name; a name that stands for several is left out, because it proves nothing. */
export function listFunctions(file: ts.SourceFile): ReadonlyMap<string, FunctionNode> {
  const found = new Map<string, FunctionNode>();
  const ambiguous = new Set<string>();
  const add = (name: string, node: FunctionNode): void => {
    if (found.has(name)) ambiguous.add(name);
    found.set(name, node);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name !== undefined && node.body !== undefined) add(node.name.text, node);
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      const value = ts.isParenthesizedExpression(node.initializer) ? node.initializer.expression : node.initializer;
      if (isFunction(value)) add(node.name.text, value);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const name of ambiguous) found.delete(name);
  return found;
}

const isFunction = (node: ts.Node): node is FunctionNode =>
  ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node);

/** Neither looks at what was thrown nor throws itself: nobody will ever know. */
function losesError({ variableDeclaration, block }: ts.CatchClause): boolean {
  if (contains(block, ts.isThrowStatement)) return false;
  return variableDeclaration === undefined || !usesAny(block, namesOf(variableDeclaration.name));
}

const failureEvents = new Set(['error', 'unhandledRejection', 'unhandledrejection', 'uncaughtException']);
const listening = new Set(['on', 'once', 'addListener', 'prependListener', 'addEventListener']);

/** The function that is given a rejection, or an event of a failure. */
function toHandler(node: ts.Node): ts.Node | undefined {
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    return ts.isPropertyAccessExpression(node.left) && node.left.name.text === 'onerror' ? node.right : undefined;
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { arguments: args, expression } = node;
  const method = expression.name.text;
  if (method === 'catch') return args[0];
  if (method === 'then') return args[1];
  if (!listening.has(method)) return undefined;
  const [event, listener] = args;
  return event !== undefined && ts.isStringLiteral(event) && failureEvents.has(event.text) ? listener : undefined;
}

/** A function that does not look at the error and gives nothing, or a value that was made up. */
function isSilent({ parameters, body }: FunctionNode): boolean {
  if (body === undefined) return false;
  const names = parameters.flatMap(({ name }) => namesOf(name));
  if (usesAny(body, names)) return false;
  if (!ts.isBlock(body)) return isMadeUp(body);
  return body.statements.every(
    (s) => ts.isReturnStatement(s) && (s.expression === undefined || isMadeUp(s.expression)),
  );
}

function isMadeUp(expression: ts.Expression): boolean {
  const value = ts.isParenthesizedExpression(expression) ? expression.expression : expression;
  if (ts.isIdentifier(value)) return value.text === 'undefined';
  if (ts.isObjectLiteralExpression(value)) return value.properties.length === 0;
  if (ts.isArrayLiteralExpression(value)) return value.elements.length === 0;
  return ts.isLiteralExpression(value) || ts.isVoidExpression(value) || isKeyword(value);
}

const isKeyword = ({ kind }: ts.Node): boolean =>
  [ts.SyntaxKind.NullKeyword, ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword].includes(kind);

const isAllSettled = (node: ts.Node): node is ts.CallExpression =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  node.expression.name.text === 'allSettled' &&
  ts.isIdentifier(node.expression.expression) &&
  node.expression.expression.text === 'Promise';

/** Whoever returns the results leaves them to its caller; anybody else has to ask for `reason` or `rejected`. */
function isLookedAt(call: ts.Node): boolean {
  let node = call;
  while (ts.isAwaitExpression(node.parent) || ts.isParenthesizedExpression(node.parent)) node = node.parent;
  const { parent } = node;
  if (ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent.body === node)) return true;
  if (ts.isExpressionStatement(parent) || ts.isVoidExpression(parent)) return false;
  let around: ts.Node = parent;
  while (!isFunction(around) && !ts.isSourceFile(around)) around = around.parent;
  return contains(
    around,
    (part) =>
      (ts.isStringLiteralLike(part) && part.text === 'rejected') ||
      (ts.isPropertyAccessExpression(part) && part.name.text === 'reason') ||
      (ts.isBindingElement(part) && namesOf(part.name).includes('reason')),
  );
}

function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesOf(element.name) : []));
}

const usesAny = (node: ts.Node, names: readonly string[]): boolean =>
  contains(node, (part) => ts.isIdentifier(part) && names.includes(part.text));

function contains(node: ts.Node, fits: (node: ts.Node) => boolean): boolean {
  return fits(node) || ts.forEachChild(node, (child) => contains(child, fits) || undefined) === true;
}
