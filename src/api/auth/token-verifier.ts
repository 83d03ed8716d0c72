// Turns a token into a caller or refuses it. Algorithms stand on a list that depends on the kind of key, so that a
// public key can never serve as a shared secret and `none` is no algorithm at all.

import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import { CandorError } from '../../protocol/errors.ts';
import { toCaller, type Caller } from './caller.ts';

export interface TokenVerifierOptions {
  /** Address of the issuer's public keys. Either this or `secret`. */
  readonly jwksUrl?: string | undefined;
  /** Shared secret (HS256); text counts as UTF-8. */
  readonly secret?: string | Uint8Array | undefined;
  /** `iss` that a token must have. Required with `jwksUrl`; with a secret, absent: whoever has the secret is trusted. */
  readonly issuer?: string | undefined;
  /** `aud` that a token must have. Absent: `candor`, and with a secret a token without any `aud` is accepted too. */
  readonly audience?: string | undefined;
  readonly nowMs?: () => number;
}

/** @throws CandorError `unauthenticated`, its cause says why; `internal` when the key server is away */
export type VerifyToken = (token: string) => Promise<Caller>;

export const defaultAudience = 'candor';
const clockToleranceSeconds = 5;
const secretAlgorithms = ['HS256'];
const publicKeyAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** @throws Error when the options are contradictory or incomplete */
export function createTokenVerifier(options: TokenVerifierOptions): VerifyToken {
  const { jwksUrl, secret, issuer, audience, nowMs = Date.now } = options;
  const key = toKey(options);
  const fixed: JWTVerifyOptions = {
    algorithms: jwksUrl === undefined ? secretAlgorithms : publicKeyAlgorithms,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: clockToleranceSeconds,
    ...(issuer === undefined ? {} : { issuer }),
  };
  const mayLackAudience = secret !== undefined && audience === undefined;

  return async (token) => {
    try {
      const now = { currentDate: new Date(nowMs()) };
      const { payload } = await jwtVerify(token, key, { ...fixed, ...now });
      if (!(mayLackAudience && payload.aud === undefined)) {
        requireAudience(payload.aud, audience ?? defaultAudience);
      }
      return readCaller(payload);
    } catch (cause) {
      if (cause instanceof errors.JOSEError) throw new CandorError('unauthenticated', { cause });
      throw cause;
    }
  };
}

function toKey({ jwksUrl, secret, issuer }: TokenVerifierOptions): JWTVerifyGetKey {
  if (jwksUrl !== undefined && secret !== undefined) {
    throw new Error('unable to check tokens; both CANDOR_JWKS_URL and CANDOR_JWT_SECRET are set: keep one');
  }
  if (secret !== undefined) {
    if (secret.length === 0) throw new Error('unable to check tokens; CANDOR_JWT_SECRET is empty');
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
    return async () => bytes;
  }
  if (jwksUrl === undefined) {
    throw new Error('unable to check tokens; neither CANDOR_JWKS_URL nor CANDOR_JWT_SECRET is set');
  }
  if (issuer === undefined) {
    throw new Error(
      'unable to check tokens; CANDOR_JWKS_URL needs CANDOR_JWT_ISSUER: one key server may serve several',
    );
  }
  return createKeyServer(new URL(jwksUrl));
}

function createKeyServer(url: URL): JWTVerifyGetKey {
  const findKey = createRemoteJWKSet(url);
  return async (header, token) => {
    try {
      return await findKey(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) throw cause;
      if (cause instanceof errors.JOSENotSupported) throw cause;
      // The token may be good: «not signed in» would send its owner to a sign-in that cannot help.
      const reason = `the key server ${url.origin} did not answer as expected`;
      throw new CandorError('internal', { facts: { reason }, retryable: true, cause });
    }
  };
}

function requireAudience(found: string | string[] | undefined, wanted: string): void {
  const all = Array.isArray(found) ? found : [found];
  if (all.includes(wanted)) return;
  throw new CandorError('unauthenticated', {
    cause: new Error(`unable to accept the token; it is for ${all.join(', ')}, not for ${wanted}`),
  });
}

function readCaller(payload: Parameters<typeof toCaller>[0]): Caller {
  try {
    return toCaller(payload);
  } catch (cause) {
    throw new CandorError('unauthenticated', { cause });
  }
}
