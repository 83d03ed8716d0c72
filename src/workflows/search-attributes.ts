// Typed keys of the search attributes. Worker and gateway check at start that the server knows them: an unknown one
// would retry the workflow task without end.

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const outcomeKey = defineSearchAttributeKey('CandorOutcome', SearchAttributeType.KEYWORD);
export const errorCodeKey = defineSearchAttributeKey('CandorErrorCode', SearchAttributeType.KEYWORD);
export const auditVerdictKey = defineSearchAttributeKey('CandorAuditVerdict', SearchAttributeType.KEYWORD);
export const auditConfidenceKey = defineSearchAttributeKey('CandorAuditConfidence', SearchAttributeType.DOUBLE);
