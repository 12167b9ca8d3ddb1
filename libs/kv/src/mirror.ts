/**
 * A prefix of the store, kept current from one snapshot and the events after it. Pure: it never reads, it says when
 * somebody must.
 */
import { isBelow } from './key.ts'
import type { Key, KvEntry, KvEvent, KvSnapshot, Revision } from './kv.ts'

/** What a snapshot or a batch of events did to the mirror. */
export type MirrorChange =
  | {
      readonly kind: 'moved'
      readonly revision: Revision
      /** Keys that appeared, vanished or got another value. A put of the same value (a TTL refresh) is none. */
      readonly changedKeys: ReadonlySet<Key>
      /** Those of the vanished that ran out of time and did not come back in the same batch. */
      readonly expiredKeys: ReadonlySet<Key>
    }
  /** The events do not fit what the mirror holds, so something was missed. The mirror is as before the batch. */
  | { readonly kind: 'must-read'; readonly reason: string }

export type Mirror = {
  readonly prefix: Key
  /** Up to where the mirror knows what happened. */
  readonly revision: () => Revision
  /** The mirror's own map: whole at every moment, in no particular order; moves with the next `apply…`. */
  readonly entries: ReadonlyMap<Key, KvEntry>
  /** Takes a fresh snapshot; the change is what differs from before. */
  readonly applySnapshot: (snapshot: KvSnapshot) => MirrorChange & { readonly kind: 'moved' }
  /** Takes one batch of events. Events that the mirror knows already are passed over. */
  readonly applyEvents: (events: readonly KvEvent[]) => MirrorChange
}

/** A mirror of `prefix` that holds `snapshot`. */
export function createMirror(prefix: Key, snapshot: KvSnapshot): Mirror {
  const entries = new Map(snapshot.entries.map((entry) => [entry.key, entry]))
  let revision = snapshot.revision

  return {
    prefix,
    entries,
    revision: () => revision,
    applySnapshot: (fresh) => {
      const changedKeys = new Set<Key>()
      const vanished = new Set(entries.keys())
      for (const entry of fresh.entries) {
        vanished.delete(entry.key)
        if (entries.get(entry.key)?.value !== entry.value) changedKeys.add(entry.key)
        entries.set(entry.key, entry)
      }
      for (const key of vanished) {
        entries.delete(key)
        changedKeys.add(key)
      }
      revision = fresh.revision
      return { kind: 'moved', revision, changedKeys, expiredKeys: new Set() }
    },
    applyEvents: (events) => {
      const news = events.filter((event) => event.revision > revision)
      const missed = whatWasMissed(entries, news)
      if (missed !== undefined) return { kind: 'must-read', reason: missed }
      const before = new Map<Key, string | undefined>()
      const remember = (key: Key): void => {
        if (!before.has(key)) before.set(key, entries.get(key)?.value)
      }
      const expiredKeys = new Set<Key>()
      for (const event of news) {
        if (event.type === 'put') {
          remember(event.key)
          entries.set(event.key, entryOf(event))
          expiredKeys.delete(event.key)
        } else {
          for (const key of removedBy(event, entries)) {
            remember(key)
            entries.delete(key)
            if (event.expired) expiredKeys.add(key)
            else expiredKeys.delete(key)
          }
        }
        revision = event.revision
      }
      const changedKeys = new Set<Key>()
      for (const [key, value] of before) if (entries.get(key)?.value !== value) changedKeys.add(key)
      return { kind: 'moved', revision, changedKeys, expiredKeys }
    },
  }
}

/** The first sign that events are missing or out of order, found before anything is touched. */
function whatWasMissed(entries: ReadonlyMap<Key, KvEntry>, events: readonly KvEvent[]): string | undefined {
  let latest = 0
  // Only batches with deletes need to know which keys stand there in between.
  const added = new Set<Key>()
  const removed = new Set<Key>()
  for (const event of events) {
    if (event.revision < latest) return `revision ${event.revision} came after ${latest}`
    latest = event.revision
    if (event.type === 'put') {
      added.add(event.key)
      removed.delete(event.key)
    } else if (event.type === 'delete') {
      const known = added.has(event.key) || (entries.has(event.key) && !removed.has(event.key))
      if (!known) return `${event.key}, deleted at revision ${event.revision}, was not known`
      added.delete(event.key)
      removed.add(event.key)
    } else {
      for (const keys of [added, entries.keys()]) {
        for (const key of keys) if (key === event.key || isBelow(event.key, key)) removed.add(key)
      }
      for (const key of removed) added.delete(key)
    }
  }
  return undefined
}

const entryOf = ({ key, value, revision, ttlSeconds }: KvEvent & { type: 'put' }): KvEntry =>
  ttlSeconds === undefined ? { key, value, revision } : { key, value, revision, ttlSeconds }

function removedBy(event: Exclude<KvEvent, { type: 'put' }>, entries: ReadonlyMap<Key, KvEntry>): readonly Key[] {
  if (event.type === 'delete') return [event.key]
  return [...entries.keys()].filter((key) => key === event.key || isBelow(event.key, key))
}
