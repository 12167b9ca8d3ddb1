/**
 * Links, addresses, routes, neighbours and forwarding entries as values: what `ip` and `bridge` print, without what
 * nobody here decides on. Addresses and prefixes are text as `ip` prints it: `10.5.34.0/24`, `10.78.0.2`,
 * `02:42:ac:11:00:02`.
 */

/** What makes two vxlan devices different ones; the kernel takes none of it as a change of an existing device. */
export type VxlanOptions = {
  readonly vni: number
  /** The link below, by name. */
  readonly underlay?: string
  /** Source address of the outer packets. */
  readonly local?: string
  /** UDP port; Linux takes 8472 where none is said. */
  readonly port: number
  readonly learning: boolean
  /** Group based policy. */
  readonly gbp: boolean
  /** Multicast group, or the one remote: only devices that others made have it. */
  readonly group?: string
}

/** A network device. */
export type Link = {
  readonly name: string
  /** As `ip -d` names it: `vxlan`, `tun`, `bridge`, `veth` …; the empty text for hardware. */
  readonly kind: string
  readonly mtu: number
  readonly up: boolean
  /** Of a desired link: absent means that any will do. */
  readonly mac?: string
  readonly vxlan?: VxlanOptions
  /** Number in the kernel; of observed links only. */
  readonly index?: number
  /** The bridge or bond that it is a port of; of observed links only. */
  readonly master?: string
  /** The note that a device can carry (`ip link set alias`); of observed links only. */
  readonly alias?: string
  /** Multicast routers and loopback are told apart by this; of observed links only. */
  readonly loopback?: boolean
}

/** An address of a device, with the length of its prefix: `10.5.34.0/32`. */
export type Address = { readonly device: string; readonly address: string; readonly scope?: string }

/** A route of the main table. */
export type Route = {
  /** `10.5.34.0/24`; `default` is `0.0.0.0/0` and `::/0`; one address is a `/32` or `/128`. */
  readonly destination: string
  /** Of a desired route: at least one of gateway and device. Observed multipath routes have neither. */
  readonly gateway?: string
  readonly device?: string
  /** The gateway is taken for a neighbour on the device although no prefix says so. */
  readonly onlink?: boolean
  /** Source address for packets of this host. */
  readonly source?: string
  /** Number or one of the kernel's names: `kernel`, `boot`, `static`, `156`. Absent in a desired route: the ownership's. */
  readonly protocol?: string
  /** Absent: 0 (IPv6: 1024, which is what the kernel makes of 0). */
  readonly metric?: number
  /** `link`, `host`; absent: global. */
  readonly scope?: string
  /** `blackhole`, `unreachable` …; absent: unicast. Of observed routes only. */
  readonly type?: string
}

/** Which hardware address a next hop has. Desired ones are permanent. */
export type Neighbour = {
  readonly device: string
  readonly ip: string
  readonly mac: string
  /** Of observed ones: `false` for what the kernel found out by itself. Absent: permanent. */
  readonly permanent?: boolean
}

/** An entry of a vxlan device's table: frames for `mac` go to the machine at `remote`. */
export type ForwardingEntry = { readonly device: string; readonly mac: string; readonly remote: string }

/** What a machine's network looks like, or should look like; order has no meaning. */
export type NetworkState = {
  readonly links: readonly Link[]
  readonly addresses: readonly Address[]
  readonly routes: readonly Route[]
  readonly neighbours: readonly Neighbour[]
  readonly forwarding: readonly ForwardingEntry[]
}

/** A state with nothing in it: as desired state it means "nothing of ours". */
export const emptyState: NetworkState = { links: [], addresses: [], routes: [], neighbours: [], forwarding: [] }

/**
 * What tells two routes of a table apart in the kernel: destination and metric. The destination's own text where the metric
 * is the usual one: no text is made for most routes, of which there may be thousands.
 */
export const routeKey = ({ destination, metric }: Pick<Route, 'destination' | 'metric'>): string =>
  metric === undefined || metric === (destination.includes(':') ? 1024 : 0) ? destination : `${destination} ${metric}`
