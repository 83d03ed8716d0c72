// The signing key of a development product. It lies in the data folder so that tokens survive a restart.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadSecret, UnfitSecret } from '../../files/secret-file.ts';

export const devKeyFile = 'dev-signing-key';
const keyBytes = 32;

/**
 * Reads the key, creating it when there is none.
 *
 * @param dataDir created when it is missing
 * @throws Error when the file is readable by others or holds no key
 */
export const loadDevKey = (dataDir: string): Promise<Uint8Array> =>
  loadSecret({
    path: join(dataDir, devKeyFile),
    name: 'signing key',
    create: () => randomBytes(keyBytes).toString('base64url'),
    parse(text) {
      const key = Buffer.from(text, 'base64url');
      if (key.length !== keyBytes) throw new UnfitSecret(`holds ${key.length} bytes, not ${keyBytes}`);
      return key;
    },
  });
