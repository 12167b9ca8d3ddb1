/** What the four backends have in common: how packets travel to other machines, as values. Pure. */
import type { Link, NetworkState } from '@cluster/linux-net/state'
import type { Ip4, JsonValue, LeaseAttributes, Net4 } from '@cluster/subnet'
import type { ExternalInterface } from '../external.ts'

/** Another machine that this one can send to, with the texts that the kernel is told. */
export type Peer = {
  /** `10.5.34.0/24` */
  readonly subnet: string
  /** The subnet's first address, which is the other tunnel device's: `10.5.34.0`. */
  readonly gateway: string
  readonly publicIp: string
  /** vxlan: the other device's hardware address. */
  readonly mac?: string
  /** The device over which the machine is reached without the tunnel; absent: through the tunnel. */
  readonly direct?: string
}

/** What a backend makes of another machine's lease. */
export type PeerData =
  | { readonly kind: 'usable'; readonly mac?: string }
  | { readonly kind: 'unusable'; readonly reason: string }

/** What surrounds the peers: this machine. */
export type Surroundings = {
  readonly external: ExternalInterface
  readonly network: Net4
  readonly own: Net4
  /** Name of the tunnel device, where there is one. */
  readonly device?: string
  /** Its hardware address, where it has one. */
  readonly mac?: string
}

export type Backend = {
  readonly type: 'vxlan' | 'host-gw' | 'udp' | 'alloc'
  /** What leases say; empty for udp and alloc. */
  readonly leaseType: string
  /** A device that is made before the lease, because the lease carries its hardware address. */
  readonly device?: string
  /** Whether packets go through a process of ours (a TUN device), and the port it uses. */
  readonly udpPort?: number
  /** What is left for containers when the link carries packets of this size, in bytes. */
  readonly mtu: (linkMtu: number) => number
  /** Why the backend cannot work with this link. */
  readonly problemWith: (external: ExternalInterface) => { readonly text: string; readonly hint: string } | undefined
  /** What other machines must know. */
  readonly data: (mac: string | undefined) => JsonValue | undefined
  /** The device made before the lease, as it should be. */
  readonly link: (external: ExternalInterface, mac: string | undefined) => Link | undefined
  readonly read: (attributes: LeaseAttributes) => PeerData
  /** The device over which a machine is reached without the tunnel, given on which link of ours it is, if on any. */
  readonly direct: (
    publicIp: Ip4,
    external: ExternalInterface,
    linkTo: (ip: Ip4) => string | undefined,
  ) => string | undefined
  /** Everything of ours that should be in the kernel. */
  readonly desired: (surroundings: Surroundings, peers: readonly Peer[]) => NetworkState
}
