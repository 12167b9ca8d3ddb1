/**
 * Machines that want subnets, over a lossy store, in virtual time: they start at once, restart with and without their
 * file, change their configuration, let leases run out. Everything they decide, the library decides. One seed gives
 * one run.
 */
import { type Random, seededRandom } from '@cluster/prelude'
import {
  type Allocation,
  type AllocationAnswer,
  type AllocationPolicy,
  type Applicant,
  beginAllocation,
  carefulPolicy,
  continueAllocation,
  describeSubnet,
  encodeAttributes,
  type LeaseAttributes,
  type ListedLease,
  leaseEndMs,
  leaseTtlSeconds,
  type NetworkConfig,
  parseNetworkConfig,
  readLease,
  renewalDelayMs,
  renewalRetryMs,
  type Subnet,
  subnetsOverlap,
  toIp4,
} from '@cluster/subnet'
import { createLossyStore, createTimeline, type LossyStore, type StoredEntry, type Timeline } from './lossy-store.ts'

/** How a run went. */
export type Run = {
  /** Two machines that owned overlapping subnets at one moment, if any did. */
  readonly overlap?: string
  /** Machines that are up at the end, have no subnet, and were not told that there is none. */
  readonly waiting: readonly string[]
  readonly acquired: number
  readonly transcript: readonly string[]
}

type Held = { readonly subnet: Subnet; readonly key: string; readonly revision: number; readonly endMs: number }

type Listed = ListedLease & { readonly revision: number }

const configs: readonly NetworkConfig[] = [26, 27, 28].map((length) => {
  const reading = parseNetworkConfig(JSON.stringify({ Network: '10.5.0.0/24', SubnetLen: length }))
  if (!reading.ok) throw new Error(reading.error.text)
  return reading.value.config
})

const hourMs = 3_600_000
const badHours = 48
/** Longer than a lease lives: whoever holds on to one that it has lost is found out. */
const calmHours = 26

/** One run of up to eight machines. */
export function simulate(seed: number, policy: AllocationPolicy = carefulPolicy): Run {
  const random = seededRandom(seed)
  const timeline = createTimeline()
  const store = createLossyStore(timeline, random)
  const transcript: string[] = []
  const isMixed = random.next() < 0.6
  const common = pick(configs, random)
  plantJunk(store, random)
  let overlap: string | undefined
  let acquired = 0
  const machines: Machine[] = []
  const begins = (machine: Machine, held: Held): void => {
    acquired++
    for (const other of machines) {
      const theirs = other.held()
      if (other === machine || theirs === undefined || !subnetsOverlap(theirs.subnet, held.subnet)) continue
      overlap ??= `${machine.name} has ${describeSubnet(held.subnet)}, ${other.name} has ${describeSubnet(theirs.subnet)}`
    }
  }
  const count = 2 + Math.floor(random.next() * 7)
  for (let index = 0; index < count; index++) {
    machines.push(
      createMachine({
        name: `m${index}`,
        publicIp: toIp4(0xc0_00_02_01 + index),
        config: () => (isMixed ? pick(configs, random) : common),
        policy,
        timeline,
        store,
        random,
        begins,
        say: (text) => transcript.push(`${(timeline.nowMs() / 1_000).toFixed(3)} m${index} ${text}`),
      }),
    )
  }
  for (const machine of machines) timeline.after(random.next() * 100, machine.start)
  for (let hour = 0; hour < badHours; hour++) {
    timeline.after((hour + random.next()) * hourMs, () => {
      // Rebooted alone or together, for a moment or beyond the end of its lease.
      for (const machine of machines) if (random.next() < 0.08) machine.restart(downMs(random))
    })
  }
  timeline.after(badHours * hourMs, store.heal)
  timeline.runUntil((badHours + calmHours) * hourMs)
  const waiting = machines.filter((machine) => machine.isWaiting()).map(({ name }) => name)
  return { ...(overlap === undefined ? {} : { overlap }), waiting, acquired, transcript }
}

const downMs = (random: Random): number => (random.next() < 0.2 ? random.next() * 30 * hourMs : random.next() * 2_000)

