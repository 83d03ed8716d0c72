// Where the product makes errors: every place in src that builds one with a code written out, and the facts that it
// gives for the sentence. By the syntax of the files, so that neither a comparison nor a list of codes counts.

import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface MadeError {
  readonly code: string;
  /** `src/…ts:12`. */
  readonly where: string;
  /** Names of the facts; `null` when they are not written out there. */
  readonly facts: readonly string[] | null;
}

/** Which argument is the code, which has the facts, and which facts the function adds itself. */
const makers: Readonly<Record<string, { readonly code: number; readonly options: number; readonly adds: string[] }>> = {
  CandorError: { code: 0, options: 1, adds: [] },
  toErrorInfo: { code: 0, options: 1, adds: [] },
  toModelError: { code: 1, options: 2, adds: ['model', 'backend'] },
};

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param isCode tells a verdict's `code` from any other field of that name */
export async function findMadeErrors(isCode: (text: string) => boolean): Promise<readonly MadeError[]> {
  const names = await readdir(join(root, 'src'), { recursive: true });
  const paths = names.filter((name) => name.endsWith('.ts') && name !== join('protocol', 'errors.ts'));
  const found = await Promise.all(
    paths.map(async (name) => {
      const path = join(root, 'src', name);
      const text = await readFile(path, 'utf8');
      return findInFile(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true), isCode);
    }),
  );
  return found.flat();
}

function findInFile(file: ts.SourceFile, isCode: (text: string) => boolean): MadeError[] {
  const made: MadeError[] = [];
  const add = (node: ts.Node, code: string, facts: readonly string[] | null): void => {
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    made.push({ code, where: `${relative(root, file.fileName)}:${line}`, facts });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const name = node.expression.getText(file).split('.').at(-1) ?? '';
      const maker = Object.hasOwn(makers, name) ? makers[name] : undefined;
      const args = node.arguments ?? [];
      if (maker !== undefined) {
        const facts = readFacts(args[maker.options], file);
        for (const code of literalsOf(args[maker.code])) add(node, code, facts && [...facts, ...maker.adds]);
      }
      // What a workflow throws itself: its type is the code, its message is the reason.
      if (/ApplicationFailure\.(nonRetryable|retryable)$/.test(node.expression.getText(file))) {
        for (const code of literalsOf(args[1])) add(node, code, ['reason']);
      }
    }
    // A verdict about a backend's status, which toModelError makes an error of.
    if (ts.isObjectLiteralExpression(node) && /src\/llm\//.test(file.fileName)) {
      for (const code of literalsOf(valueOf(node, 'code', file)).filter(isCode)) {
        const facts = readFacts(node, file);
        add(node, code, facts && [...facts, 'model', 'backend']);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return made;
}

function literalsOf(node: ts.Node | undefined): string[] {
  if (node === undefined) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literalsOf(node.whenTrue), ...literalsOf(node.whenFalse)];
  return [];
}

/** Names of the properties of `facts`; none when there is no such property. */
function readFacts(options: ts.Node | undefined, file: ts.SourceFile): readonly string[] | null {
  if (options === undefined) return [];
  if (!ts.isObjectLiteralExpression(options)) return null;
  if (options.properties.some(ts.isSpreadAssignment) && valueOf(options, 'facts', file) === undefined) return null;
  const facts = valueOf(options, 'facts', file);
  if (facts === undefined) return [];
  if (!ts.isObjectLiteralExpression(facts) || facts.properties.some(ts.isSpreadAssignment)) return null;
  return facts.properties.flatMap(({ name }) => (name === undefined ? [] : [name.getText(file)]));
}

/** The value of a property, a shorthand one followed to the variable that it names. */
function valueOf(object: ts.ObjectLiteralExpression, name: string, file: ts.SourceFile): ts.Node | undefined {
  for (const property of object.properties) {
    if (property.name?.getText(file) !== name) continue;
    if (ts.isPropertyAssignment(property)) return property.initializer;
    if (ts.isShorthandPropertyAssignment(property)) return initializerOf(name, property);
  }
  return undefined;
}

function initializerOf(name: string, from: ts.Node): ts.Node {
  for (let scope: ts.Node = from; !ts.isSourceFile(scope); scope = scope.parent) {
    if (!ts.isBlock(scope)) continue;
    for (const statement of scope.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      const found = statement.declarationList.declarations.find((d) => ts.isIdentifier(d.name) && d.name.text === name);
      if (found?.initializer !== undefined) return found.initializer;
    }
  }
  return from;
}
