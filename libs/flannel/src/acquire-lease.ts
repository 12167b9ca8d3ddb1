/** Gets a subnet: does the steps that `@cluster/subnet` decides on to the store, until the end or the deadline. */
import { isBelow, type Key, type Kv, type KvEntry, type KvError, type Revision } from '@cluster/kv'
import { type Clock, isClusterError, type Random } from '@cluster/prelude'
import {
  type AllocationAnswer,
  type AllocationStep,
  type Applicant,
  beginAllocation,
  continueAllocation,
  describeSubnet,
  encodeAttributes,
  formatIp4,
  type LeaseAttributes,
  type ListedLease,
  type Listing,
  readLease,
  type Subnet,
  type SubnetErrorCode,
  subnetKey,
} from '@cluster/subnet'
import { FlannelError, type FlannelErrorCode } from './errors.ts'
import type { FlannelEvents } from './events.ts'
import type { Keyspace } from './keyspace.ts'
import { releaseLease } from './release-lease.ts'

/** A lease of ours as it was last written or seen. */
export type HeldLease = {
  readonly subnet: Subnet
  readonly key: Key
  readonly attributes: LeaseAttributes
  readonly revision: Revision
  /** When it was read or written, on both clocks, and what was left then; absent: a reservation. */
  readonly atMonotonicMs: number
  readonly atWallMs: number
  readonly ttlSeconds?: number
}

export type AcquireOptions = {
  readonly kv: Kv
  readonly keyspace: Keyspace
  readonly applicant: Applicant
  readonly attributes: LeaseAttributes
  /** How long to go on losing races. The store being away does not count. */
  readonly deadlineMs: number
  readonly clock: Clock
  readonly random: Random
  readonly events: FlannelEvents
}

type Listed = ListedLease & { readonly revision: Revision }
type Step = AllocationStep<Listed>
type Done = { readonly answer: AllocationAnswer<Listed>; readonly revision?: Revision }

/** How an allocation that failed is told. */
const codeOf = {
  'subnet/out-of-subnets': 'flannel/out-of-subnets',
  'subnet/taken': 'flannel/lease-taken',
  'subnet/max-retries': 'flannel/no-lease',
  'subnet/no-answer': 'flannel/no-lease',
} as const satisfies Record<SubnetErrorCode, FlannelErrorCode>

const backOff = { firstMs: 250, longestMs: 5000 }

/**
 * A lease for this machine; `undefined` when the signal fired.
 *
 * @throws FlannelError `flannel/out-of-subnets`, `flannel/no-lease`; `flannel/lease-taken` if the applicant wants one only
 */
export async function acquireLease(options: AcquireOptions, signal: AbortSignal): Promise<HeldLease | undefined> {
  const { keyspace, applicant, attributes, deadlineMs, clock, random, events } = options
  const startedMs = clock.monotonicMs()
  let allocation = beginAllocation<Listed>(applicant)
  let revision: Revision | undefined
  let sent = timesNow(clock)
  let failures = 0
  let awayMs = 0

  while (!signal.aborted) {
    const { step } = allocation
    if (step.kind === 'acquired' && revision !== undefined) {
      const ttl = step.ttlSeconds === undefined ? {} : { ttlSeconds: step.ttlSeconds }
      const lease = heldLease({ keyspace, attributes }, step.subnet, { ...sent, ...ttl, revision })
      const publicIp = formatIp4(attributes.publicIp)
      events.leaseAcquired({
        subnet: describeSubnet(step.subnet),
        publicIp,
        how: step.how,
        attempts: allocation.attempts + 1,
      })
      return lease
    }
    if (step.kind === 'failed') {
      throw new FlannelError(codeOf[step.code], step.text, { hint: step.hint })
    }
    if (clock.monotonicMs() - startedMs - awayMs > deadlineMs) {
      const text = `no subnet within ${deadlineMs / 1000} s and ${allocation.attempts} attempts`
      throw new FlannelError('flannel/no-lease', text, { hint: 'other machines are faster; start again later' })
    }
    if ('reason' in step && step.kind !== 'pause') events.allocation({ step: step.kind, reason: step.reason })
    try {
      if (step.kind === 'adopt' || step.kind === 'create') sent = timesNow(clock)
      const done = await doStep(options, step, signal)
      revision = done.revision ?? revision
      allocation = continueAllocation(allocation, done.answer, random)
      failures = 0
    } catch (error) {
      if (signal.aborted) return undefined
      if (!isKvError(error)) throw error
      const longestMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(failures, 20))
      const delayMs = longestMs * (0.5 + random.next() / 2)
      failures += 1
      events.storeWriteFailed(error, { retryInMs: Math.round(delayMs) })
      await clock.sleep(delayMs, signal)
      awayMs += delayMs
      // Whether a write took effect is seen in the next listing.
      if (step.kind !== 'list') {
        allocation = continueAllocation(allocation, { kind: 'no-answer', text: error.message }, random)
      }
    }
  }
  return undefined
}

