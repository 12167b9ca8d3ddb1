/**
 * The registry as this process sees it: one follower for engine, agent and publisher. While the store cannot be read
 * there is no view, which is not an empty view: nobody plans on it.
 */
import { type FollowUpdate, type FollowView, follow, type Key, type Kv, type KvEntry, type Revision } from '@cluster/kv'
import type { Clock, Logger, Random } from '@cluster/prelude'
import { createMachineLosses, type MachineLosses } from './engine/machine-losses.ts'
import type { ClusterView } from './registry/cluster-view.ts'
import type { KeyMeaning, Keyspace } from './registry/keyspace.ts'
import { createViewReader, type Touched } from './registry/view-reader.ts'
import { atOnce, inSlices, type Sliced } from './slices.ts'
import type { StoreHealth } from './store-health.ts'

export type ClusterChange = {
  /** Kinds of keys that appeared, vanished or got another value. */
  readonly kinds: ReadonlySet<KeyMeaning['kind']>
  /** The same with all there is to know, in no particular order. */
  readonly meanings: readonly KeyMeaning[]
  /** Everything was read anew; things may have come and gone unseen. */
  readonly resync: boolean
}

export type ObservedCluster = {
  /** What the registry holds, as far as is known here; `undefined` while the store cannot be read, or is read at first. */
  readonly view: () => ClusterView | undefined
  /** Called for every change, and after every outage. Never while the store is away. */
  readonly onChange: (listener: (change: ClusterChange) => void) => void
  /**
   * What the view shows differently since the last call; the first time, all that it shows. One caller: what it was told
   * is not told again. Names what the last view that was asked for shows, and nothing newer.
   */
  readonly takeTouched: () => Touched
  readonly losses: MachineLosses
  /** Tells of a write of this process: a view that does not catch up with it has come loose and is read anew. */
  readonly wrote: (revision: Revision) => void
  /** Follows until the signal fires. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

export type ObservedClusterOptions = {
  readonly kv: Kv
  readonly keyspace: Keyspace
  readonly health: StoreHealth
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly losses: { readonly ttlMs: number; readonly deletedGraceMs: number }
  /** How long a write of ours may stay unseen before the follower is started anew. */
  readonly looseAfterMs: number
}

type Latest = { readonly entries: ReadonlyMap<Key, KvEntry>; readonly revision: Revision }

/** More changes than these are read in slices, as they come; fewer when somebody asks for the view. */
const readAtOnceMax = 128

