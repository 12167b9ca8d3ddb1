/**
 * Keeps the lease: renews it in time, makes it again when it has vanished, writes it back when somebody scribbled on it,
 * and gives way when another machine has it. Every write has a condition, so that no decision made on old news can do
 * harm: it bounces, and what stands there is looked at.
 */
import type { Kv, KvEntry, Precondition } from '@cluster/kv'
import { type Clock, createDoorbell, isClusterError, type Random } from '@cluster/prelude'
import {
  describeSubnet,
  encodeAttributes,
  formatIp4,
  type LeaseAttributes,
  leaseEndMs,
  leaseTtlSeconds,
  type NetworkConfig,
  parseAttributes,
  renewalDelayMs,
  toIp4,
} from '@cluster/subnet'
import { acquireLease, type HeldLease, heldLease, isKvError, timesNow } from './acquire-lease.ts'
import type { FlannelEvents } from './events.ts'
import type { Keyspace } from './keyspace.ts'
import type { NetworkView } from './network-view.ts'

export type LeaseHolder = {
  readonly lease: () => HeldLease
  /** Seconds until the next renewal; absent for a reservation. */
  readonly renewsInSeconds: () => number | undefined
  /** What others must know of us has changed. */
  readonly update: (attributes: LeaseAttributes) => void
  /** Whether somebody else writes our key under our own public address. */
  readonly isContested: () => boolean
  /** Until the signal fires, or another machine has the lease. */
  readonly run: (signal: AbortSignal) => Promise<'stopped' | 'taken'>
}

export type LeaseHolderOptions = {
  readonly kv: Kv
  readonly keyspace: Keyspace
  readonly view: NetworkView
  readonly config: NetworkConfig
  readonly lease: HeldLease
  /** How long before its end the lease is renewed. */
  readonly marginSeconds: number
  readonly clock: Clock
  readonly random: Random
  readonly events: FlannelEvents
}

/** What leases without an owner say. */
const unsetIp4 = toIp4(0)
const backOff = { firstMs: 1000, longestMs: 60_000 }
/** A scribbled-on lease is written back at most this often: two machines with one address would do nothing else. */
const restoreApartMs = 60_000
/** How often the clocks are compared, and how far they may drift apart before the store is asked what is left. */
const clockCheckMs = 30_000
const clockDriftMaxMs = 10_000

/** What is to be done next about the lease. */
type Next =
  | { readonly kind: 'wait'; readonly ms: number }
  /** Ask the store what stands there. */
  | { readonly kind: 'read' }
  /** Make the lease again, unless somebody else has the subnet or a part of it. */
  | { readonly kind: 'recreate' }
  | { readonly kind: 'write'; readonly why: 'renew' | 'restore' | 'update'; readonly onlyIf: Precondition }
  | { readonly kind: 'taken'; readonly by: string }

