// The time-skipping server cannot list search attributes, so production's own check does not run on it; it takes new ones.

import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { searchAttributes } from '../../src/protocol/turn.ts';

const { INDEXED_VALUE_TYPE_KEYWORD, INDEXED_VALUE_TYPE_DOUBLE } = proto.temporal.api.enums.v1.IndexedValueType;

export async function registerSearchAttributes({ operatorService }: Connection): Promise<void> {
  const types = Object.entries(searchAttributes).map(([name, type]) => [
    name,
    type === 'Keyword' ? INDEXED_VALUE_TYPE_KEYWORD : INDEXED_VALUE_TYPE_DOUBLE,
  ]);
  await operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(types) as Record<string, number>,
  });
}
