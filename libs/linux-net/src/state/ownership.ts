/** Which of the things that a machine's network consists of are ours: everything else is never touched. */

import type { Link, NetworkState, Route } from './network-state.ts'
import { containsPrefix, containsText, type Prefix, parsePrefix } from './prefix.ts'

/** A device that we make, or that the program next to us makes (`tun`: it is configured here, never made or deleted). */
export type OwnedDevice = { readonly name: string; readonly kind: 'vxlan' | 'tun' }

/**
 * What is ours.
 *
 * - Devices by name and kind: a vxlan device of such a name is ours when it carries our mark, or no mark, no master,
 *   the VNI of its name and no IPv4 address outside `networks`; every other device of the name belongs to somebody else
 *   and is refused.
 * - Addresses of our devices inside `networks`.
 * - Routes whose destination lies in `networks` with our protocol number, or over a device of ours; routes over our
 *   devices with our protocol number wherever they lead. Never one that the kernel made itself.
 * - Permanent neighbours and the forwarding entries of our devices.
 */
export type Ownership = {
  readonly devices: readonly OwnedDevice[]
  /** The overlay's networks, also former ones whose remains are to go: `10.5.0.0/16`. */
  readonly networks: readonly string[]
  /** Number that marks our routes, as text; see {@link routeProtocol}. */
  readonly routeProtocol: string
  /**
   * More protocols whose routes inside `networks` are taken for ours if they have a gateway: `boot` for the routes that
   * the original daemon left.
   */
  readonly adoptedProtocols?: readonly string[]
  /**
   * Text that marks our devices as their alias; absent: devices are not marked. Letters, digits and `-_.:/` only, such as
   * `cluster-overlay:10.5.0.0/16`.
   */
  readonly mark?: string
  /** The link that the overlay runs over, for `Kernel.changes`: its changes are told. It is never touched. */
  readonly underlay?: string
}

/** The protocol number of the overlay's routes. Free in iproute2's table and used by no routing daemon known to us. */
export const routeProtocol = '156'

/** Why a device of one of our names is somebody else's; `undefined`: it is ours. */
export function foreignBecause(
  link: Link,
  owned: OwnedDevice,
  { addresses }: NetworkState,
  { mark, networks }: Ownership,
): string | undefined {
  if (link.kind !== owned.kind) return `it is of kind ${link.kind === '' ? 'hardware' : link.kind}, not ${owned.kind}`
  // a tun device is made by the program that asks, under a name that the kernel chose for it
  if (owned.kind === 'tun') return undefined
  if (link.master !== undefined) return `it is a port of ${link.master}`
  if (link.alias !== undefined && link.alias !== '') {
    return link.alias === mark ? undefined : `it is marked as that of "${link.alias}"`
  }
  // The original calls its device after its VNI; whoever calls another one so is not the original, and not us.
  const named = /\.(\d+)$/.exec(link.name)?.[1]
  if (named !== undefined && link.vxlan !== undefined && link.vxlan.vni !== Number(named)) {
    return `its VNI is ${link.vxlan.vni}`
  }
  const elsewhere = addresses.find(
    ({ device, address }) =>
      device === link.name && !address.includes(':') && !networks.some((network) => containsText(network, address)),
  )
  return elsewhere && `it has the address ${elsewhere.address}, which is outside ${networks.join(', ')}`
}

/** Whether a route is that of a link itself: packets go to the neighbours on it without a next hop. */
export const isConnected = ({ gateway, device, protocol, scope, type }: Route): boolean =>
  type === undefined && gateway === undefined && device !== undefined && (protocol === 'kernel' || scope === 'link')

/**
 * Whether a route is ours to replace or delete.
 *
 * @param ourDevices names of the devices that are ours, not of those that merely have our names
 */
export function isOurRoute(
  route: Route,
  networks: readonly Prefix[],
  ourDevices: ReadonlySet<string>,
  { routeProtocol: ours, adoptedProtocols = [] }: Ownership,
): boolean {
  if (route.type !== undefined || route.protocol === 'kernel') return false
  const onOurs = route.device !== undefined && ourDevices.has(route.device)
  if (onOurs && route.protocol === ours) return true
  const adopted = route.gateway !== undefined && adoptedProtocols.includes(route.protocol ?? 'boot')
  if (!onOurs && route.protocol !== ours && !adopted) return false
  const destination = parsePrefix(route.destination)
  return destination !== undefined && networks.some((network) => containsPrefix(network, destination))
}

/**
 * The links of the machine that lie inside the overlay's network: `10.78.0.0/24 dev eth0` inside `10.78.0.0/16`. A network
 * with such a link other than the own subnet's bridge must not be used: leases of other machines would cut the link off.
 *
 * @param except prefixes that may be there: this machine's own subnet, now and before
 */
export function connectedRoutesInside(
  network: string,
  { routes }: Pick<NetworkState, 'routes'>,
  { devices, except = [] }: { readonly devices: readonly string[]; readonly except?: readonly string[] },
): readonly Route[] {
  return routes.filter(
    (route) =>
      isConnected(route) &&
      !devices.includes(route.device ?? '') &&
      containsText(network, route.destination) &&
      !except.some((prefix) => containsText(prefix, route.destination)),
  )
}
