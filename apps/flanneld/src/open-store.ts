/** From a configuration to the store: TLS files, password, endpoints. */
import { readFile } from 'node:fs/promises'
import { systemClock, systemRandom } from '@cluster/daemon'
import { readTlsFiles } from '@cluster/http'
import type { Kv } from '@cluster/kv'
import { connectEtcd2 } from '@cluster/kv-client'
import type { Logger } from '@cluster/prelude'
import type { StoreConfig } from './config.ts'
import { FlanneldError } from './errors.ts'

/**
 * Nothing is asked yet. Errors: `http/tls-file`, `kv-client/invalid-endpoint`.
 *
 * @throws FlanneldError `flanneld/password-file`
 */
export async function openStore(config: StoreConfig, log: Logger): Promise<Kv & AsyncDisposable> {
  const [tls, password] = await Promise.all([readTlsFiles(config.tls), passwordOf(config)])
  const { endpoints, username } = config
  return connectEtcd2({ endpoints, username, password, tls, clock: systemClock, random: systemRandom, log })
}

async function passwordOf({ password, passwordFile }: StoreConfig): Promise<string> {
  if (passwordFile === undefined) return password.reveal()
  const hint = 'expected a file with the password in its first line, readable for this user'
  try {
    const [line = ''] = (await readFile(passwordFile, 'utf8')).split('\n')
    if (line !== '') return line
  } catch (cause) {
    throw new FlanneldError('flanneld/password-file', `${passwordFile} cannot be read`, { hint, cause })
  }
  throw new FlanneldError('flanneld/password-file', `the first line of ${passwordFile} is empty`, { hint })
}