export function createLeaseHolder(options: LeaseHolderOptions): LeaseHolder {
  const { kv, keyspace, view, config, marginSeconds, clock, random, events } = options
  const doorbell = createDoorbell(clock)
  let { lease } = options
  const subnet = describeSubnet(lease.subnet)
  let wanted = lease.attributes
  /** What was found at our key and not dealt with yet; `'absent'`: nothing. */
  let found: KvEntry | 'absent' | undefined
  let lastRestoreMs = Number.NEGATIVE_INFINITY
  let mayActAtMs = Number.NEGATIVE_INFINITY
  let failures = 0
  let isContested = false
  let renewAtMs = nextRenewal()

  function nextRenewal(): number {
    if (lease.ttlSeconds === undefined) return Number.POSITIVE_INFINITY
    const nowMs = clock.monotonicMs()
    const endMs = leaseEndMs(lease.atMonotonicMs, lease.ttlSeconds)
    const delayMs = renewalDelayMs({ nowMs, endMs, marginSeconds, random })
    events.leaseRenews({ subnet, inSeconds: Math.round(delayMs / 1000) })
    return nowMs + delayMs
  }

  /** What the view says of our key, if it is newer than what we know. */
  function look(resync: boolean): void {
    if (!resync && view.revision() < lease.revision) return
    const entry = view.entry(lease.key)
    if (entry === undefined) found = 'absent'
    else if (entry.revision !== lease.revision || resync) found = entry
    else return
    // After an outage there is no reason to wait any longer.
    if (resync) mayActAtMs = Number.NEGATIVE_INFINITY
    doorbell.ring()
  }

  function decide(): Next {
    const nowMs = clock.monotonicMs()
    if (found === 'absent') return { kind: 'recreate' }
    if (found !== undefined) {
      const next = judgeFound(found)
      if (next !== undefined) return next
    }
    const onlyIf = { kind: 'revision', revision: lease.revision } as const
    if (wanted !== lease.attributes) return { kind: 'write', why: 'update', onlyIf }
    if (hasClockJumped()) return { kind: 'read' }
    if (nowMs >= renewAtMs) return { kind: 'write', why: 'renew', onlyIf }
    return { kind: 'wait', ms: Math.min(renewAtMs - nowMs, clockCheckMs) }
  }

  /** `undefined`: it is ours and in order, and is what we hold from now on. */
  function judgeFound(entry: KvEntry): Next | undefined {
    const attributes = parseAttributes(entry.value)
    const owner = attributes?.publicIp ?? unsetIp4
    if (owner !== unsetIp4 && owner !== lease.attributes.publicIp && owner !== wanted.publicIp) {
      return { kind: 'taken', by: formatIp4(owner) }
    }
    const text = attributes === undefined ? undefined : encodeAttributes(attributes)
    if (text === encodeAttributes(lease.attributes) || text === encodeAttributes(wanted)) {
      take(entry, text === encodeAttributes(wanted) ? wanted : lease.attributes)
      return undefined
    }
    const waitMs = lastRestoreMs + restoreApartMs - clock.monotonicMs()
    if (waitMs > 0) return { kind: 'wait', ms: Math.min(waitMs, clockCheckMs) }
    events.leaseRewritten({ subnet, found: entry.value.slice(0, 200), ours: encodeAttributes(wanted) })
    isContested = true
    return { kind: 'write', why: 'restore', onlyIf: { kind: 'revision', revision: entry.revision } }
  }

  function take(entry: KvEntry, attributes: LeaseAttributes): void {
    const isNews = entry.revision !== lease.revision || entry.ttlSeconds !== undefined
    const { revision, ttlSeconds } = entry
    const times = { ...timesNow(clock), ...(ttlSeconds === undefined ? {} : { ttlSeconds }) }
    lease = heldLease({ keyspace, attributes }, lease.subnet, { ...times, revision })
    if (isNews) renewAtMs = nextRenewal()
    found = undefined
  }

  /** Suspended machines and set clocks: the monotonic one stands still, or the other one jumps. */
  const hasClockJumped = (): boolean =>
    Math.abs(clock.nowMs() - lease.atWallMs - (clock.monotonicMs() - lease.atMonotonicMs)) > clockDriftMaxMs

  async function write({ why, onlyIf }: Next & { readonly kind: 'write' }, signal: AbortSignal): Promise<void> {
    const attributes = wanted
    // What had no end keeps having none.
    const ttl = lease.ttlSeconds === undefined ? {} : { ttlSeconds: leaseTtlSeconds }
    if (why === 'restore') lastRestoreMs = clock.monotonicMs()
    const sent = timesNow(clock)
    const put = await kv.put(lease.key, encodeAttributes(attributes), { onlyIf, ...ttl, signal })
    if (!put.ok) {
      found = put.error.found ?? (await kv.get(lease.key, signal)) ?? 'absent'
      return
    }
    found = undefined
    lease = heldLease({ keyspace, attributes }, lease.subnet, { ...sent, ...ttl, revision: put.value })
    renewAtMs = nextRenewal()
    if (why !== 'restore') events.leaseRenewed({ subnet, ...ttl })
  }

  /** Answers whether another machine has the subnet. */
  async function recreate(signal: AbortSignal): Promise<'taken' | 'done'> {
    const applicant = { config, publicIp: wanted.publicIp, only: lease.subnet }
    const deadlineMs = restoreApartMs
    const acquiring = { kv, keyspace, applicant, attributes: wanted, deadlineMs, clock, random, events }
    try {
      const again = await acquireLease(acquiring, signal)
      if (again === undefined) return 'done'
      lease = again
      found = undefined
      renewAtMs = nextRenewal()
      events.leaseRecreated({ subnet })
      return 'done'
    } catch (error) {
      if (!isClusterError(error, 'flannel/lease-taken')) throw error
      events.leaseTaken({ subnet, by: error.message })
      return 'taken'
    }
  }

  return {
    lease: () => lease,
    isContested: () => isContested,
    renewsInSeconds: () =>
      renewAtMs === Number.POSITIVE_INFINITY ? undefined : (renewAtMs - clock.monotonicMs()) / 1000,
    update(attributes) {
      if (encodeAttributes(attributes) === encodeAttributes(wanted)) return
      wanted = attributes
      doorbell.ring()
    },
    async run(signal) {
      const forget = view.onChange(({ resync }) => look(resync))
      try {
        while (!signal.aborted) {
          const waitMs = mayActAtMs - clock.monotonicMs()
          const next: Next = waitMs > 0 ? { kind: 'wait', ms: waitMs } : decide()
          if (next.kind === 'taken') {
            events.leaseTaken({ subnet, by: next.by })
            return 'taken'
          }
          if (next.kind === 'wait') {
            await doorbell.wait(next.ms, signal)
            continue
          }
          try {
            if (next.kind === 'recreate' && (await recreate(signal)) === 'taken') return 'taken'
            if (next.kind === 'read') found = (await kv.get(lease.key, signal)) ?? 'absent'
            else if (next.kind === 'write') await write(next, signal)
            failures = 0
          } catch (error) {
            if (signal.aborted) break
            if (!isKvError(error) && !isClusterError(error, 'flannel/no-lease')) throw error
            const longestMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(failures, 20))
            const delayMs = Math.round(longestMs * (0.5 + random.next() / 2))
            failures += 1
            mayActAtMs = clock.monotonicMs() + delayMs
            events.leaseWriteFailed(error, { subnet, retryInMs: delayMs })
          }
        }
        return 'stopped'
      } finally {
        forget()
      }
    },
  }
}
