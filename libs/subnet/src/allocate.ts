/**
 * Allocation as steps: each says what to do to the store, each answer leads to the next. No I/O in here, so that the
 * daemon, the recorded cases and the simulation run the same code.
 *
 * The order is list, delete own leases of no use, adopt or create, and after a creation list once more: two machines
 * that create subnets of different lengths at once do not meet at one key, but at least the later of the two sees the
 * other in its second list, and gives way. Both may, and then both draw again.
 */
import type { Random } from '@cluster/prelude'
import type { SubnetErrorCode } from './errors.ts'
import { describeSubnet, leaseTtlSeconds, type Subnet, subnetsOverlap } from './lease.ts'
import {
  type Applicant,
  foreignSubnets,
  isOwn,
  type ListedLease,
  type Listing,
  planAllocation,
} from './plan-allocation.ts'

/** How to go on after a step that did not go well. */
export type AllocationPolicy = {
  /** Creations that may be lost to others before it ends; absent: no end, the caller has a deadline. */
  readonly attemptsMax?: number
  /** Whether to list once more after a creation, and to give way to a lease that overlaps. */
  readonly confirms: boolean
  /** Whether to look again after a write of which nobody knows whether it took effect. */
  readonly retriesNoAnswer: boolean
  /** The longest pause after a first lost attempt; doubles with each further one up to `pauseMsMax`. */
  readonly pauseMs: number
  readonly pauseMsMax: number
}

/** Ours: jittered pauses, no end of its own, a second look. */
export const carefulPolicy: AllocationPolicy = {
  confirms: true,
  retriesNoAnswer: true,
  pauseMs: 20,
  pauseMsMax: 2_000,
}

/** That of flanneld 0.9: ten attempts without pause. */
export const originalPolicy: AllocationPolicy = {
  attemptsMax: 10,
  confirms: false,
  retriesNoAnswer: false,
  pauseMs: 0,
  pauseMsMax: 0,
}

/** What to do now. */
export type AllocationStep<Listed extends ListedLease = ListedLease> =
  /** Read all leases at one revision. Answer: `listed`. */
  | { readonly kind: 'list' }
  /** Delete this key if it is as it was listed. Answer: `done` or `conflict`. */
  | { readonly kind: 'delete'; readonly lease: Listed; readonly reason: string }
  /** Write our attributes to this key if it is as it was listed; without `ttlSeconds` it stays a reservation. */
  | { readonly kind: 'adopt'; readonly lease: Listed; readonly ttlSeconds?: number; readonly reason: string }
  /** Write our attributes to this key if it does not exist. Answer: `done` or `conflict`. */
  | {
      readonly kind: 'create'
      readonly key: string
      readonly subnet: Subnet
      readonly ttlSeconds: number
      readonly reason: string
    }
  /** Let this time pass. Answer: `done`. */
  | { readonly kind: 'pause'; readonly delayMs: number; readonly reason: string }
  /** The end: the subnet is ours. */
  | {
      readonly kind: 'acquired'
      readonly how: 'adopted' | 'created'
      readonly key: string
      readonly subnet: Subnet
      /** Absent: a reservation. */
      readonly ttlSeconds?: number
    }
  /** The end: there is none. */
  | {
      readonly kind: 'failed'
      readonly code: SubnetErrorCode
      readonly text: string
      readonly hint: string
    }

/** How the last step went. */
export type AllocationAnswer<Listed extends ListedLease = ListedLease> =
  | { readonly kind: 'listed'; readonly listing: Listing<Listed> }
  | { readonly kind: 'done' }
  /** The condition did not hold, nothing was written. `isGone`: the key does not exist. */
  | { readonly kind: 'conflict'; readonly isGone?: boolean }
  /** Nobody knows whether the write took effect; `text` says why. */
  | { readonly kind: 'no-answer'; readonly text: string }

/** Where an allocation stands. `step` is to be done next; the rest is its own affair. */
export type Allocation<Listed extends ListedLease = ListedLease> = {
  readonly step: AllocationStep<Listed>
  readonly applicant: Applicant
  readonly policy: AllocationPolicy
  /** Steps behind this one, if it goes well. */
  readonly following: readonly AllocationStep<Listed>[]
  /** What was created and is being looked at once more. */
  readonly unconfirmed?: Extract<AllocationStep<Listed>, { readonly kind: 'acquired' }>
  readonly attempts: number
  readonly lost: readonly string[]
}

/** The first step for one who asks for a subnet. */
export const beginAllocation = <Listed extends ListedLease>(
  applicant: Applicant,
  policy: AllocationPolicy = carefulPolicy,
): Allocation<Listed> => ({ step: { kind: 'list' }, applicant, policy, following: [], attempts: 0, lost: [] })

/** Whether nothing is left to do. */
export const isFinished = ({ step }: Allocation): boolean => step.kind === 'acquired' || step.kind === 'failed'

