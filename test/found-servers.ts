// The servers of this run, for a test file.

import { readVariables, type ServerAddresses } from '../testing/servers/variables.ts';

/** @throws Error when the tests were not started by `npm test` */
export function foundServers(): ServerAddresses {
  const found = readVariables(process.env);
  if (found === null) throw new Error('unable to find the servers of the tests; run npm test -- <file>');
  return found;
}
