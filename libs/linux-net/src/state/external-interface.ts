/** Which link and address a machine uses towards the others, flannel.md §6. */

/** What the operator said; with none of it the link of the default route is taken. */
export type InterfaceOptions = {
  /** Names or addresses, tried in order. */
  readonly interfaces?: readonly string[]
  /** Unanchored patterns, tried in order after all `interfaces`: each against every link's address, then against names. */
  readonly patterns?: readonly string[]
  /** Tried last: the link on the way to each of these addresses. */
  readonly canReach?: readonly string[]
  /** For the overlay over IPv6: the link's IPv6 address is needed, too. */
  readonly family?: 'ipv4' | 'ipv6' | 'both'
}

/** The chosen link. */
export type ExternalInterface = {
  readonly device: string
  readonly index: number
  readonly mtu: number
  /** Absent only when the overlay runs over IPv6 alone. */
  readonly address?: string
  readonly addressV6?: string
  /** What the operator should know: a pattern that several links match, and the like. */
  readonly warnings: readonly string[]
}

/** Why there is none: one line per try, the wording of the original. */
export type NoInterface = { readonly message: string; readonly tries: readonly string[] }
