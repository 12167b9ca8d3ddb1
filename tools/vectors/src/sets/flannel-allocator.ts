/**
 * Recorded from flannel v0.9.1 and v0.28.9: the leases of a network → what a starting daemon does to the store, and
 * keys and values → leases → keys and values.
 */
import { assert, type Random, seededRandom } from '@cluster/prelude'
import {
  type Allocation,
  type AllocationAnswer,
  type AllocationStep,
  beginAllocation,
  continueAllocation,
  describeSubnet,
  encodeAttributes,
  formatNet6,
  isFinished,
  type ListedLease,
  originalPolicy,
  parseIp4,
  parseNet4,
  parseNet6,
  parseNetworkConfig,
  readLease,
  subnetKey,
} from '@cluster/subnet'
import { differences } from '../differences.ts'
import { objectIn, objectsIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorSet } from '../vector-set.ts'
import { advisedOutcomes } from './flannel-advice.ts'

/** Draws of each case. */
const seedsPerCase = 400

/** Lists of keys up to this length must all be reached by the draws. */
const reachedListMax = 8

export const flannelAllocator: VectorSet = {
  name: 'flannel-allocator',
  cases: (folder) => [
    ...recordedFiles(folder, ['public_ip', 'existing', 'expect']).flatMap(({ file, cases }) =>
      cases.map((recorded) => ({
        name: `${file}: ${textIn(recorded, 'name')}`,
        run: () => compareAllocation(recorded),
      })),
    ),
    ...recordedFiles(folder, ['key', 'value', 'expect']).flatMap(({ file, cases }) =>
      cases.map((recorded) => ({ name: `${file}: ${textIn(recorded, 'name')}`, run: () => compareKey(recorded) })),
    ),
  ],
}

/** One way an allocation went, or may go. */
export type Outcome = { readonly result: string; readonly ops: readonly string[]; readonly subnets: readonly string[] }

function compareAllocation(recorded: RecordedCase): readonly Difference[] {
  const { release, outcomes } = expectedOf(recorded)
  const reached = new Set<string>()
  for (let seed = 0; seed < seedsPerCase; seed++) {
    const { result, ops, key } = runAllocation(recorded, release, seededRandom(seed))
    const fitting = outcomes.find(
      (outcome) =>
        outcome.result === result &&
        (key === undefined || outcome.subnets.includes(key)) &&
        sameOps(outcome.ops, ops, key),
    )
    if (fitting === undefined) return [{ at: `seed ${seed}`, expected: outcomes, actual: { result, ops, key } }]
    if (key !== undefined) reached.add(key)
  }
  const all = outcomes.flatMap(({ subnets }) => (subnets.length <= reachedListMax ? subnets : []))
  const missed = all.filter((key) => !reached.has(key))
  return missed.length === 0 ? [] : [{ at: 'subnets', expected: all, actual: [...reached] }]
}

/** v0.9.1 where it was recorded; what is advised goes before it. */
function expectedOf(recorded: RecordedCase): {
  readonly release: 'v0.9.1' | 'v0.28.9'
  readonly outcomes: readonly Outcome[]
} {
  const expect = objectIn(recorded, 'expect')
  const release = Object.hasOwn(expect, 'v0.9.1') ? 'v0.9.1' : 'v0.28.9'
  const advised = advisedOutcomes[textIn(recorded, 'name')]
  if (typeof advised === 'object') return { release, outcomes: [advised] }
  const outcomes = objectsIn(expect, advised ?? release).map((outcome) => ({
    result: textIn(outcome, 'result'),
    ops: textsIn(outcome, 'ops'),
    subnets: textsIn(outcome, 'subnets'),
  }))
  return { release, outcomes }
}

const textsIn = (recorded: RecordedCase, field: string): readonly string[] => {
  const list = recorded[field]
  return Array.isArray(list) ? list.map(String) : []
}

/** `$SUBNET` is the key of the result, `$ANY` is any key. */
const sameOps = (expected: readonly string[], actual: readonly string[], key: string | undefined): boolean =>
  expected.length === actual.length &&
  expected.every((operation, index) => {
    const found = actual[index] ?? ''
    if (operation.endsWith('$ANY')) return found.startsWith(operation.slice(0, -'$ANY'.length))
    return operation.replace('$SUBNET', key ?? '$SUBNET') === found
  })

type Entry = { readonly key: string; readonly value: string; readonly ttlSeconds?: number }

