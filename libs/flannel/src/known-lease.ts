/**
 * Everybody's leases as the store has them, read entry by entry and only when an entry changed: a machine of a large
 * network hears of one lease at a time. Pure.
 */
import { isBelow, type Key, type KvEntry, type Revision } from '@cluster/kv'
import { describeSubnet, formatIp4, type LeaseAttributes, readLease, type Subnet } from '@cluster/subnet'

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

/** What stands below `subnets`. */
export type LeaseBook = {
  /** By key without path. The book's own map: it moves with the next `read`. */
  readonly leases: ReadonlyMap<string, KnownLease>
  readonly junk: ReadonlyMap<Key, JunkKey>
  /**
   * Takes what stands in the store now.
   *
   * @returns whether any lease appeared, vanished or has another value, and junk not told of before
   */
  readonly read: (
    entries: ReadonlyMap<Key, KvEntry>,
    monotonicMs: number,
  ) => { readonly changed: boolean; readonly newJunk: readonly JunkKey[] }
}

/** An empty book of what stands below `subnets`. */
export function createLeaseBook(subnets: Key): LeaseBook {
  const seen = new Map<Key, KvEntry>()
  const leases = new Map<string, KnownLease>()
  const junk = new Map<Key, JunkKey>()
  const shortKey = (key: Key): string => key.slice(subnets.length + 1)

  return {
    leases,
    junk,
    read(entries, monotonicMs) {
      let changed = false
      const newJunk: JunkKey[] = []
      for (const [key, entry] of entries) {
        const before = seen.get(key)
        if (before === entry || !isBelow(subnets, key)) continue
        seen.set(key, entry)
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
        changed = leases.delete(shortKey(key)) || changed
      }
      return { changed, newJunk }
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
