// Something went wrong: the gateway's sentence, its code small.

import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Problem } from '../rest.ts';

interface ProblemNoteProps {
  readonly problem: Problem;
  readonly tone?: 'bad' | 'warning';
  readonly children?: ReactNode;
}

export function ProblemNote({ problem, tone = 'bad', children }: ProblemNoteProps) {
  return (
    <div className={`note ${tone}`} role="alert">
      <CircleAlert size={17} aria-hidden="true" />
      <div className="note-body">
        <p>
          {problem.message} {problem.code !== null && <code className="error-code">{problem.code}</code>}
        </p>
        {children !== undefined && <div className="note-actions">{children}</div>}
      </div>
    </div>
  );
}
