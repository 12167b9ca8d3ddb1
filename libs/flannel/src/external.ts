/** The link towards the other machines, as the service needs it. Found by the caller; looked up again when it changes. */

/** Addresses as `ip` prints them: `10.78.0.11`. */
export type ExternalInterface = {
  /** Name of the link: `eth0`. */
  readonly device: string
  /** MTU of the link in bytes. */
  readonly mtu: number
  /** Where packets to other machines come from: the source of vxlan packets, what udp binds. */
  readonly interfaceAddress: string
  /** What other machines reach us at: `PublicIP` of the lease. The interface address unless there is NAT. */
  readonly publicIp: string
}

/**
 * Finds the link; called at the start (again and again until the deadline) and when the link or its addresses changed.
 *
 * @throws ClusterError when there is none now
 */
export type FindExternal = (signal: AbortSignal) => Promise<ExternalInterface>
