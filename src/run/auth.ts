// Who may come in: an issuer's or the operator's own tokens, else the development key of this machine.

import { loadDevKey } from '../api/auth/dev-keys.ts';
import { createDevTokenVerifier, issueDevToken } from '../api/auth/dev-token.ts';
import { refuseExposure } from '../api/auth/exposure.ts';
import { createOriginCheck } from '../api/auth/origin.ts';
import { createSignInCodes } from '../api/auth/sign-in-codes.ts';
import { createTokenVerifier } from '../api/auth/token-verifier.ts';
import type { GatewayDependencies } from '../api/gateway-dependencies.ts';
import type { Config } from '../config.ts';
import { StartError } from './start-error.ts';

export type Auth = Pick<GatewayDependencies, 'verifyToken' | 'checkOrigin' | 'signIn'>;

/** @throws StartError for a host that others can reach without an issuer or a secret, or settings that contradict */
export async function createAuth(config: Config): Promise<Auth> {
  const { jwtSecret, jwksUrl, jwtIssuer, jwtAudience } = config.auth;
  const { host, allowedOrigins } = config.gateway;
  try {
    refuseExposure({ host, jwksUrl: jwksUrl ?? undefined, secret: jwtSecret ?? undefined });
    const checkOrigin = createOriginCheck(allowedOrigins ?? []);
    if (jwtSecret !== null || jwksUrl !== null) {
      const verifyToken = createTokenVerifier({
        jwksUrl: jwksUrl ?? undefined,
        secret: jwtSecret ?? undefined,
        issuer: jwtIssuer ?? undefined,
        audience: jwtAudience ?? undefined,
      });
      return { verifyToken, checkOrigin, signIn: null };
    }
    const key = await loadDevKey(config.paths.data);
    const signIn = createSignInCodes({ host, issueToken: () => issueDevToken(key) });
    return { verifyToken: createDevTokenVerifier(key), checkOrigin, signIn };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('unable to '))
      throw new StartError(error.message, { cause: error });
    throw error;
  }
}
