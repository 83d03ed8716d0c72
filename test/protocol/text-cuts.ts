// Where a text may be cut: between UTF-16 units, never inside a surrogate pair.

export function boundaries(text: string): number[] {
  const cuts = [0];
  for (const point of text) cuts.push((cuts.at(-1) ?? 0) + point.length);
  return cuts;
}
