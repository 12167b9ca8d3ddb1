/**
 * Everybody's leases as the store has them, read entry by entry and only when an entry changed: a machine of a large
 * network hears of one lease at a time. Pure.
 */
import { isBelow, type Key, type KvEntry, type Revision } from '@cluster/kv'
import {
  describeSubnet,
  formatIp4,
  type LeaseAttributes,
  readLease,
  type Subnet,
  subnetsOverlap,
} from '@cluster/subnet'

/** A lease with the texts that the kernel is told, made once. */
export type KnownLease = {
  /** Without its path: `10.5.34.0-24`. */
  readonly key: string
  readonly subnet: Subnet
  /** `10.5.34.0/24` */
  readonly subnetText: string
  readonly publicIpText: string
  readonly attributes: LeaseAttributes
  readonly value: string
  readonly revision: Revision
  /** When this was read, and what was left then; absent: a reservation. */
  readonly readMonotonicMs: number
  readonly ttlSeconds?: number
}

/** A key below `subnets` that tells of no usable lease. */
export type JunkKey = { readonly key: Key; readonly reason: string }

/** How long leases outlive a store that lost them: in that time the machines that live write theirs again. */
const afterLossMs = 30_000

/** What stands below `subnets`. */
export type LeaseBook = {
  /** By key without path. The book's own map: it moves with the next `read`. */
  readonly leases: ReadonlyMap<string, KnownLease>
  readonly junk: ReadonlyMap<Key, JunkKey>
  /**
   * Takes what stands in the store now. When all leases are gone at once, or those that are gone were in another store,
   * it is the store that lost them, not the machines: they stay for half a minute, unless what is written meanwhile
   * contradicts them.
   *
   * @returns whether any lease appeared, vanished or has another value; junk not told of before; how many leases the
   *   store lost now
   */
  readonly read: (
    entries: ReadonlyMap<Key, KvEntry>,
    monotonicMs: number,
    isOtherStore?: boolean,
  ) => { readonly changed: boolean; readonly newJunk: readonly JunkKey[]; readonly lost: number }
  /** Until when the last of the lost leases stay, on the clock that `read` was told of; `undefined`: there are none. */
  readonly lostUntilMs: () => number | undefined
  /** Drops the lost leases whose time is over; whether there were any. */
  readonly expire: (monotonicMs: number) => boolean
}

/** An empty book of what stands below `subnets`. */
export function createLeaseBook(subnets: Key): LeaseBook {
  const seen = new Map<Key, KvEntry>()
  const leases = new Map<string, KnownLease>()
  const junk = new Map<Key, JunkKey>()
  /** Short keys of leases that the store has lost, and until when they stay. */
  const lost = new Map<string, number>()
  const shortKey = (key: Key): string => key.slice(subnets.length + 1)

  /** A store that was emptied, or a folder that was deleted as a whole; the first lease that is still there says no. */
  function areAllGone(entries: ReadonlyMap<Key, KvEntry>): boolean {
    for (const key of leases.keys()) if (!lost.has(key) && entries.has(`${subnets}/${key}`)) return false
    return leases.size > lost.size
  }

  /** Whether a lease that was written after the loss has the subnet, or the machine, of one that was lost. */
  const isContradicted = (key: string, news: readonly KnownLease[]): boolean => {
    const old = leases.get(key)
    return (
      old !== undefined &&
      news.some((one) => one.publicIpText === old.publicIpText || subnetsOverlap(one.subnet, old.subnet))
    )
  }

  return {
    leases,
    junk,
    lostUntilMs: () => (lost.size === 0 ? undefined : Math.max(...lost.values())),
    expire(monotonicMs) {
      let changed = false
      for (const [key, untilMs] of lost) {
        if (untilMs > monotonicMs) continue
        lost.delete(key)
        changed = leases.delete(key) || changed
      }
      return changed
    },
    read(entries, monotonicMs, isOtherStore = false) {
      let changed = false
      let lostNow = 0
      const newJunk: JunkKey[] = []
      const news: KnownLease[] = []
      const isLoss = isOtherStore || areAllGone(entries)
      for (const [key, entry] of entries) {
        const before = seen.get(key)
        if (before === entry || !isBelow(subnets, key)) continue
        seen.set(key, entry)
        lost.delete(shortKey(key))
        const known = leases.get(shortKey(key))
        if (known !== undefined && known.value === entry.value) {
          leases.set(known.key, { ...withoutTtl(known), ...timesOf(entry, monotonicMs) })
          continue
        }
        if (before?.value === entry.value) continue
        const lease = leaseOf(shortKey(key), entry, monotonicMs)
        changed ||= known !== undefined || lease.kind === 'lease'
        if (lease.kind === 'lease') {
          leases.set(lease.lease.key, lease.lease)
          if (lost.size > 0 || isLoss) news.push(lease.lease)
          junk.delete(key)
        } else {
          leases.delete(shortKey(key))
          junk.set(key, { key, reason: lease.reason })
          newJunk.push({ key, reason: lease.reason })
        }
      }
      for (const key of seen.keys()) {
        if (entries.has(key)) continue
        seen.delete(key)
        junk.delete(key)
        if (isLoss && leases.has(shortKey(key))) {
          lost.set(shortKey(key), monotonicMs + afterLossMs)
          lostNow += 1
        } else {
          changed = leases.delete(shortKey(key)) || changed
        }
      }
      for (const key of lost.keys()) {
        if (!isContradicted(key, news)) continue
        lost.delete(key)
        changed = leases.delete(key) || changed
      }
      return { changed, newJunk, lost: lostNow }
    },
  }
}

type Times = Pick<KnownLease, 'revision' | 'readMonotonicMs' | 'ttlSeconds'>

const timesOf = ({ revision, ttlSeconds }: KvEntry, readMonotonicMs: number): Times =>
  ttlSeconds === undefined ? { revision, readMonotonicMs } : { revision, readMonotonicMs, ttlSeconds }

function withoutTtl({ ttlSeconds: _gone, ...rest }: KnownLease): Omit<KnownLease, 'ttlSeconds'> {
  return rest
}

function leaseOf(
  key: string,
  entry: KvEntry,
  monotonicMs: number,
): { readonly kind: 'lease'; readonly lease: KnownLease } | { readonly kind: 'junk'; readonly reason: string } {
  const reading = readLease({ key, value: entry.value })
  if (reading.kind !== 'lease') return { kind: 'junk', reason: reading.reason }
  const { subnet, attributes } = reading.lease
  return {
    kind: 'lease',
    lease: {
      key,
      subnet,
      subnetText: describeSubnet(subnet),
      publicIpText: formatIp4(attributes.publicIp),
      attributes,
      value: entry.value,
      ...timesOf(entry, monotonicMs),
    },
  }
}

/** Seconds until the lease ends, negative when it has; absent: it does not end. */
export const expiresInSeconds = (lease: Times, monotonicMs: number): number | undefined =>
  lease.ttlSeconds === undefined ? undefined : lease.ttlSeconds - (monotonicMs - lease.readMonotonicMs) / 1000
