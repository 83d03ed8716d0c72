// Reads the table of error codes out of PROTOCOL.md: the rows whose first cell is a code and whose fourth is a status.

export interface ErrorRow {
  readonly code: string;
  readonly meaning: string;
  readonly retryable: boolean;
  readonly httpStatus: number;
  readonly closeCode: number | null;
}

const rowPattern = /^\| `(\w+)` \| (.+?) \| (yes|no) \| (\d{3}) \| (\d{4}|–) \|$/gm;

export function parseErrorTable(markdown: string): ErrorRow[] {
  return [...markdown.matchAll(rowPattern)].map(([, code = '', meaning = '', again, status, close]) => ({
    code,
    meaning,
    retryable: again === 'yes',
    httpStatus: Number(status),
    closeCode: close === '–' ? null : Number(close),
  }));
}