export function createObservedCluster({
  kv,
  keyspace,
  health,
  clock,
  random,
  log,
  losses: lossTimes,
  looseAfterMs,
}: ObservedClusterOptions): ObservedCluster {
  const reader = createViewReader(keyspace)
  const losses = createMachineLosses(lossTimes)
  const listeners: ((change: ClusterChange) => void)[] = []
  let latest: Latest | undefined
  let cached: ClusterView | undefined
  /** What the reader has not been told yet; `everything` after a resync. */
  let unread: Set<Key> | 'everything' = 'everything'
  /** Whether the reader is at work, in slices. Meanwhile what it showed last is the view. */
  let isReading = false
  /** What `takeTouched` is to tell; not kept before anybody asked. */
  let touched: { readonly units: Set<string>; readonly machines: Set<string> } | undefined
  let unseen: { readonly revision: Revision; readonly sinceMs: number } | undefined
  let reported = new Set<string>()

  const view = (): ClusterView | undefined => {
    if (latest === undefined) return undefined
    if (cached === undefined && !isReading) show(atOnce(reading(latest)))
    return cached
  }
  const reading = ({ entries, revision }: Latest): Sliced<ClusterView> =>
    unread === 'everything'
      ? reader.readSliced(entries.values(), revision)
      : reader.updateSliced(unread, entries, revision)
  const show = (view: ClusterView): void => {
    cached = view
    unread = new Set()
    reported = reportProblems(view, reported, log)
    const { units, machines } = reader.takeTouched()
    if (touched === undefined) return
    for (const unit of units) touched.units.add(unit)
    for (const machine of machines) touched.machines.add(machine)
  }

  const take = async (update: FollowView): Promise<void> => {
    const nowMs = clock.monotonicMs()
    health.succeeded()
    latest = { entries: update.entries, revision: update.revision }
    if (unseen !== undefined && update.revision >= unseen.revision) unseen = undefined
    if (update.changedKeys.size === 0 && !update.resync) {
      // Only a lease's revision can have moved, and whoever needs that reads it from the entry below.
      cached = refreshedLease(cached, latest, keyspace)
      return
    }
    if (update.resync) unread = 'everything'
    else if (unread !== 'everything') for (const key of update.changedKeys) unread.add(key)
    if (unread === 'everything' || unread.size > readAtOnceMax) {
      isReading = true
      show(await inSlices(reading(latest)))
      isReading = false
    } else cached = undefined
    const meanings = [...update.changedKeys].map((key) => keyspace.parse(key))
    if (update.resync) losses.resynced()
    for (const key of update.changedKeys) {
      const meaning = keyspace.parse(key)
      if (meaning.kind !== 'machine') continue
      if (update.entries.has(key)) losses.returned(meaning.machine)
      else if (!update.resync) {
        const how = update.expiredKeys.has(key) ? 'expired' : 'deleted'
        losses.vanished(meaning.machine, { how, atMs: nowMs, healthySinceMs: health.healthySinceMs() })
      }
    }
    const change = { kinds: new Set(meanings.map(({ kind }) => kind)), meanings, resync: update.resync }
    for (const listener of listeners) listener(change)
  }

  const handle = async (update: FollowUpdate): Promise<void> => {
    if (update.kind === 'view') await take(update)
    else {
      health.failed()
      latest = undefined
      cached = undefined
    }
  }

  /** Follows once; returns when the signal fires or the view has come loose. */
  const followOnce = async (signal: AbortSignal): Promise<void> => {
    const session = new AbortController()
    const both = AbortSignal.any([signal, session.signal])
    const watchDog = async (): Promise<void> => {
      while (!both.aborted) {
        await clock.sleep(looseAfterMs / 2, both)
        if (unseen === undefined || latest === undefined || clock.monotonicMs() - unseen.sinceMs < looseAfterMs)
          continue
        log.warn('the watch of the store is behind, reading again', { behindMs: clock.monotonicMs() - unseen.sinceMs })
        unseen = undefined
        session.abort()
      }
    }
    const dog = watchDog()
    try {
      const options = { signal: both, clock, random, log, backOff: { firstMs: 100, longestMs: 1000 } }
      for await (const update of follow(kv, keyspace.prefix, options)) await handle(update)
    } finally {
      session.abort()
      await dog
    }
  }

  return {
    view,
    takeTouched() {
      const told = touched ?? { units: new Set(cached?.units.keys()), machines: new Set(cached?.machines.keys()) }
      touched = { units: new Set(), machines: new Set() }
      return told
    },
    losses,
    onChange: (listener) => {
      listeners.push(listener)
    },
    wrote(revision) {
      if (latest !== undefined && latest.revision >= revision) return
      // The oldest write counts: in a burst there is always one on its way, however quickly each comes back.
      unseen ??= { revision, sinceMs: clock.monotonicMs() }
    },
    async run(signal) {
      while (!signal.aborted) await followOnce(signal)
      latest = undefined
      cached = undefined
    },
  }
}

/** A refreshed TTL changes nothing but revisions; only the lease's is of interest. */
function refreshedLease(view: ClusterView | undefined, latest: Latest, keyspace: Keyspace): ClusterView | undefined {
  const entry = latest.entries.get(keyspace.engineLease)
  if (view === undefined) return undefined
  if (entry === undefined || view.lease === undefined) return { ...view, revision: latest.revision }
  return { ...view, revision: latest.revision, lease: { ...view.lease, revision: entry.revision } }
}

/** Says each problem once, until it has gone and come again. */
function reportProblems(view: ClusterView, before: ReadonlySet<string>, log: Logger): Set<string> {
  const now = new Set<string>()
  for (const { key, problem } of view.problems) {
    const text = `${key} ${problem}`
    now.add(text)
    if (!before.has(text)) log.warn('a value in the registry cannot be used', { key, problem })
  }
  return now
}
