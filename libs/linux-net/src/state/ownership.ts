/** Which of the things that a machine's network consists of are ours: everything else is never touched. */

/** A device that we make, or that the program next to us makes (`tun`: it is configured here, never made or deleted). */
export type OwnedDevice = { readonly name: string; readonly kind: 'vxlan' | 'tun' }

/**
 * What is ours.
 *
 * - Devices by name and kind: a vxlan device of such a name is ours when it carries our mark, or no mark, no master and
 *   no IPv4 address outside `networks`; every other device of the name belongs to somebody else and is refused.
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
  /** Text that marks our devices as their alias; absent: devices are not marked. */
  readonly mark?: string
}

/** The protocol number of the overlay's routes. Free in iproute2's table and used by no routing daemon known to us. */
export const routeProtocol = '156'
