import { expect, test } from '@jest/globals';
import { parseFlags } from '../../../src/parts/model-server/flags.ts';

const needed = ['--model', 'm.gguf', '--port', '0', '--alias', 'local', '--llama', 'dir'];

test('the flags have defaults for two parallel requests of 8,192 tokens', () => {
  expect(parseFlags(needed, 2)).toEqual({
    modelFile: 'm.gguf',
    port: 0,
    alias: 'local',
    llamaDirectory: 'dir',
    contextTokens: 8192,
    parallel: 2,
    queueLimit: 16,
    threads: 2,
  });
});

test.each([
  [needed.slice(2), '--model is missing'],
  [[...needed, '--parallel', '0'], '--parallel must be a whole number from 1 to 16, found "0"'],
  [[...needed, '--context', '1e3'], '--context must be a whole number'],
  [[...needed, '--colour', 'red'], "Unknown option '--colour'"],
])('a wrong flag is named: %j', (args, message) => {
  expect(() => parseFlags(args, 2)).toThrow(message);
});
