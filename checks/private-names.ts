// Nothing in the repository may work on one machine only, or tell about it: no path of somebody's home, no address of a
// package registry (those are reached through their clients, so that everybody's own mirror is used).

import { listFiles } from './files.ts';
import type { Step } from './step.ts';

// Written in pieces: this file is looked at too.
const host = (...labels: string[]): string => labels.join('\\.');
const registries = [
  host('registry', '(npmjs|yarnpkg)', '(org|com)'),
  host('pypi', 'org'),
  host('files', 'pythonhosted', 'org'),
  host('repo1?', 'maven', '(apache', 'org|org)'),
  host('(deb|security|ftp)', 'debian', 'org'),
  host('(proxy|sum)', 'golang', 'org'),
];
const folders = ['root', 'work', 'home/(?!u\\b|node\\b|user\\b)[a-z]', 'Users/(?!u\\b|user\\b)[A-Za-z]', 'tmp/bash'];

const patterns: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`\\b(${registries.join('|')})\\b`), 'the host of a package registry; use its client'],
  [new RegExp(`(?<![\\w.$}/*-])/(${folders.join('|')})(?=[/a-z])`), 'a path of one machine'],
  [/\/\/(?:localhost|127\.0\.0\.1):\d+\/(?:npm|pypi|simple|maven)/, 'a mirror of one machine'],
];

/** Each with its line. */
export function findPrivateNames(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) =>
    patterns.flatMap(([pattern, problem]) => {
      const found = pattern.exec(line);
      return found === null ? [] : [`${path}:${index + 1} ${problem}: ${found[0]}`];
    }),
  );
}

const binary = /\.(png|jpg|gif|ico|woff2?|pdf|gz|zip)$/;

export const privateNames = (root: string): Step => ({
  name: 'machine',
  async run() {
    const files = (await listFiles(root)).filter(({ path }) => !binary.test(path));
    return (await Promise.all(files.map(async (file) => findPrivateNames(file.path, await file.read())))).flat();
  },
});
