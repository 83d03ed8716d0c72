// The honesty gate: what a user is shown comes from a model, a tool or an error, so nothing in the product may make up a
// sentence or lose an error. Looks at the syntax, not at lines, so that neither a string in a comment nor a comment in
// a string deceives it. An error that is let go on purpose says `Swallowed: <reason>` in a comment right there. What
// the models are told is looked at too: a prompt that asks for a sentence is where the sentence comes from.

import ts from 'typescript';
import { findBannedSentence } from '../testing/banned-sentences.ts';
import { listFiles, type ProjectFile } from './files.ts';
import { findLostError, listFunctions } from './lost-errors.ts';
import type { Step } from './step.ts';

const reasoned = /\bSwallowed: \S+(?: \S+){2,}/;

/** Problems of one source file, each with its line. */
export function findDishonesty(path: string, code: string): readonly string[] {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, kind);
  const functions = listFunctions(file);
  const problems: string[] = [];
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line;
  const report = (node: ts.Node, problem: string): void => {
    problems.push(`${path}:${lineOf(node) + 1} ${problem}`);
  };
  const lines = code.split('\n');
  /** The comment stands on the lines before, or anywhere up to the end of the node. */
  const hasReason = (node: ts.Node): boolean => {
    let first = lineOf(node);
    do first -= 1;
    while (first > 0 && /^\s*\/\//.test(lines[first] ?? '') && /^\s*\/\//.test(lines[first - 1] ?? ''));
    const last = file.getLineAndCharacterOfPosition(node.getEnd()).line;
    return reasoned.test(lines.slice(Math.max(0, first), last + 1).join('\n'));
  };

  const visit = (node: ts.Node): void => {
    const lost = findLostError(node, functions);
    if (lost !== null && !lost.reasonAt.some(hasReason)) report(lost.node, lost.problem);
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

/** In a prompt it is enough to ask for it. */
const asksForApology = /\bapolog(?:i[sz]e|y|ies)\b|\bsay (?:that you are |you are )?sorry\b/i;

/** Problems of a prompt, of a document that enters prompts, or of a page, each with its line. */
export function findDishonestWords(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const found = findBannedSentence(line) ?? asksForApology.exec(line)?.[0];
    return found === undefined ? [] : [`${path}:${index + 1} a sentence that nobody said: «${found}»`];
  });
}

const isSource = (path: string): boolean => /^(src|web)\/.*\.tsx?$/.test(path);
const isWords = (path: string): boolean => /^((agents|knowledge)\/.*\.md|web\/.*\.html)$/.test(path);

export const honesty = (root: string): Step => ({
  name: 'honesty',
  async run() {
    const judge = async ({ path, read }: ProjectFile): Promise<readonly string[]> => {
      if (isSource(path)) return findDishonesty(path, await read());
      return isWords(path) ? findDishonestWords(path, await read()) : [];
    };
    return (await Promise.all((await listFiles(root)).map(judge))).flat();
  },
});
