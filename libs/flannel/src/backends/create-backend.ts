/** The backend that a network configuration asks for. */
import { backendOptions, type NetworkConfig } from '@cluster/subnet'
import { match } from 'ts-pattern'
import { FlannelError } from '../errors.ts'
import { createAlloc } from './alloc.ts'
import type { Backend } from './backend.ts'
import { createHostGw } from './host-gw.ts'
import { createUdp } from './udp.ts'
import { createVxlan } from './vxlan.ts'

/**
 * The backend of this configuration.
 *
 * @throws FlannelError `flannel/unknown-backend` for a type or option that does not exist here
 */
export function createBackend(config: NetworkConfig): Backend {
  const options = backendOptions(config)
  if (!options.ok) throw new FlannelError('flannel/unknown-backend', options.error.text, { hint: options.error.hint })
  return match(options.value)
    .with({ type: 'vxlan' }, createVxlan)
    .with({ type: 'host-gw' }, createHostGw)
    .with({ type: 'udp' }, createUdp)
    .with({ type: 'alloc' }, createAlloc)
    .exhaustive()
}
