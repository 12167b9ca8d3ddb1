/**
 * The overlay's rules in the host's packet filter: who is masqueraded, and that the overlay is forwarded. A table of our
 * own (nft) or chains of our own (iptables), named after the network, so that several networks live on one machine.
 * Semantics: the original's, flannel.md §8.
 */

/** Which packet filter holds the rules: nft, or iptables where the host already uses that. */
export type FilterMode = 'nft' | 'iptables'

/** What the filter has to do for one network. With neither of the two it is empty, and everything of ours goes. */
export type OverlayFilter = {
  /** The whole overlay: `10.5.0.0/16`. */
  readonly network: string
  /** This machine's part of it: `10.5.34.0/24`. */
  readonly subnet: string
  /**
   * From the overlay to elsewhere: masqueraded, multicast excepted. From elsewhere to other machines' subnets:
   * masqueraded. Inside the overlay and from elsewhere to the own subnet: left alone.
   */
  readonly masquerade: boolean
  /** From and to the overlay: accepted where packets are forwarded. */
  readonly forward: boolean
}

/** What the packet filter holds of one network's rules: lines as `nft` and `iptables-save` print them. */
export type ObservedFilter = {
  readonly mode: FilterMode
  /** nft: the table's lines. iptables: rules of our chains and jumps to them, each with its table in front. */
  readonly lines: readonly string[]
}
