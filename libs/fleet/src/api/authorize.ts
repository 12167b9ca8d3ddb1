/**
 * Who may ask. The API has neither TLS nor authentication, so whoever reaches it may run anything as root on every
 * machine: it listens where only this machine can ask, unless the operator says otherwise.
 */
import { isLocalOnly, type ListenAddress, renderListenAddress } from '@cluster/http'
import { FleetError } from '../errors.ts'

/**
 * Refuses a listener that other machines can reach. A socket that systemd opened counts as the operator's own choice:
 * it stands in a unit file that only root can write.
 *
 * @throws FleetError `fleet/insecure-listener`
 */
export function checkListener(address: ListenAddress): void {
  if (address.kind === 'fd' || isLocalOnly(address)) return
  throw new FleetError('fleet/insecure-listener', `${renderListenAddress(address)} can be reached from the network`, {
    hint: 'whoever reaches the API can run anything on every machine: listen on a unix socket or 127.0.0.1, or set insecure_allow_network',
  })
}
