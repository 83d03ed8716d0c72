// The key of this process's receipts, in the file that the configuration names.

import type { Config } from '../config.ts';
import type { ReceiptSigner } from '../protocol/ports.ts';
import type { ReceiptKeyJwk } from '../protocol/receipt.ts';
import { loadReceiptKey, readPublicKey, toReceiptKeyPath } from '../receipts/receipt-key.ts';
import { StartError } from './start-error.ts';

type KeyConfig = Pick<Config, 'paths' | 'receipts'>;

const pathOf = ({ paths, receipts }: KeyConfig): string => toReceiptKeyPath(paths.data, receipts.keyFile);

/** Makes the key when there is none. @throws StartError for a file that is readable by others or holds no key */
export const loadReceiptSigner = (config: KeyConfig): Promise<ReceiptSigner> =>
  anticipated(loadReceiptKey(pathOf(config)));

/** Makes none. @throws StartError as {@link loadReceiptSigner}, and when there is none */
export async function readOwnKey(config: KeyConfig): Promise<ReceiptKeyJwk> {
  const key = await anticipated(readPublicKey(pathOf(config)));
  if (key !== null) return key;
  throw new StartError(
    `unable to verify; there is no key at ${pathOf(config)}: name the published ones with --keys, ` +
      'they are at /.well-known/candor-keys.json of the gateway',
  );
}

async function anticipated<Value>(reading: Promise<Value>): Promise<Value> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('unable to '))
      throw new StartError(error.message, { cause: error });
    throw error;
  }
}
