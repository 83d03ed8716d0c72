// All activities of a worker, built from what they need.

import type { AuditActivities, TurnActivities } from '../protocol/activities.ts';
import type {
  AuditGraph,
  LanguageModel,
  LiveLane,
  ModelReadiness,
  ReceiptSigner,
  TurnGraph,
} from '../protocol/ports.ts';
import type { TierPolicies } from '../protocol/tiers.ts';
import type { CallMetrics } from './call-metrics.ts';
import { countCalls } from './counted-stream.ts';
import { createAnalyze } from './audit/analyze.ts';
import { createCallLlm } from './audit/call-llm.ts';
import { createEnqueueRecord } from './audit/enqueue-record.ts';
import { createHandedOver } from './handed-over.ts';
import { createRetrieveAgent } from './retrieve-agent.ts';
import { createSignReceipt } from './sign-receipt.ts';
import { createStoreConversation } from './store-conversation.ts';
import { createStream } from './stream.ts';
import type { TurnReader } from './turn-reading.ts';

export interface ActivityDependencies {
  readonly graph: TurnGraph & AuditGraph;
  readonly reader: TurnReader;
  readonly lane: LiveLane;
  readonly model: LanguageModel;
  readonly defaultModel: string;
  readonly auditor: LanguageModel;
  readonly auditModel: string;
  readonly readiness: ModelReadiness;
  readonly signer: ReceiptSigner;
  readonly tiers: TierPolicies;
  readonly calls: CallMetrics;
}

export function createActivities(dependencies: ActivityDependencies): TurnActivities & AuditActivities {
  const handedOver = createHandedOver();
  return {
    retrieveAgent: createRetrieveAgent({ ...dependencies, handedOver }),
    stream: countCalls(createStream({ ...dependencies, handedOver }), dependencies.calls),
    signReceipt: createSignReceipt(dependencies),
    storeConversation: createStoreConversation(dependencies),
    analyze: createAnalyze(dependencies),
    callLlm: createCallLlm(dependencies),
    enqueueRecord: createEnqueueRecord(dependencies),
  };
}
