// Reads the text format of Prometheus as a scraper does: each series by its name and labels.

export interface Figures {
  /** 0 for a series that is not there yet. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  /** Every series of this name, by its labels as they stand in the text. */
  series(name: string): ReadonlyMap<string, number>;
}

export function parseFigures(text: string): Figures {
  const all = new Map<string, Map<string, number>>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_0-9]+)(?:\{([^}]*)\})? (\S+)$/i.exec(line);
    if (match === null || line.startsWith('#')) continue;
    const [, name = '', labels = '', value = ''] = match;
    const series = all.get(name) ?? new Map<string, number>();
    all.set(name, series.set(labels, Number(value)));
  }
  const series = (name: string): ReadonlyMap<string, number> => all.get(name) ?? new Map<string, number>();
  return {
    series,
    value(name, labels = {}) {
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      const found = [...series(name)].filter(([own]) => wanted.every((one) => own.split(',').includes(one)));
      return found.reduce((sum, [, value]) => sum + value, 0);
    },
  };
}
