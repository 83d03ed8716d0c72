// What the gateway is built from. Ports and values only; adapters are chosen in the composition root.

import type { FastifyBaseLogger } from 'fastify';
import type { AgentCatalogue, GatewayGraph, LiveLane, ReceiptKeys, TurnEngine } from '../protocol/ports.ts';
import type { CheckOrigin } from './auth/origin.ts';
import type { SignInCodes } from './auth/sign-in-codes.ts';
import type { VerifyToken } from './auth/token-verifier.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';

export interface ModelStatus {
  readonly state: 'ready' | 'loading' | 'failed' | 'none';
  readonly name: string;
  /** What is being done, or what went wrong. */
  readonly detail?: string;
  /** 0 to 1. */
  readonly progress?: number;
  /** The bundled small model answers: readers should know. */
  readonly small?: boolean;
}

/** What is counted, and all figures of the process as a scraper reads them. */
export interface GatewayMetrics {
  readonly delivery: DeliveryMetrics;
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface GatewayDependencies {
  readonly engine: TurnEngine;
  readonly graph: GatewayGraph;
  readonly receiptKeys: Pick<ReceiptKeys, 'receiptKeys'>;
  readonly lane: LiveLane;
  readonly agents: AgentCatalogue;
  readonly defaultModel: string;
  readonly verifyToken: VerifyToken;
  readonly checkOrigin: CheckOrigin;
  /** Local sign-in; `null` where an issuer signs people in. */
  readonly signIn: SignInCodes | null;
  readonly modelStatus: () => ModelStatus;
  readonly temporalUi: string | null;
  /** Folder of the built page; `null`: no page. */
  readonly webDir: string | null;
  readonly metrics: GatewayMetrics;
  readonly log: FastifyBaseLogger;
}
