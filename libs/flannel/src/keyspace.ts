/** Where things stand in the store: spec/flannel.md §1. The keys are the original's, byte for byte. */
import { checkPrefix, type Key } from '@cluster/kv'
import { type Subnet, subnetKey } from '@cluster/subnet'

export type Keyspace = {
  /** Everything of the network, followed as a whole. */
  readonly root: Key
  readonly config: Key
  /** Leases stand below. */
  readonly subnets: Key
  readonly lease: (subnet: Subnet) => Key
}

/**
 * The keys of a network. Slashes at the end and doubled ones do no harm, as in the original.
 *
 * @param name of the network in multi-network mode
 * @throws KvError `kv/invalid-key` for a prefix or name that cannot be part of a key
 */
export function createKeyspace(prefix: Key, name?: string): Keyspace {
  const parts = [...prefix.split('/'), ...(name === undefined ? [] : [name])].filter((part) => part !== '')
  const root = `/${parts.join('/')}`
  checkPrefix(root)
  const below = root === '/' ? '' : root
  const subnets = `${below}/subnets`
  return { root, config: `${below}/config`, subnets, lease: (subnet) => `${subnets}/${subnetKey(subnet)}` }
}
