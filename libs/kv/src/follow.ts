/**
 * The loop that everything which acts on the store runs on: read a prefix, watch it from there, read again when
 * history is gone, wait and say so while the store cannot be reached. Never hands out an empty view for want of data.
 */
import { type Clock, isClusterError, type Logger, type Random, silentLogger } from '@cluster/prelude'
import type { KvError } from './errors.ts'
import type { Key, Kv, KvEntry, Revision } from './kv.ts'
import { createMirror, type Mirror } from './mirror.ts'

/** What stands below the prefix now, and how it differs from the view before. */
export type FollowView = {
  readonly kind: 'view'
  readonly revision: Revision
  /** The follower's own map, whole at every moment; it moves when the next update is asked for. Copy it to keep it. */
  readonly entries: ReadonlyMap<Key, KvEntry>
  /** Keys that appeared, vanished or got another value since the last view; empty when only TTLs were refreshed. */
  readonly changedKeys: ReadonlySet<Key>
  /** Keys whose expiry was seen as it happened. Always empty in a view that was read anew. */
  readonly expiredKeys: ReadonlySet<Key>
  /**
   * The view was read anew, not built from events: it is the first, or comes after an outage or lost history. What
   * vanished may have expired long ago or just now, and things may have come and gone unseen.
   */
  readonly resync: boolean
}

export type FollowUpdate =
  | FollowView
  /** The store cannot be reached since then. Said once per outage; the next update is a view with `resync: true`. */
  | { readonly kind: 'unavailable'; readonly sinceMonotonicMs: number; readonly error: KvError }

export type FollowOptions = {
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly random: Random
  readonly log?: Logger
  /** First and longest wait between two attempts while the store is away; each is jittered down to its half. */
  readonly backOff?: { readonly firstMs: number; readonly longestMs: number }
}

/**
 * Views of everything below `prefix`, one per batch of events, until the signal fires (then it returns).
 *
 * @throws KvError `kv/invalid-key` for a prefix that is none; every other failure is an update and tried again
 */
export async function* follow(
  kv: Kv,
  prefix: Key,
  { signal, clock, random, log = silentLogger, backOff = { firstMs: 100, longestMs: 2000 } }: FollowOptions,
): AsyncGenerator<FollowUpdate, void, undefined> {
  let mirror: Mirror | undefined
  let outageSinceMs: number | undefined
  let failures = 0

  while (!signal.aborted) {
    let watchingSinceMs: number | undefined
    try {
      const snapshot = await kv.range(prefix, signal)
      mirror ??= createMirror(prefix, { revision: snapshot.revision, entries: [] })
      const change = mirror.applySnapshot(snapshot)
      if (outageSinceMs !== undefined) {
        const outageMs = clock.monotonicMs() - outageSinceMs
        log.info('store reachable again', { prefix, revision: change.revision, outageMs })
        outageSinceMs = undefined
      }
      yield { ...viewOf(mirror, change), resync: true }
      watchingSinceMs = clock.monotonicMs()
      for await (const events of kv.watch(prefix, mirror.revision(), signal)) {
        failures = 0
        const next = mirror.applyEvents(events)
        if (next.kind === 'must-read') {
          log.warn('events were missed, reading again', { prefix, reason: next.reason })
          break
        }
        yield { ...viewOf(mirror, next), resync: false }
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isKvError(error) || error.code === 'kv/invalid-key') throw error
      if (error.code === 'kv/compacted') {
        log.debug('history is gone, reading again', { prefix, reason: error.message })
      } else if (outageSinceMs === undefined) {
        outageSinceMs = clock.monotonicMs()
        log.warn('store cannot be reached', { prefix, code: error.code, reason: error.message })
        yield { kind: 'unavailable', sinceMonotonicMs: outageSinceMs, error }
      }
    }
    if (watchingSinceMs !== undefined && clock.monotonicMs() - watchingSinceMs > backOff.longestMs) failures = 0
    // The first re-read after lost history is at once; whatever goes wrong again without an event in between, waits.
    if (outageSinceMs !== undefined || failures > 0) {
      const longestMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(failures, 20))
      await clock.sleep(longestMs * (0.5 + random.next() / 2), signal)
    }
    failures += 1
  }
}

const viewOf = (
  mirror: Mirror,
  change: {
    readonly revision: Revision
    readonly changedKeys: ReadonlySet<Key>
    readonly expiredKeys: ReadonlySet<Key>
  },
): Omit<FollowView, 'resync'> => ({
  kind: 'view',
  revision: change.revision,
  entries: mirror.entries,
  changedKeys: change.changedKeys,
  expiredKeys: change.expiredKeys,
})

const isKvError = (error: unknown): error is KvError => isClusterError(error) && error.code.startsWith('kv/')
