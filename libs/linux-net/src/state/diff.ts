/** The smallest change from one state to another that touches nothing but what is ours. */
import type { NetworkCommand } from './command.ts'
import { emptyState, type Link, type NetworkState, type Route } from './network-state.ts'
import type { Ownership } from './ownership.ts'

/** Something desired that cannot be had without taking it from somebody else. */
export type Refusal =
  /** A device of our name that is not ours. */
  | { readonly kind: 'foreign-device'; readonly link: Link; readonly why: string }
  /** The destination belongs to a link of the machine, or to a route that refuses packets: replacing it would cut that off. */
  | { readonly kind: 'connected-route'; readonly route: Route; readonly existing: Route }

/** What to do, in order, and what will not be done. */
export type NetworkPlan = { readonly commands: readonly NetworkCommand[]; readonly refusals: readonly Refusal[] }

/**
 * What to do so that everything of ours in `observed` becomes `desired`.
 *
 * A plan applied to its state yields an empty plan. Order: links, addresses, forwarding entries, neighbours, routes, then
 * what goes, the other way round: packets never meet a route whose next hop is not known yet.
 */
export function diff(desired: NetworkState, observed: NetworkState, ownership: Ownership): NetworkPlan {
  void [desired, observed, ownership]
  return { commands: [], refusals: [] }
}

/** What to do so that nothing of ours is left. */
export const removal = (observed: NetworkState, ownership: Ownership): NetworkPlan =>
  diff(emptyState, observed, ownership)
