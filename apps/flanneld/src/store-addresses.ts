/** Where the store is, for the check that no network swallows it. */
import { parseIp4 } from '@cluster/subnet'
import type { StoreConfig } from './config.ts'

/** The addresses among the endpoints; names are looked up by nobody, since an answer may change. */
export const storeAddresses = ({ endpoints }: Pick<StoreConfig, 'endpoints'>): readonly string[] =>
  endpoints.map((endpoint) => new URL(endpoint).hostname).filter((host) => parseIp4(host) !== undefined)
