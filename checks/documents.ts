// Documents that lead nowhere are worse than none: every relative link resolves, to the heading it names, every
// variable of the configuration is explained, and published figures are those that were measured.

import { dirname, join, normalize } from 'node:path';
import GithubSlugger from 'github-slugger';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { toString } from 'mdast-util-to-string';
import { benchmarks } from '../bench/main.ts';
import { findStalePages } from '../bench/pages.ts';
import { listSettings } from '../src/config/settings.ts';
import { listFiles } from './files.ts';
import type { Step } from './step.ts';

interface MarkdownNode {
  readonly type: string;
  readonly url?: string;
  readonly position?: { readonly start: { readonly line: number } } | undefined;
  readonly children?: readonly MarkdownNode[];
}

interface Document {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

/**
 * @param paths every file of the project
 * @returns links of `documents` that lead nowhere, each with its line
 */
export function findDeadLinks(documents: readonly Document[], paths: readonly string[]): readonly string[] {
  const folders = paths.flatMap((path) => path.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/')));
  const known = new Set([...paths, ...folders]);
  const trees = new Map(documents.map(({ path, text }) => [path, fromMarkdown(text) as MarkdownNode]));
  const headings = new Map([...trees].map(([path, tree]) => [path, toAnchors(tree)]));
  return [...trees].flatMap(([from, tree]) =>
    flatten(tree).flatMap(({ url, position }) => {
      if (url === undefined || /^([a-z]+:|\/\/)/i.test(url)) return [];
      const [file = '', anchor] = decodeURI(url).split('#');
      const target =
        file === ''
          ? from
          : normalize(join(dirname(from), file))
              .replace(/\/$/, '')
              .replace(/^\.$/, '');
      const where = `${from}:${position?.start.line ?? 0}`;
      if (!known.has(target)) return [`${where} leads to ${url}, which is not there`];
      const anchors = headings.get(target);
      if (anchor === undefined || anchors === undefined || anchors.has(anchor)) return [];
      return [`${where} leads to ${url}; ${target} has no such heading`];
    }),
  );
}

function toAnchors(tree: MarkdownNode): ReadonlySet<string> {
  const slugger = new GithubSlugger();
  return new Set(
    flatten(tree)
      .filter(({ type }) => type === 'heading')
      .map((heading) => slugger.slug(toString(heading))),
  );
}

const flatten = (node: MarkdownNode): readonly MarkdownNode[] => [node, ...(node.children ?? []).flatMap(flatten)];

/** Variables that no document explains in a row or a sentence of its own. */
export function findUnexplained(variables: readonly string[], documents: readonly Document[]): readonly string[] {
  const text = documents.map((document) => document.text).join('\n');
  return variables.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)).map((name) => `${name} is not documented`);
}

export const documents = (root: string): Step => ({
  name: 'docs',
  async run() {
    const files = await listFiles(root);
    const load = (pattern: RegExp): Promise<readonly Document[]> =>
      Promise.all(
        files.filter(({ path }) => pattern.test(path)).map(async ({ path, read }) => ({ path, text: await read() })),
      );
    const pages = await load(/^([A-Z]+\.md|docs\/.*\.md)$/);
    const example = await load(/^candor\.example\.toml$/);
    const variables = listSettings().map(({ setting }) => setting.variable);
    const paths = files.map(({ path }) => path);
    const names = benchmarks.map(({ name }) => name);
    return [
      ...findDeadLinks(pages, paths),
      ...findUnexplained(variables, [...pages, ...example]),
      ...(await findStalePages(root, names)),
    ];
  },
});
