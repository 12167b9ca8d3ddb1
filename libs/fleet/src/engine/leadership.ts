/**
 * Who places units: the holder of a lease in the registry, in fleet's own form. Source: spec/fleet.md §4, §5.1.
 * Beyond fleet: the lease of a machine that is known to be lost is taken over at once instead of being waited for.
 */
import type { Revision } from '@cluster/kv'
import type { Clock } from '@cluster/prelude'
import type { ClusterView } from '../registry/cluster-view.ts'
import { engineVersion } from '../registry/codec.ts'
import type { Registry } from '../registry/registry.ts'

export type Leadership = {
  /**
   * Renews the lease when it is due, takes it when it is free, and says whether this machine leads now.
   *
   * @param isLost whether a machine is known to be gone for good
   * @throws KvError; the lease then counts as not held until the next call
   */
  readonly campaign: (
    view: ClusterView,
    isLost: (machine: string) => boolean,
    signal: AbortSignal,
  ) => Promise<'leads' | 'follows'>
  /** Whether the lease is certainly still held; asked before every write. */
  readonly holds: () => boolean
  /** Gives the lease back, if it is held. */
  readonly release: (signal: AbortSignal) => Promise<void>
}

export type LeadershipOptions = {
  readonly registry: Registry
  readonly machine: string
  readonly ttlSeconds: number
  readonly renewEveryMs: number
  readonly clock: Clock
  /** A write of ours has this revision. */
  readonly onWrite: (revision: Revision) => void
}

export function createLeadership({
  registry,
  machine,
  ttlSeconds,
  renewEveryMs,
  clock,
  onWrite,
}: LeadershipOptions): Leadership {
  let held: { readonly revision: Revision; readonly renewedMs: number; readonly untilMs: number } | undefined
  /** After taking the lease of an engine without a version: it does not know, so it may act until its lease ends. */
  let actsFromMs = 0

  const hold = (revision: Revision, askedMs: number, seconds: number): void => {
    held = { revision, renewedMs: askedMs, untilMs: askedMs + seconds * 1000 }
    onWrite(revision)
  }

  const replace = async (revision: Revision, seconds: number, signal: AbortSignal): Promise<void> => {
    // Counted from before the request: the store cannot have started the TTL earlier.
    const askedMs = clock.monotonicMs()
    held = undefined
    const outcome = await registry.replaceLease(machine, seconds, revision, signal)
    if (outcome.ok) hold(outcome.value, askedMs, seconds)
  }

  const holds = (): boolean => {
    const now = clock.monotonicMs()
    return held !== undefined && now < held.untilMs && now >= actsFromMs
  }

  return {
    holds,
    async campaign(view, isLost, signal) {
      const { lease } = view
      // Somebody has taken the lease, or removed it, since our last write of it.
      if (held !== undefined && view.revision >= held.revision && lease?.machine !== machine) held = undefined
      if (held !== undefined) {
        const isDue = clock.monotonicMs() - held.renewedMs >= renewEveryMs
        if (isDue) await replace(held.revision, ttlSeconds, signal)
      } else if (lease === undefined) {
        const askedMs = clock.monotonicMs()
        const outcome = await registry.acquireLease(machine, ttlSeconds, signal)
        if (outcome.ok) hold(outcome.value, askedMs, ttlSeconds)
      } else if (lease.version < engineVersion) {
        const current = await registry.readLease(signal)
        const remainingSeconds = current?.ttlSeconds ?? ttlSeconds
        if (current !== undefined && current.value.version < engineVersion) {
          actsFromMs = clock.monotonicMs() + remainingSeconds * 1000
          await replace(current.revision, ttlSeconds + remainingSeconds, signal)
        }
      } else if (lease.version === engineVersion && (lease.machine === machine || isLost(lease.machine))) {
        // Our own from an earlier life or of unknown outcome, or one whose holder is gone.
        await replace(lease.revision, ttlSeconds, signal)
      }
      return holds() ? 'leads' : 'follows'
    },
    async release(signal) {
      const { revision } = held ?? {}
      held = undefined
      if (revision !== undefined) await registry.releaseLease(revision, signal)
    },
  }
}
