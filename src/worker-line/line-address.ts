// Where a worker's line is, written into the identity that the worker shows the engine: whoever sees a worker, or an
// activity that it holds, also knows how to ask whether it still lives.

export interface LineAddress {
  readonly host: string;
  readonly port: number;
  /** Mark of the machine, see `readMachineMark`. */
  readonly machine: string;
  /** Tells this process from a later one at the same port; who does not know it is not let in. */
  readonly nonce: string;
}

const pattern = / line=(\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})\/([0-9a-f]+)\/([0-9a-f]+)$/i;

/** One line, readable in Temporal UI: `4711@host line=127.0.0.1:40123/<machine>/<nonce>`; without a line `4711@host`. */
export function toIdentity(pid: number, hostname: string, line: LineAddress | null): string {
  const name = `${pid}@${hostname}`;
  if (line === null) return name;
  const host = line.host.includes(':') ? `[${line.host}]` : line.host;
  return `${name} line=${host}:${line.port}/${line.machine}/${line.nonce}`;
}

/** `null`: a worker without a line, or no worker of Candor's. */
export function parseIdentity(identity: string): LineAddress | null {
  const [, host = '', port, machine = '', nonce = ''] = pattern.exec(identity) ?? [];
  if (port === undefined) return null;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), machine, nonce };
}

/** An address that means another machine wherever it is read. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