const pick = <Item>(items: readonly Item[], random: Random): Item => {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** Keys that are no leases, leases of nobody, and one reservation. */
function plantJunk(store: LossyStore, random: Random): void {
  const junk: readonly (readonly [string, string])[] = [
    ['foo', '{}'],
    ['0.0.0.0-0', '{"PublicIP":"198.51.100.7"}'],
    ['x10.5.0.64-26y', '{"PublicIP":"198.51.100.7"}'],
    ['10.5.0.96-27', 'nonsense'],
    ['10.5.0.200-29', '{"PublicIP":"198.51.100.8"}'],
    ['10.5.0.128-27', '{"PublicIP":"192.0.2.1"}'],
  ]
  for (const [key, value] of junk) if (random.next() < 0.15) store.plant(key, value)
}

type Machine = {
  readonly name: string
  readonly start: () => void
  readonly restart: (downMs: number) => void
  /** What it takes for its own now. */
  readonly held: () => Held | undefined
  readonly isWaiting: () => boolean
}

function createMachine({
  name,
  publicIp,
  config,
  policy,
  timeline,
  store,
  random,
  begins,
  say,
}: {
  readonly name: string
  readonly publicIp: LeaseAttributes['publicIp']
  readonly config: () => NetworkConfig
  readonly policy: AllocationPolicy
  readonly timeline: Timeline
  readonly store: LossyStore
  readonly random: Random
  readonly begins: (machine: Machine, held: Held) => void
  readonly say: (text: string) => void
}): Machine {
  const attributes: LeaseAttributes = { publicIp, backendType: 'host-gw' }
  const value = encodeAttributes(attributes)
  /** Whatever was begun in an earlier life is of no interest. */
  let life = 0
  let file: Subnet | undefined
  let last: Held | undefined
  let isToldNone = false
  let isUp = true

  const held = (): Held | undefined => (last !== undefined && timeline.nowMs() < last.endMs ? last : undefined)
  const later = (delayMs: number, action: () => void): void => {
    const mine = life
    timeline.after(delayMs, () => {
      if (mine === life) action()
    })
  }
  const ask = (request: Parameters<LossyStore['request']>[0], answered: Parameters<LossyStore['request']>[1]): void => {
    const mine = life
    store.request(request, (answer) => {
      if (mine === life) answered(answer)
    })
  }

  const own = (next: Held): void => {
    const isNew = held() === undefined
    last = next
    file = next.subnet
    if (isNew) {
      say(`owns ${describeSubnet(next.subnet)}`)
      begins(machine, next)
    }
    if (next.endMs === Number.POSITIVE_INFINITY) return
    later(renewalDelayMs({ nowMs: timeline.nowMs(), endMs: next.endMs, random }), () => renew(next))
  }

  const acquire = (): void => {
    const applicant: Applicant = { config: config(), publicIp, ...(file === undefined ? {} : { previous: file }) }
    isToldNone = false
    isUp = true
    advance(beginAllocation<Listed>(applicant, policy), { revision: 0, sentMs: 0 })
  }

  const advance = (
    allocation: Allocation<Listed>,
    written: { readonly revision: number; readonly sentMs: number },
  ): void => {
    const { step } = allocation
    const sentMs = timeline.nowMs()
    const go = (answer: AllocationAnswer<Listed>, next = written): void =>
      advance(continueAllocation(allocation, answer, random), next)
    switch (step.kind) {
      case 'list':
        ask({ kind: 'list' }, (answer) => {
          if (answer.kind === 'listed') go({ kind: 'listed', listing: listingOf(answer.entries) })
          else go({ kind: 'no-answer', text: 'no answer' })
        })
        break
      case 'pause':
        later(step.delayMs, () => go({ kind: 'done' }))
        break
      case 'delete':
        say(`deletes ${step.lease.key}`)
        ask({ kind: 'delete', key: step.lease.key, onlyIf: step.lease.revision }, (answer) => {
          if (answer.kind === 'done') go({ kind: 'done' })
          else if (answer.kind === 'conflict') go({ kind: 'conflict', isGone: answer.found === undefined })
          else go({ kind: 'no-answer', text: 'no answer' })
        })
        break
      case 'adopt':
      case 'create': {
        const key = step.kind === 'create' ? step.key : step.lease.key
        const ttl = step.ttlSeconds === undefined ? {} : { ttlSeconds: step.ttlSeconds }
        say(`${step.kind}s ${key}`)
        const onlyIf = step.kind === 'create' ? 0 : step.lease.revision
        ask({ kind: 'put', key, value, onlyIf, ...ttl }, (answer) => {
          if (answer.kind === 'done') go({ kind: 'done' }, { revision: answer.revision, sentMs })
          else if (answer.kind === 'conflict') go({ kind: 'conflict' })
          else go({ kind: 'no-answer', text: 'no answer' })
        })
        break
      }
      case 'acquired': {
        const endMs =
          step.ttlSeconds === undefined ? Number.POSITIVE_INFINITY : leaseEndMs(written.sentMs, step.ttlSeconds)
        own({ subnet: step.subnet, key: step.key, revision: written.revision, endMs })
        break
      }
      case 'failed':
        say(`gets none: ${step.text}`)
        isToldNone = step.code === 'subnet/out-of-subnets'
        later(hourMs * (0.5 + random.next()), acquire)
        break
      default:
        step satisfies never
    }
  }

  /** Until it is done, or the lease has ended or is another's: then all begins anew. */
  const renew = (lease: Held): void => {
    const sentMs = timeline.nowMs()
    if (sentMs >= lease.endMs) {
      lose('has not renewed its lease in time')
      return
    }
    ask({ kind: 'put', key: lease.key, value, onlyIf: lease.revision, ttlSeconds: leaseTtlSeconds }, (answer) => {
      if (answer.kind === 'done') {
        own({ ...lease, revision: answer.revision, endMs: leaseEndMs(sentMs) })
      } else if (answer.kind !== 'conflict') {
        later(renewalRetryMs({ nowMs: timeline.nowMs(), endMs: lease.endMs, random }), () => renew(lease))
      } else if (answer.found?.value === value && answer.found.ttlSeconds !== undefined) {
        // An earlier renewal took effect, and its answer was lost.
        const { revision, ttlSeconds } = answer.found
        own({ ...lease, revision, endMs: leaseEndMs(sentMs, ttlSeconds) })
      } else {
        lose('finds its lease gone')
      }
    })
  }

  const lose = (how: string): void => {
    say(how)
    last = undefined
    acquire()
  }

  const machine: Machine = {
    name,
    start: acquire,
    restart(forMs) {
      life++
      last = undefined
      isUp = false
      if (random.next() < 0.4) file = undefined
      say(`is down for ${Math.round(forMs)} ms, its file is ${file === undefined ? 'lost' : 'kept'}`)
      later(forMs, acquire)
    },
    held,
    isWaiting: () => isUp && held() === undefined && !isToldNone,
  }
  return machine
}

function listingOf(entries: readonly StoredEntry[]) {
  const leases: Listed[] = []
  const blocked: Subnet[] = []
  for (const entry of entries) {
    const reading = readLease(entry)
    if (reading.kind === 'lease') leases.push({ ...reading.lease, revision: entry.revision })
    if (reading.kind === 'blocked') blocked.push(reading.subnet)
  }
  return { leases, blocked }
}
