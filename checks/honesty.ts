// The honesty gate: what a user is shown comes from a model, a tool or an error, so nothing in the product may make up a
// sentence or lose an error. Looks at the syntax, not at lines, so that neither a string in a comment nor a comment in
// a string deceives it. An error that is let go on purpose says `Swallowed: <reason>` in a comment right there.

import ts from 'typescript';
import { findBannedSentence } from '../testing/banned-sentences.ts';
import { listFiles } from './files.ts';
import type { Step } from './step.ts';

const reasoned = /\bSwallowed: \S+(?: \S+){2,}/;

/** Problems of one file, each with its line. */
export function findDishonesty(path: string, code: string): readonly string[] {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, kind);
  const problems: string[] = [];
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line;
  const report = (node: ts.Node, problem: string): void => {
    problems.push(`${path}:${lineOf(node) + 1} ${problem}`);
  };
  const lines = code.split('\n');
  /** The comment stands on the line before, or anywhere up to the end of the node. */
  const hasReason = (node: ts.Node): boolean => {
    const last = file.getLineAndCharacterOfPosition(node.getEnd()).line;
    return reasoned.test(lines.slice(Math.max(0, lineOf(node) - 1), last + 1).join('\n'));
  };

  const visit = (node: ts.Node): void => {
    if (ts.isCatchClause(node) && losesError(node) && !hasReason(node)) report(node, 'a catch that loses its error');
    const handler = ts.isCallExpression(node) ? toRejectionHandler(node) : undefined;
    if (handler !== undefined && isSilent(handler) && !hasReason(handler)) report(handler, 'a rejection that is lost');
    if (isText(node)) {
      const found = findBannedSentence(node.text);
      if (found !== null) report(node, `a sentence that nobody said: «${found}»`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return problems;
}

const isText = (node: ts.Node): node is ts.Node & { readonly text: string } =>
  ts.isStringLiteralLike(node) ||
  ts.isJsxText(node) ||
  ts.isTemplateHead(node) ||
  ts.isTemplateMiddle(node) ||
  ts.isTemplateTail(node);

/** Neither looks at what was thrown nor throws itself: nobody will ever know. */
function losesError({ variableDeclaration, block }: ts.CatchClause): boolean {
  if (contains(block, ts.isThrowStatement)) return false;
  const name = variableDeclaration?.name;
  if (name === undefined) return true;
  const names = ts.isIdentifier(name)
    ? [name.text]
    : name.elements.flatMap((element) =>
        ts.isBindingElement(element) && ts.isIdentifier(element.name) ? [element.name.text] : [],
      );
  return !contains(block, (node) => ts.isIdentifier(node) && names.includes(node.text));
}

/** The function that is given a rejection, or an `error` event. */
function toRejectionHandler({ expression, arguments: args }: ts.CallExpression): ts.Node | undefined {
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  switch (expression.name.text) {
    case 'catch':
      return args[0];
    case 'then':
      return args[1];
    case 'on':
    case 'once':
    case 'addEventListener': {
      const [event, listener] = args;
      return event !== undefined && ts.isStringLiteral(event) && event.text === 'error' ? listener : undefined;
    }
    default:
      return undefined;
  }
}

/** A function that takes no error and gives nothing, or a value that was made up. */
function isSilent(handler: ts.Node): boolean {
  if (!ts.isArrowFunction(handler) && !ts.isFunctionExpression(handler)) return false;
  const { parameters, body } = handler;
  if (parameters.some(({ name }) => ts.isIdentifier(name) && !name.text.startsWith('_'))) return false;
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

function contains(node: ts.Node, fits: (node: ts.Node) => boolean): boolean {
  return fits(node) || ts.forEachChild(node, (child) => contains(child, fits) || undefined) === true;
}

export const honesty = (root: string): Step => ({
  name: 'honesty',
  async run() {
    const files = (await listFiles(root)).filter(({ path }) => /^(src|web)\/.*\.tsx?$/.test(path));
    return (await Promise.all(files.map(async (file) => findDishonesty(file.path, await file.read())))).flat();
  },
});
