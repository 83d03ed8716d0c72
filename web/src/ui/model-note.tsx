// The state of the model while it cannot answer yet.

import type { StatusResource } from '../resources.ts';
import { percent } from '../timeline.ts';
import { modelSentence } from '../wording.ts';

interface ModelNoteProps {
  readonly status: StatusResource | null;
}

export function ModelNote({ status }: ModelNoteProps) {
  if (status === null || status.model.state === 'ready') return null;
  const { model } = status;
  const progress = model.state === 'loading' ? (model.progress ?? null) : null;
  return (
    <div className={`note model-note ${model.state === 'loading' ? 'neutral' : 'warning'}`} data-testid="model-note">
      <div className="note-body">
        <p role="status">{modelSentence(model)}</p>
        {model.state === 'loading' && (
          <progress aria-label="Loading the model" max={1} {...(progress === null ? {} : { value: progress })} />
        )}
        <p className="quiet">
          {[progress === null ? null : percent(progress), model.detail]
            .filter((part) => part != null && part !== '')
            .join(' · ')}
        </p>
      </div>
    </div>
  );
}
