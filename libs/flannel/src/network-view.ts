/**
 * One network as the store has it: its configuration and everybody's leases, followed through outages, lost history and
 * a store that was replaced. What cannot be read leaves the view as it is: no news is not an empty network.
 */
import { follow, type Key, type Kv, type KvEntry } from '@cluster/kv'
import type { Clock, Logger, Random } from '@cluster/prelude'
import type { FlannelEvents } from './events.ts'
import type { Keyspace } from './keyspace.ts'
import { createLeaseBook, type LeaseBook } from './known-lease.ts'

/** What is told of each new view. */
export type ViewChange = {
  /** A lease appeared, vanished or has another value. */
  readonly leasesChanged: boolean
  readonly configChanged: boolean
  /** Read anew: the first view, or after an outage, lost history, or a store that was replaced. */
  readonly resync: boolean
}

export type NetworkView = {
  readonly book: LeaseBook
  /** Whether the store was ever read. */
  readonly isKnown: () => boolean
  readonly configText: () => string | undefined
  readonly revision: () => number
  /** What stands at our own key now, whatever it says. */
  readonly entry: (key: Key) => KvEntry | undefined
  readonly unreachableSinceMs: () => number | undefined
  /** Called with every new view, in the same turn; the answer takes the listener away. */
  readonly onChange: (listener: (change: ViewChange) => void) => () => void
  /** Resolves with the next view, or when the signal fires. */
  readonly next: (signal: AbortSignal) => Promise<void>
  /**
   * Reads and watches anew. For when the address of this machine has changed: a watch from the former one hears nothing
   * any more, and seconds pass before its connection counts as dead.
   */
  readonly reconnect: () => void
  /** Follows the store until the signal fires. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** A view that knows nothing before `run`. */
export function createNetworkView({
  kv,
  keyspace,
  clock,
  random,
  log,
  events,
}: {
  readonly kv: Kv
  readonly keyspace: Keyspace
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly events: FlannelEvents
}): NetworkView {
  const book = createLeaseBook(keyspace.subnets)
  const listeners = new Set<(change: ViewChange) => void>()
  let entries: ReadonlyMap<Key, KvEntry> | undefined
  let configText: string | undefined
  let revision = 0
  let unreachableSinceMs: number | undefined
  let cut = new AbortController()

  return {
    book,
    isKnown: () => entries !== undefined,
    configText: () => configText,
    revision: () => revision,
    entry: (key) => entries?.get(key),
    unreachableSinceMs: () => unreachableSinceMs,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    next: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const done = (): void => {
          listeners.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        listeners.add(done)
        signal.addEventListener('abort', done, { once: true })
      }),
    reconnect: () => cut.abort(),
    async run(signal) {
      while (!signal.aborted) {
        cut = new AbortController()
        await followUntil(AbortSignal.any([signal, cut.signal]), signal)
      }
    },
  }

  /** Those that nobody writes again are dropped when their time is over. */
  async function dropLost(count: number, signal: AbortSignal): Promise<void> {
    const untilMs = book.lostUntilMs()
    if (untilMs === undefined) return
    const waitMs = untilMs - clock.monotonicMs()
    events.leasesLost({ count, keptSeconds: Math.round(waitMs / 1000) })
    await clock.sleep(waitMs, signal)
    if (signal.aborted || !book.expire(clock.monotonicMs())) return
    for (const listener of [...listeners]) listener({ leasesChanged: true, configChanged: false, resync: false })
  }

  async function followUntil(signal: AbortSignal, whole: AbortSignal): Promise<void> {
    for await (const update of follow(kv, keyspace.root, { signal, clock, random, log })) {
      if (update.kind === 'unavailable') {
        unreachableSinceMs ??= update.sinceMonotonicMs
        continue
      }
      unreachableSinceMs = undefined
      entries = update.entries
      // No store counts backwards: this one was made anew, or from a backup.
      const isOtherStore = update.resync && update.revision < revision
      revision = update.revision
      const before = configText
      configText = update.entries.get(keyspace.config)?.value
      const { changed, newJunk, lost } = book.read(update.entries, clock.monotonicMs(), isOtherStore)
      if (lost > 0) void dropLost(lost, whole)
      for (const { key, reason } of newJunk) events.junkKey({ key, reason })
      const change = { leasesChanged: changed, configChanged: before !== configText, resync: update.resync }
      for (const listener of [...listeners]) listener(change)
    }
  }
}
