// What works on one machine only is found. The names are put together here, because this file is looked at too.

import { describe, expect, test } from '@jest/globals';
import { findPrivateNames } from '../../checks/private-names.ts';

const at = (...folders: string[]): string => ['', ...folders, ''].join('/');
const find = (text: string) => findPrivateNames('a.ts', text);

describe('private names', () => {
  test.each([
    ["the home of a machine's owner", `const dir = '${at('root', 'candor')}';`],
    ['the home of a person', `cd ${at('home', 'ada', 'candor')}`],
    ['the home of a person on macOS', `cd ${at('Users', 'Ada', 'candor')}`],
    ['a registry of packages', `npm i --registry https://registry.${'npmjs'}.org`],
    ['another registry', `https://files.${'pythonhosted'}.org/packages`],
  ])('%s is found, with its line', (_, line) => {
    expect(find(`first\n${line}`)).toEqual([expect.stringMatching(/^a\.ts:2 /)]);
  });

  test.each([
    ['a user of an image', `WORKDIR ${at('home', 'node', 'app')}`],
    ['a path below a variable', `cd "$HOME${at('work')}candor"`],
    ['a relative path', `import '../..${at('work')}a.ts'`],
    ['an address on the web', `https://docs.temporal.io${at('root', 'work')}a`],
  ])('%s passes', (_, line) => {
    expect(find(line)).toEqual([]);
  });
});
