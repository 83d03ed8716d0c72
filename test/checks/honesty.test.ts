// The honesty gate catches what it is there for, and lets honest code pass.

import { describe, expect, test } from '@jest/globals';
import { findDishonestWords, findDishonesty } from '../../checks/honesty.ts';

const find = (code: string, path = 'src/planted.ts') =>
  findDishonesty(path, code).map((problem) => problem.replace(/^\S+ /, ''));
const lostCatch = ['a catch that loses its error'];
const lostRejection = ['a rejection that is lost'];
const lostRejections = ['rejections that nobody looks at'];

describe('an error that is lost', () => {
  test.each<[string, string, string[]]>([
    ['an empty catch', 'try { a(); } catch {}', lostCatch],
    ['a catch with a comment that gives no reason', 'try { a(); } catch {\n  // ignored\n}', lostCatch],
    ['invented data', 'async () => { try { return await a(); } catch { return {}; } };', lostCatch],
    ['an error that is named and not looked at', 'try { a(); } catch (error) { b(); }', lostCatch],
    ['a destructured error that is not looked at', 'try { a(); } catch ({ message }) { b(); }', lostCatch],
    ['.catch to undefined', 'a().catch(() => undefined);', lostRejection],
    ['.catch to null', 'a().catch(() => null);', lostRejection],
    ['.catch to an empty object', 'a().catch(() => ({}));', lostRejection],
    ['.catch to an empty list', 'a().catch(() => []);', lostRejection],
    ['.catch to an empty text', "a().catch(() => '');", lostRejection],
    ['.catch to nothing', 'a().catch(() => {});', lostRejection],
    ['.catch with an unused argument', 'a().catch((_error) => { return false; });', lostRejection],
    ['.catch with a function expression', 'a().catch(function () { return; });', lostRejection],
    ['the second argument of .then', 'a().then(b, () => undefined);', lostRejection],
    ['a listener of errors that does nothing', "a.on('error', () => undefined);", lostRejection],
    ['a listener of rejections that does nothing', "process.on('unhandledRejection', () => {});", lostRejection],
    ['onerror that does nothing', 'socket.onerror = () => {};', lostRejection],
    ['a parameter that nobody looks at', 'a().catch((error) => undefined);', lostRejection],
    ['a handler by its name', 'const ignore = () => undefined;\na().catch(ignore);', lostRejection],
    ['a function by its name', 'a().catch(noop);\nfunction noop(): void {}', lostRejection],
    ['a listener by its name', "const noop = (error: Error) => {};\na.on('error', noop);", lostRejection],
    ['settled promises that nobody waits for', 'void Promise.allSettled(all);', lostRejections],
    ['settled promises whose results are dropped', 'async () => { await Promise.allSettled(all); };', lostRejections],
    [
      'settled promises of which only the good ones are taken',
      "async () => { const all = await Promise.allSettled(b); return all.filter((r) => r.status === 'fulfilled'); };",
      lostRejections,
    ],
    ['a reason that is too short to be one', '// Swallowed: why not\na().catch(() => undefined);', lostRejection],
  ])('%s is found', (_, code, problems) => {
    expect(find(code)).toEqual(problems);
  });

  test.each([
    ['an error that is passed on', 'try { a(); } catch (error) { b(error); }'],
    ['an error that is thrown as another', "try { a(); } catch { throw new Error('unable to a'); }"],
    ['an error that decides', 'try { a(); } catch (error) { if (!isGone(error)) throw error; }'],
    ['a handler that looks at the error', 'a().catch((error) => { log(error); });'],
    ['a handler that does something', 'a().catch(() => stop());'],
    ['a listener of something else', "a.on('close', () => undefined);"],
    ['a reason in the block', 'try { a(); } catch {\n  // Swallowed: a page of a proxy is no JSON.\n}'],
    ['a reason on the line before', '// Swallowed: the watchdog was killed itself.\na().catch(() => undefined);'],
    ['a handler by its name that looks at the error', 'const tell = (e) => log(e);\na().catch(tell);'],
    ['a handler by its name that does something', 'const stop = () => end();\na().catch(stop);'],
    ['a handler from elsewhere', "import { tell } from './tell.ts';\na().catch(tell);"],
    [
      'a name that stands for two functions',
      'f(() => { const t = () => {}; });\nconst t = (e) => log(e);\na().catch(t);',
    ],
    [
      'a reason at the function that is named',
      '// Swallowed: said where it happened.\nconst ignore = () => undefined;\na().catch(ignore);',
    ],
    [
      'settled promises whose reasons are told',
      'async () => { for (const r of await Promise.allSettled(b)) log(r.reason); };',
    ],
    ['settled promises that are given to the caller', 'const settle = (all) => Promise.allSettled(all);'],
    ['the words in a string', "const text = 'try { } catch { }';"],
  ])('%s passes', (_, code) => {
    expect(find(code)).toEqual([]);
  });
});

describe('a sentence that nobody said', () => {
  test.each([
    ["const text = 'I apologize for the inconvenience.';", 'I apologize'],
    ["const text = `I'm sorry, ${name}`;", "I'm sorry"],
    ["return { answer: 'Something went wrong' };", 'Something went wrong'],
    ["answer ||= 'No response received from the model';", 'No response received'],
    ["const text = 'Please try again in a minute';", 'Please try again'],
    ['const text = `${name}: I cannot answer that`;', 'I cannot answer'],
    ["const fallbackText = 'default answer';", 'default answer'],
  ])('%s is found', (code, said) => {
    expect(find(code)).toEqual([`a sentence that nobody said: «${said}»`]);
  });

  test('is found in markup', () => {
    expect(find('const page = <p>Oops, something went wrong</p>;', 'web/src/planted.tsx')).toHaveLength(1);
  });

  test('is not found in a comment: it reaches nobody', () => {
    expect(find('// What went wrong, sorry, we apologize.\nconst a = 1;')).toEqual([]);
  });

  test('is told with its line', () => {
    expect(findDishonesty('src/a.ts', "const a = 1;\nconst b = 'we apologise';\n")).toEqual([
      'src/a.ts:2 a sentence that nobody said: «we apologise»',
    ]);
  });
});

describe('what the models are told', () => {
  test.each([
    ['agents/kind.md', 'If you do not know, apologise first.', 'apologise'],
    ['agents/kind.md', 'Then say that you are sorry.', 'say that you are sorry'],
    ['agents/kind.md', 'Answer: Something went wrong.', 'Something went wrong'],
    ['knowledge/faq.md', 'Tell the user: please try again.', 'please try again'],
    ['web/index.html', '<noscript>Something went wrong</noscript>', 'Something went wrong'],
  ])('%s: «%s» is found', (path, text, said) => {
    expect(findDishonestWords(path, `first line\n${text}\n`)).toEqual([
      `${path}:2 a sentence that nobody said: «${said}»`,
    ]);
  });

  test('may ask for an honest «not known»', () => {
    expect(
      findDishonestWords('agents/plain.md', 'If the context does not say it, reply: The runbooks do not say this.'),
    ).toEqual([]);
  });
});
