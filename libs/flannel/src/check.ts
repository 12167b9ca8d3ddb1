/** The way of a packet to another machine, hop by hop, and the first that is broken. Pure. */

/** The hops in the order in which a packet needs them. */
export type HopName = 'lease' | 'link' | 'route' | 'neighbour' | 'forwarding' | 'firewall' | 'mtu'

export type Hop = {
  readonly name: HopName
  /** `skipped`: this backend has no such hop, or an earlier one is broken so that it cannot be judged. */
  readonly state: 'ok' | 'broken' | 'skipped'
  /** What was found, and what was expected if that differs. */
  readonly found: string
  /** What to do about it; only when broken. */
  readonly remedy?: string
}

export type CheckReport = {
  readonly subnet: string
  readonly publicIp: string
  /** In order; all hops are listed. */
  readonly hops: readonly Hop[]
  /** Name of the first broken hop; absent when the way is whole as far as this machine can see. */
  readonly broken?: HopName
}
