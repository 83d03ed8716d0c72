// Which addresses of a model's text may become links.

const schemes = new Set(['http:', 'https:', 'mailto:']);

/** The address itself, or an empty text for one that would run code, open another program, or lead into this page. */
export function safeAddress(address: string): string {
  if (!URL.canParse(address)) return '';
  return schemes.has(new URL(address).protocol) ? address : '';
}
