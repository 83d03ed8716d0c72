// A link in an answer leads to a web page or a mail, never into a program or back into this page.

import { expect, test } from '@jest/globals';
import { safeAddress } from '../../web/src/safe-address.ts';

test.each(['https://example.org/a?b#c', 'http://127.0.0.1:8233/', 'mailto:someone@example.org', 'HTTPS://EXAMPLE.ORG'])(
  '%s stays',
  (address) => expect(safeAddress(address)).toBe(address),
);

test.each([
  'javascript:alert(1)',
  ' JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:http://127.0.0.1/x',
  '/api/session',
  '//example.org/x',
  '#code=stolen',
  '',
])('%s goes', (address) => expect(safeAddress(address)).toBe(''));
