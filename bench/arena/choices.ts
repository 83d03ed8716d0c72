// Who is measured beside whom. Rivals run in one process, their best case: nothing of theirs crosses a process but what
// goes to Temporal.

import type { ArmChoice } from './arena.ts';

export const candor = { name: 'Candor, one process', lane: 'memory', processes: 1 } satisfies ArmChoice;
export const candorRedis = {
  name: 'Candor, gateway + Redis + worker',
  lane: 'redis',
  processes: 2,
} satisfies ArmChoice;
export const rival = {
  name: 'workflow-streams, 200 ms as documented',
  lane: 'workflow-streams',
  processes: 1,
} satisfies ArmChoice;
export const rivalDefault = {
  name: 'workflow-streams, its default of 2 s',
  lane: 'workflow-streams, default',
  processes: 1,
} satisfies ArmChoice;

export const isCandor = ({ name }: Pick<ArmChoice, 'name'>): boolean => name.startsWith('Candor');
