// Reads the table of error codes out of PROTOCOL.md: the rows whose first cell is a code and whose fifth is a status.

export interface ErrorRow {
  readonly code: string;
  readonly source: string;
  readonly meaning: string;
  readonly retryable: boolean;
  readonly httpStatus: number;
  readonly closeCode: number | null;
}

const rowPattern = /^\| `(\w+)` \| (\w+) \| (.+?) \| (yes|no) \| (\d{3}) \| (\d{4}|–) \|$/gm;

export function parseErrorTable(markdown: string): ErrorRow[] {
  return [...markdown.matchAll(rowPattern)].map(([, code = '', source = '', meaning = '', again, status, close]) => ({
    code,
    source,
    meaning,
    retryable: again === 'yes',
    httpStatus: Number(status),
    closeCode: close === '–' ? null : Number(close),
  }));
}
