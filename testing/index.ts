// The one door of `candor/testing`: what Candor's own tests use, for whoever tests agents with it.
// docs/testing-your-agents.md tells it as a story.

// ── The model server that misbehaves on demand ───────────────────────────────────────────────────────────────────────
export * from './upstream/upstream.ts';

// ── Real servers, and a whole Candor over them ───────────────────────────────────────────────────────────────────────
export { startTestServers, type TestServers, type TestServersOptions } from './servers/test-servers.ts';
export type { ServerAddresses } from './servers/variables.ts';
export { createTestCandor, type SayOptions, type TestCandor, type TestCandorOptions } from './candor/test-candor.ts';
export type { EndedTurn, TurnInTest } from './candor/turn-in-test.ts';
export { createChatClient, type ChatClient, type ChatClientOptions } from './candor/chat-client.ts';

// ── Turns whose time is skipped ──────────────────────────────────────────────────────────────────────────────────────
export {
  createTurnRig,
  type Activities,
  type ActivityCall,
  type TurnRig,
  type TurnSetup,
  type TurnUnderTest,
} from './turns/turn-rig.ts';
export { downFor, failing, type ModelCall, type ModelScript } from './turns/model-script.ts';
export { activityFailure, answered, inTurn, judged, ready, streamFailure } from './turns/turn-fakes.ts';
export { loadAgent } from './turns/load-agent.ts';
export { outcomeOf, type Attempt, type TurnOutcome } from './turns/outcome.ts';

// ── Judging what came of it ──────────────────────────────────────────────────────────────────────────────────────────
export {
  checkTranscript,
  violationMeanings,
  type CheckOptions,
  type TranscriptCheck,
  type TranscriptFigures,
  type UpstreamText,
  type Violation,
  type ViolationName,
} from './transcript-checker.ts';
export { upstreamTexts } from './upstream-texts.ts';
export { findBannedSentence } from './banned-sentences.ts';
