/** The overlay lab as the measurements use it. */
import { join } from 'node:path'
import { addressOf, type HostNumber, type OverlayLab, openOverlayLab, overlayObstacles } from '@cluster/lab/overlay'
import { BenchError } from '../errors.ts'
import type { Seat } from './daemon.ts'

export type BackendName = 'vxlan' | 'host-gw'

export const backendNames: readonly BackendName[] = ['vxlan', 'host-gw']

/** Hosts with a store and no daemon yet. Error: `bench/no-namespaces`. */
export function openLab(root: string, hosts: readonly HostNumber[]): Promise<OverlayLab> {
  const obstacles = overlayObstacles()
  if (obstacles.length > 0) {
    throw new BenchError('bench/no-namespaces', 'the overlay lab cannot run here', { hint: obstacles.join('; ') })
  }
  return openOverlayLab({
    hosts,
    programs: { flanneld: join(root, 'apps/flanneld/dist/flanneld.cjs'), kvd: join(root, 'apps/kvd/dist/kvd.cjs') },
  })
}

/** A network of its own in the lab's store, and a host's seat in it. */
export async function makeNetwork(
  lab: OverlayLab,
  root: string,
  { name, network, backend }: { readonly name: string; readonly network: string; readonly backend: string },
): Promise<Seat> {
  const prefix = `/bench/${name}`
  await lab.store.put(
    `${prefix}/config`,
    JSON.stringify({ Network: network, SubnetLen: 24, Backend: { Type: backend } }),
  )
  return { host: lab.host(1), prefix, publicIp: addressOf(1), root }
}

/** Room for more than 4,000 subnets of 24 bits, and for as many machines on the hosts' link. */
export const roomyNetwork = '172.16.0.0/12'

/** Makes the first host's link long enough for `peerLease`. */
export const lengthenLink = (lab: OverlayLab): Promise<void> =>
  lab.host(1).network.ip(['addr add 10.80.0.1/16 dev eth0'])

export type PeerLease = {
  /** `172.16.5.0/24` */
  readonly subnet: string
  readonly key: string
  readonly value: string
}

/** The lease of the machine of that number, from 1 on, as flannel writes it. */
export function peerLease(prefix: string, number: number, backend: BackendName): PeerLease {
  const [high, low] = [number >> 8, number & 255]
  const subnet = `172.${16 + high}.${low}.0/24`
  return {
    subnet,
    key: `${prefix}/subnets/${subnet.replace('/', '-')}`,
    value: JSON.stringify({
      PublicIP: `10.80.${1 + high}.${low}`,
      BackendType: backend,
      ...(backend === 'vxlan' ? { BackendData: { VtepMAC: `02:00:00:00:${hex(high)}:${hex(low)}` } } : {}),
    }),
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

const leaseSeconds = 86_400
const writesAtOnce = 32

/** Writes the leases of machines that are not there. */
export async function writePeers(lab: OverlayLab, leases: readonly PeerLease[]): Promise<void> {
  for (let start = 0; start < leases.length; start += writesAtOnce) {
    const part = leases.slice(start, start + writesAtOnce)
    await Promise.all(part.map(({ key, value }) => lab.store.put(key, value, leaseSeconds)))
  }
}
