// Why an upgrade failed: a browser does not say, so the gateway is asked by HTTP with the same token.

export type Probe = (url: string, token: string) => Promise<'unauthenticated' | 'other'>;

/** A gateway that does not answer is no reason to wait: the connection is tried again. */
const answerMs = 5_000;

export const createProbe =
  (fetchOne: typeof fetch): Probe =>
  async (url, token) => {
    try {
      const address = new URL('api/status', url.endsWith('/') ? url : `${url}/`);
      const headers = { authorization: `Bearer ${token}` };
      const { status } = await fetchOne(address, { headers, signal: AbortSignal.timeout(answerMs) });
      return status === 401 ? 'unauthenticated' : 'other';
    } catch {
      // Swallowed: nothing answers, which says nothing of the token; the connection is tried again.
      return 'other';
    }
  };
