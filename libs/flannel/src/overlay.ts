/**
 * The overlay as one machine sees it at one moment: leases, link, kernel. What status, plan and check are computed from,
 * whether a daemon holds it or a command has just read it. Pure.
 */
import type { NetworkState, ObservedFilter, OverlayFilter, Ownership } from '@cluster/linux-net/state'
import { commandText, diff, filterPlan } from '@cluster/linux-net/state'
import type { Backend, Peer, Surroundings } from './backends/backend.ts'
import type { Judgement, Standpoint } from './judge-peers.ts'
import { refusalText } from './kernel-keeper.ts'
import type { Plan } from './plan.ts'

export type Overlay = {
  readonly backend: Backend
  readonly standpoint: Standpoint
  readonly surroundings: Surroundings
  readonly judgements: readonly Judgement[]
  readonly ownership: Ownership
  /** The kernel as it was looked at for this. */
  readonly observed: NetworkState
  readonly filter: { readonly wanted: OverlayFilter; readonly observed: ObservedFilter }
}

/** The machines that packets can be sent to. */
export const peersOf = (judgements: Iterable<Judgement>): readonly Peer[] => {
  const peers: Peer[] = []
  for (const judgement of judgements) if (judgement.kind === 'peer') peers.push(judgement.peer)
  return peers
}

/** What should be in the kernel. */
export const desiredOf = ({ backend, surroundings, judgements }: Omit<Overlay, 'observed' | 'filter'>): NetworkState =>
  backend.desired(surroundings, peersOf(judgements))

/** What would be changed in the kernel if a daemon looked now. */
export function planOf(overlay: Overlay): Plan {
  const { commands, refusals } = diff(desiredOf(overlay), overlay.observed, overlay.ownership)
  const notes = overlay.judgements.flatMap((judgement) =>
    judgement.kind === 'peer'
      ? []
      : [`${judgement.lease.subnetText} of ${judgement.lease.publicIpText}: ${judgement.reason}`],
  )
  return {
    lines: [...commands.map(commandText), ...filterDifferences(overlay.filter)],
    notes: [...refusals.map((refusal) => refusalText(refusal).join(': ')), ...notes],
  }
}

/** What is missing in the packet filter, or too much: lines with `+` or `-` in front. */
export const filterDifferences = ({ wanted, observed }: Overlay['filter']): readonly string[] =>
  filterPlan(wanted, observed).differences.map((line) => `${observed.mode} ${line}`)
