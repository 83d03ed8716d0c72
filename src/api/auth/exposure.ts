// Decides at start whether a gateway may listen where it was told to. There is no mode without tokens: the development
// key is for this machine only, because whoever reads the terminal becomes `local`; any other address needs an issuer
// or a secret of the operator's own.

import { isLoopbackHost } from './loopback.ts';

export interface Exposure {
  /** Address to listen on. */
  readonly host: string;
  readonly jwksUrl?: string | undefined;
  readonly secret?: string | undefined;
}

/** RFC 7518, 3.2: a key of HS256 has at least the length of the hash. */
const minSecretBytes = 32;

/** @throws Error with what to do; the caller does not listen then */
export function refuseExposure({ host, jwksUrl, secret }: Exposure): void {
  if (isLoopbackHost(host)) return;
  if (jwksUrl === undefined && secret === undefined) {
    throw new Error(
      `unable to listen on ${host}; other machines can reach it and no tokens can be checked: set CANDOR_JWKS_URL with ` +
        'CANDOR_JWT_ISSUER, or CANDOR_JWT_SECRET, or listen on 127.0.0.1',
    );
  }
  const secretBytes = secret === undefined ? minSecretBytes : Buffer.byteLength(secret);
  if (secretBytes < minSecretBytes) {
    throw new Error(
      `unable to listen on ${host}; CANDOR_JWT_SECRET has ${secretBytes} bytes and can be guessed: use at least ` +
        `${minSecretBytes} random ones`,
    );
  }
}
