// Dead links and unexplained variables are found, live ones are not.

import { describe, expect, test } from '@jest/globals';
import { findDeadLinks, findUnexplained } from '../../checks/documents.ts';

const paths = ['README.md', 'docs/operations.md', 'docs/adr/0001-first.md', 'src/cli.ts'];
const find = (path: string, text: string) =>
  findDeadLinks(
    [
      { path, text },
      { path: 'docs/operations.md', text: '# Operations\n\n## Back-up & restore\n\n## Ports\n\n## Ports\n' },
    ],
    paths,
  );

describe('a link', () => {
  test.each([
    ['a file', '[a](docs/operations.md)'],
    ['a folder', '[a](docs/adr/)'],
    ['a source', '[a](src/cli.ts)'],
    ['a heading of another page', '[a](docs/operations.md#back-up--restore)'],
    ['the second heading of a name', '[a](docs/operations.md#ports-1)'],
    ['a heading of its own', '# First\n\n[a](#first)'],
    ['another site', '[a](https://example.com/none)'],
    ['code', '`[a](none.md)`'],
  ])('to %s passes', (_, text) => {
    expect(find('README.md', text)).toEqual([]);
  });

  test.each([
    ['a file that is not there', 'text\n\n[a](none.md)', 'README.md:3 leads to none.md, which is not there'],
    ['a picture that is not there', '![a](docs/a.png)', 'README.md:1 leads to docs/a.png, which is not there'],
    ['a definition that is not there', '[a]\n\n[a]: none.md', 'README.md:3 leads to none.md, which is not there'],
    ['a heading that is not there', '[a](docs/operations.md#none)', expect.stringContaining('no such heading')],
  ])('to %s is found', (_, text, problem) => {
    expect(find('README.md', text)).toEqual([problem]);
  });

  test('counts from its own folder', () => {
    expect(find('docs/adr/0001-first.md', '[a](../operations.md) [b](operations.md)')).toHaveLength(1);
  });
});

test('a variable that no document names is found; a part of another name is no mention', () => {
  const documents = [{ path: 'README.md', text: '`NEO4J_PORT` and `TEMPORAL_PORT`' }];
  expect(findUnexplained(['PORT', 'NEO4J_PORT'], documents)).toEqual(['PORT is not documented']);
});