async function doStep(options: AcquireOptions, step: Step, signal: AbortSignal): Promise<Done> {
  const { kv, keyspace, attributes, clock } = options
  const pathOf = (key: string): Key => `${keyspace.subnets}/${key}`
  switch (step.kind) {
    case 'list':
      return { answer: { kind: 'listed', listing: await listLeases(kv, keyspace, signal) } }
    case 'pause':
      await clock.sleep(step.delayMs, signal)
      return { answer: { kind: 'done' } }
    case 'delete': {
      const { key, attributes: seen, revision } = step.lease
      const deleted = await releaseLease(kv, { key: pathOf(key), value: encodeAttributes(seen), revision }, signal)
      if (deleted.ok) return { answer: { kind: 'done' } }
      return { answer: { kind: 'conflict', isGone: deleted.error.found === undefined } }
    }
    case 'adopt':
    case 'create': {
      const key = pathOf(step.kind === 'adopt' ? step.lease.key : step.key)
      const { ttlSeconds } = step
      const put = await kv.put(key, encodeAttributes(attributes), {
        onlyIf: step.kind === 'adopt' ? { kind: 'revision', revision: step.lease.revision } : { kind: 'absent' },
        ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
        signal,
      })
      return put.ok ? { answer: { kind: 'done' }, revision: put.value } : { answer: { kind: 'conflict' } }
    }
    case 'acquired':
    case 'failed':
      return { answer: { kind: 'done' } }
    default:
      return step satisfies never
  }
}

/** All leases at one revision, each with the revision it was written at. */
async function listLeases(kv: Kv, keyspace: Keyspace, signal: AbortSignal): Promise<Listing<Listed>> {
  const { entries } = await kv.range(keyspace.subnets, signal)
  return listingOf(entries, keyspace)
}

/** What stands below `subnets` as an allocation looks at it. */
export function listingOf(entries: readonly KvEntry[], keyspace: Keyspace): Listing<Listed> {
  const leases: Listed[] = []
  const blocked: Subnet[] = []
  for (const { key, value, revision, ttlSeconds } of entries) {
    if (!isBelow(keyspace.subnets, key)) continue
    const name = key.slice(keyspace.subnets.length + 1)
    const reading = readLease({ key: name, value, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) })
    // A subnet that is spelled in another way, with host bits or a leading zero, is nobody's to adopt or to delete: the
    // lease that is held has one key.
    if (reading.kind === 'lease' && name !== subnetKey(reading.lease.subnet)) blocked.push(reading.lease.subnet)
    else if (reading.kind === 'lease') leases.push({ ...reading.lease, revision })
    else if (reading.kind === 'blocked') blocked.push(reading.subnet)
  }
  return { leases, blocked }
}

/** Both clocks now; taken before a write is sent, so that a lease never ends later for us than for the store. */
export const timesNow = (clock: Clock): Pick<HeldLease, 'atMonotonicMs' | 'atWallMs'> => ({
  atMonotonicMs: clock.monotonicMs(),
  atWallMs: clock.nowMs(),
})

/** What is held after a write of `attributes`. */
export const heldLease = (
  { keyspace, attributes }: Pick<AcquireOptions, 'keyspace' | 'attributes'>,
  subnet: Subnet,
  written: Pick<HeldLease, 'revision' | 'atMonotonicMs' | 'atWallMs' | 'ttlSeconds'>,
): HeldLease => ({ subnet, key: keyspace.lease(subnet), attributes, ...written })

/** Whether the store, and not we, is the reason. */
export const isKvError = (error: unknown): error is KvError => isClusterError(error) && error.code.startsWith('kv/')