/** The next step after the answer to the present one; an end stays the end. */
export function continueAllocation<Listed extends ListedLease>(
  allocation: Allocation<Listed>,
  answer: AllocationAnswer<Listed>,
  random: Random,
): Allocation<Listed> {
  const { step } = allocation
  if (isFinished(allocation)) return allocation
  if (answer.kind === 'no-answer') return afterNoAnswer(allocation, answer.text, random)
  switch (step.kind) {
    case 'list':
      if (answer.kind !== 'listed') return allocation
      return allocation.unconfirmed === undefined
        ? decide(allocation, answer.listing, random)
        : confirm(allocation, allocation.unconfirmed, answer.listing, random)
    case 'delete':
      // Gone already is as good as deleted.
      if (answer.kind === 'conflict' && answer.isGone !== true)
        return again(allocation, `${step.lease.key} changed before it was deleted`, random)
      return follow(allocation)
    case 'adopt':
      if (answer.kind === 'conflict')
        return again(allocation, `${step.lease.key} changed before it was adopted`, random)
      return { ...allocation, step: acquired('adopted', step.lease, step.ttlSeconds) }
    case 'create': {
      if (answer.kind === 'conflict')
        return again(
          { ...allocation, lost: [...allocation.lost, step.key] },
          `${step.key} was taken by another`,
          random,
        )
      const end = acquired('created', step, step.ttlSeconds)
      if (!allocation.policy.confirms) return { ...allocation, step: end }
      return { ...allocation, step: { kind: 'list' }, unconfirmed: end }
    }
    case 'pause':
      return { ...allocation, step: { kind: 'list' } }
    default:
      return allocation
  }
}

function decide<Listed extends ListedLease>(
  allocation: Allocation<Listed>,
  listing: Listing<Listed>,
  random: Random,
): Allocation<Listed> {
  const plan = planAllocation(allocation.applicant, listing, random, allocation.lost)
  const deletions = plan.deletions.map((deletion) => ({ kind: 'delete', ...deletion }) as const)
  return follow({ ...allocation, following: [...deletions, lastStep(plan.outcome)] })
}

function lastStep<Listed extends ListedLease>(
  outcome: ReturnType<typeof planAllocation<Listed>>['outcome'],
): AllocationStep<Listed> {
  switch (outcome.kind) {
    case 'adopt': {
      // What had no end keeps having none.
      const isReservation = outcome.lease.ttlSeconds === undefined
      return { ...outcome, ...(isReservation ? {} : { ttlSeconds: leaseTtlSeconds }) }
    }
    case 'create':
      return { ...outcome, ttlSeconds: leaseTtlSeconds }
    case 'out-of-subnets':
      return failed('subnet/out-of-subnets', 'out of subnets', `${outcome.reason}: widen the network, or delete leases`)
    case 'taken':
      return failed('subnet/taken', outcome.reason, 'restart without the subnet file to get another one')
    default:
      return outcome satisfies never
  }
}

const failed = (code: SubnetErrorCode, text: string, hint: string): AllocationStep<never> => ({
  kind: 'failed',
  code,
  text,
  hint,
})

const acquired = (
  how: 'adopted' | 'created',
  { key, subnet }: { readonly key: string; readonly subnet: Subnet },
  ttlSeconds: number | undefined,
): Extract<AllocationStep<never>, { readonly kind: 'acquired' }> => ({
  kind: 'acquired',
  how,
  key,
  subnet,
  ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
})

/** The creation stands, unless a lease of another machine overlaps it. */
function confirm<Listed extends ListedLease>(
  { unconfirmed: _, ...allocation }: Allocation<Listed>,
  created: Extract<AllocationStep<Listed>, { readonly kind: 'acquired' }>,
  listing: Listing<Listed>,
  random: Random,
): Allocation<Listed> {
  const { applicant } = allocation
  const own = listing.leases.find((lease) => lease.key === created.key && isOwn(applicant, lease))
  if (own === undefined) return again(allocation, `${created.key} was gone before it was confirmed`, random)
  const rival = foreignSubnets(applicant, listing).find((subnet) => subnetsOverlap(subnet, created.subnet))
  if (rival === undefined) return { ...allocation, step: created }
  const reason = `${describeSubnet(created.subnet)} overlaps ${describeSubnet(rival)} of another machine, giving way`
  const lost = [...allocation.lost, created.key]
  const afterwards = again({ ...allocation, lost }, reason, random)
  return { ...afterwards, step: { kind: 'delete', lease: own, reason }, following: [afterwards.step] }
}

function afterNoAnswer<Listed extends ListedLease>(
  { unconfirmed: _, ...allocation }: Allocation<Listed>,
  text: string,
  random: Random,
): Allocation<Listed> {
  if (allocation.policy.retriesNoAnswer) return again(allocation, text, random)
  return { ...allocation, step: failed('subnet/no-answer', text, 'check that the store runs and can be reached') }
}

/** From the list on, after a pause that grows with the number of attempts and is drawn from [0, longest). */
function again<Listed extends ListedLease>(
  allocation: Allocation<Listed>,
  reason: string,
  random: Random,
): Allocation<Listed> {
  const { policy } = allocation
  const attempts = allocation.attempts + 1
  const next = { ...allocation, attempts, following: [] }
  if (policy.attemptsMax !== undefined && attempts >= policy.attemptsMax) {
    const text = 'Max retries reached trying to acquire a subnet'
    return { ...next, step: failed('subnet/max-retries', text, `${reason}: try again later`) }
  }
  const longestMs = Math.min(policy.pauseMsMax, policy.pauseMs * 2 ** Math.min(attempts - 1, 30))
  if (longestMs === 0) return { ...next, step: { kind: 'list' } }
  return { ...next, step: { kind: 'pause', delayMs: Math.floor(random.next() * longestMs), reason } }
}

function follow<Listed extends ListedLease>(allocation: Allocation<Listed>): Allocation<Listed> {
  const [step, ...following] = allocation.following
  return { ...allocation, step: step ?? { kind: 'list' }, following }
}
