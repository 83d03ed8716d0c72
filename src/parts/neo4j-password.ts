/**
 * The password of a Neo4j of our own: made once, kept beside its data, and given to the server before its first start in
 * the form that its own admin command writes, which would take seconds.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from './fetched.ts';

/** Neo4j's salted hash: SHA-256 of salt and password, hashed again 1,023 times. */
export function toAuthLine(password: string, salt: Buffer): string {
  let hash = createHash('sha256').update(salt).update(password, 'utf8').digest();
  for (let round = 1; round < 1024; round += 1) hash = createHash('sha256').update(hash).digest();
  return `neo4j:SHA-256,${hash.toString('hex')},${salt.toString('hex')},1024:`;
}

/** The password of the server in `home`; `wanted` counts before the first start only. */
export async function preparePassword(home: string, wanted: string | undefined): Promise<string> {
  const kept = join(home, 'password');
  if (await exists(kept)) return (await readFile(kept, 'utf8')).trim();
  const password = wanted ?? randomBytes(18).toString('base64url');
  const authFile = join(home, 'data', 'dbms', 'auth.ini');
  await mkdir(dirname(authFile), { recursive: true });
  await writeFile(authFile, `${toAuthLine(password, randomBytes(32))}\n`, { mode: 0o600 });
  // Written last: with it, the server's own record is known to be there.
  await writeFile(kept, `${password}\n`, { mode: 0o600 });
  await chmod(kept, 0o600);
  return password;
}
