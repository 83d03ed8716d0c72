// The honesty gate catches what it is there for, and lets honest code pass.

import { describe, expect, test } from '@jest/globals';
import { findDishonesty } from '../../checks/honesty.ts';

const find = (code: string, path = 'src/planted.ts') =>
  findDishonesty(path, code).map((problem) => problem.replace(/^\S+ /, ''));
const lostCatch = ['a catch that loses its error'];
const lostRejection = ['a rejection that is lost'];

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
