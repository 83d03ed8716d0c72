// What the answer names as its sources, and what it names without having been given it.

import { BookOpen, TriangleAlert } from 'lucide-react';
import { citationsOf, unsupportedOf, type Turn } from '../turn.ts';

export function Sources({ turn }: { readonly turn: Turn }) {
  const named = [...new Set(citationsOf(turn).map(({ source }) => source))];
  const unsupported = unsupportedOf(turn);
  if (named.length === 0 && unsupported.length === 0) return null;
  return (
    <ul className="sources" aria-label="Sources" data-testid="sources">
      {named.map((source) => (
        <li key={source} className="chip">
          <BookOpen size={13} aria-hidden="true" />
          {source}
        </li>
      ))}
      {unsupported.map((source) => (
        <li
          key={source}
          className="chip warning"
          title="The answer names this source, but it was not given to the model"
        >
          <TriangleAlert size={13} aria-hidden="true" />
          {source} <span className="chip-note">not in its context</span>
        </li>
      ))}
    </ul>
  );
}
