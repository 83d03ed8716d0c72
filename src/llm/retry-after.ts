// How long a backend asks to be left alone. Vendors say it in three ways; a value that cannot be read is no request.

/** Milliseconds from `nowMs` on, at least 0; `null` when the headers ask for nothing readable. */
export function parseRetryAfter(headers: Headers, nowMs: number): number | null {
  const exact = toNumber(headers.get('retry-after-ms'));
  if (exact !== null) return Math.round(exact);
  const value = headers.get('retry-after');
  const seconds = toNumber(value);
  if (seconds !== null) return Math.round(seconds * 1_000);
  const dateMs = value === null ? Number.NaN : Date.parse(value);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}

function toNumber(value: string | null): number | null {
  return value !== null && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : null;
}
