// A row of the screen as data: what is said, and in which role. How a role looks is the theme's; escape sequences are made
// in one place, from nothing that came over the wire.

import { styleText } from 'node:util';
import { columnsOf } from '../text/width.ts';

export type Role =
  'strong' | 'emphasis' | 'deleted' | 'code' | 'heading' | 'link' | 'quiet' | 'good' | 'warning' | 'bad' | 'accent';

export interface Span {
  readonly text: string;
  readonly roles: readonly Role[];
}

export type Row = readonly Span[];

export const span = (text: string, ...roles: readonly Role[]): Span => ({ text, roles });
export const row = (text: string, ...roles: readonly Role[]): Row => (text === '' ? [] : [span(text, ...roles)]);
export const plainOf = (line: Row): string => line.map(({ text }) => text).join('');
export const rowColumns = (line: Row): number => line.reduce((sum, { text }) => sum + columnsOf(text), 0);

/** Turns a row into what is written to the terminal. */
export type Paint = (line: Row) => string;

type Format = Parameters<typeof styleText>[0];

const colored: Readonly<Record<Role, Format>> = {
  strong: 'bold',
  emphasis: 'italic',
  deleted: 'strikethrough',
  code: 'cyan',
  heading: ['bold', 'magenta'],
  link: ['underline', 'blue'],
  quiet: 'gray',
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  accent: 'cyan',
};

/** Without colors the terminal still has weight and lines. */
const uncolored: Readonly<Record<Role, Format | null>> = {
  strong: 'bold',
  emphasis: 'italic',
  deleted: 'strikethrough',
  code: null,
  heading: 'bold',
  link: 'underline',
  quiet: 'dim',
  good: null,
  warning: 'bold',
  bad: 'bold',
  accent: null,
};

export const createPaint = ({ color }: { readonly color: boolean }): Paint => {
  const theme: Readonly<Record<Role, Format | null>> = color ? colored : uncolored;
  return (line) => line.map((part) => paintSpan(part, theme)).join('');
};

const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function paintSpan({ text, roles }: Span, theme: Readonly<Record<Role, Format | null>>): string {
  // The last line of defence: a character reference of markdown, or a field that nobody filtered, ends here.
  const safe = text.replaceAll(control, '\ufffd');
  const formats = roles.flatMap((role) => theme[role] ?? []);
  return formats.length === 0 || safe === '' ? safe : styleText(formats, safe, { validateStream: false });
}
