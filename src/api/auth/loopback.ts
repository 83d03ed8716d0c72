// Tells the hosts that only this machine can reach. Sign-in without an account and a gateway without an issuer are for
// those alone, so the question is asked in one place.

import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for `localhost` and its subdomains, 127.0.0.0/8 and ::1, with or without brackets. A wildcard is not one. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const family = isIP(name);
  if (family === 0) return name === 'localhost' || name.endsWith('.localhost');
  return loopback.check(name, family === 6 ? 'ipv6' : 'ipv4');
}

/** The same for the value of a `Host` header, port included. */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  if (header === undefined || !URL.canParse(`http://${header}`)) return false;
  return isLoopbackHost(new URL(`http://${header}`).hostname);
}