/** One daemon against a store that behaves as the case says. */
function runAllocation(
  recorded: RecordedCase,
  release: 'v0.9.1' | 'v0.28.9',
  random: Random,
): { readonly result: string; readonly ops: readonly string[]; readonly key?: string } {
  const reading = parseNetworkConfig(textIn(recorded, 'config'), release)
  if (!reading.ok) return { result: `error: ${reading.error.text}`, ops: [''] }
  const publicIp = parseIp4(textIn(recorded, 'public_ip'))
  assert(publicIp !== undefined, 'the case has an address')
  const v4 = parseNet4(String(recorded['previous_subnet']))
  const v6 = parseNet6(String(recorded['previous_ipv6_subnet']))
  const previous =
    v4 === undefined && v6 === undefined
      ? {}
      : { previous: { ...(v4 === undefined ? {} : { v4 }), ...(v6 === undefined ? {} : { v6 }) } }
  const store = createStore(recorded, random)
  let allocation: Allocation = beginAllocation({ config: reading.value.config, publicIp, ...previous }, originalPolicy)
  while (!isFinished(allocation)) allocation = continueAllocation(allocation, store.answer(allocation.step), random)
  const { step } = allocation
  if (step.kind === 'acquired')
    return { result: step.ttlSeconds === undefined ? 'ok reservation' : 'ok lease', ops: store.ops, key: step.key }
  assert(step.kind === 'failed', 'an allocation ends with a subnet or without')
  return { result: `error: ${step.text}`, ops: store.ops }
}

function createStore(recorded: RecordedCase, random: Random) {
  const entries = new Map<string, Entry>(
    objectsIn(recorded, 'existing').map((existing) => {
      const key = textIn(existing, 'key')
      const value = JSON.stringify({ PublicIP: textIn(existing, 'public_ip') })
      return [key, { key, value, ...(existing['kind'] === 'lease' ? { ttlSeconds: 80_000 } : {}) }]
    }),
  )
  const inject = objectIn(recorded, 'inject')
  const ops: string[] = []
  let lostCreates = Number(inject['lost_creates'] ?? 0)

  const list = (): AllocationAnswer => {
    ops.push('list')
    const readings = shuffled([...entries.values()], random).map(readLease)
    const leases: readonly ListedLease[] = readings.flatMap((one) => (one.kind === 'lease' ? [one.lease] : []))
    return { kind: 'listed', listing: { leases } }
  }
  const create = (key: string, ttlSeconds: number): AllocationAnswer => {
    if (inject['create_transport_error'] === true) {
      ops.push(`create-failed ${key}`)
      return { kind: 'no-answer', text: 'connection refused' }
    }
    if (inject['create_error_code'] !== undefined) {
      ops.push(`create-failed ${key}`)
      return { kind: 'conflict' }
    }
    if (lostCreates-- > 0) entries.set(key, { key, value: '{"PublicIP":"203.0.113.9"}', ttlSeconds: 86_400 })
    if (entries.has(key)) {
      ops.push(`create-exists ${key}`)
      return { kind: 'conflict' }
    }
    ops.push(`create ${key} ttl=${ttlSeconds}`)
    return { kind: 'done' }
  }
  const answer = (step: AllocationStep): AllocationAnswer => {
    switch (step.kind) {
      case 'list':
        return list()
      case 'create':
        return create(step.key, step.ttlSeconds)
      case 'adopt':
        ops.push(`update ${step.lease.key} ttl=${step.ttlSeconds ?? 0}`)
        return { kind: 'done' }
      case 'delete':
        ops.push(`delete ${step.lease.key}`)
        return entries.delete(step.lease.key) ? { kind: 'done' } : { kind: 'conflict', isGone: true }
      default:
        return { kind: 'done' }
    }
  }
  return { ops, answer }
}

function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item)
}

function compareKey(recorded: RecordedCase): readonly Difference[] {
  const expected = objectIn(objectIn(recorded, 'expect'), 'v0.9.1')
  const path = textIn(recorded, 'key')
  const reading = readLease({ key: path.slice(path.lastIndexOf('/') + 1), value: textIn(recorded, 'value') })
  if (reading.kind !== 'lease') return differences(ignoredAs(expected), { ignored: true })
  const { subnet, attributes } = reading.lease
  return differences(ignoredAs(expected), {
    subnet: subnet.v4 === undefined ? undefined : describeSubnet({ v4: subnet.v4 }),
    ipv6_subnet: subnet.v6 === undefined ? undefined : formatNet6(subnet.v6),
    key_again: subnetKey(subnet),
    attrs_again: encodeAttributes(attributes),
  })
}

/** Reasons are for information; where a release dies, the key must be ignored. */
const ignoredAs = (expected: RecordedCase): RecordedCase =>
  Object.hasOwn(expected, 'ignored') || Object.hasOwn(expected, 'crash') ? { ignored: true } : expected
