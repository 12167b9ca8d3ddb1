import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hostHas,
  type Job,
  planStart,
  planStop,
  readyJobs,
  startsAfter,
  type UnitGraph,
  type UnitRelations,
  waitsFor,
} from './transaction.ts'

const alone: UnitRelations = {
  wants: [],
  requires: [],
  requisite: [],
  bindsTo: [],
  partOf: [],
  conflicts: [],
  after: [],
  before: [],
}

const graphOf = (units: Readonly<Record<string, Partial<UnitRelations>>>): UnitGraph =>
  new Map(Object.entries(units).map(([name, relations]) => [name, { ...alone, ...relations }]))

const idle = { isUp: (_name: string): boolean => false, problemOf: (_name: string): string | undefined => undefined }

const startsOf = (graph: UnitGraph, name: string, options = idle): readonly string[] | string => {
  const plan = planStart(graph, name, options)
  return plan.ok ? [...plan.value.starts].sort() : plan.error.message
}

describe('a start', () => {
  it('pulls in what is required and wanted, all the way down', () => {
    const graph = graphOf({ a: { requires: ['b'] }, b: { wants: ['c', 'missing'] }, c: {}, other: {} })
    expect(startsOf(graph, 'a')).toEqual(['a', 'b', 'c'])
  })

  it('is refused for a requirement that nobody has', () => {
    const graph = graphOf({ a: { requires: ['b'] }, b: { requires: ['gone.service'] } })
    expect(startsOf(graph, 'a')).toBe('Unit gone.service not found.')
  })

  it('takes for granted what belongs to the host', () => {
    expect(startsOf(graphOf({ a: { requires: ['network-online.target', 'dbus.service'] } }), 'a')).toEqual(['a'])
    expect([hostHas('-.mount'), hostHas('systemd-journald.socket'), hostHas('docker.service')]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('goes without a wanted unit whose own requirement is missing', () => {
    const graph = graphOf({ a: { wants: ['b'] }, b: { requires: ['c'] }, c: { requires: ['gone.service'] } })
    expect(startsOf(graph, 'a')).toEqual(['a'])
  })

  it('is refused when a required unit cannot be loaded, with its problem', () => {
    const graph = graphOf({ a: { requires: ['b'] }, b: {} })
    expect(startsOf(graph, 'a', { ...idle, problemOf: () => 'it is bad' })).toBe('it is bad')
  })

  it('does not start what it has as Requisite=', () => {
    const graph = graphOf({ a: { requisite: ['b'] }, b: {} })
    expect(startsOf(graph, 'a')).toContain('is not active')
  })

  it('stops what conflicts, from either side', () => {
    const graph = graphOf({ a: { conflicts: ['b'] }, b: {}, c: { requires: ['b'] } })
    const isUp = (name: string): boolean => name !== 'a'
    expect(planStart(graph, 'a', { ...idle, isUp })).toMatchObject({ value: { stops: ['b', 'c'], starts: ['a'] } })
    expect(planStart(graph, 'b', { ...idle, isUp: (name) => name === 'a' })).toMatchObject({ value: { stops: ['a'] } })
  })

  it('is refused when two required units conflict, and leaves out a wanted one', () => {
    const graph = graphOf({
      a: { requires: ['b', 'c'] },
      b: { conflicts: ['c'] },
      c: {},
      d: { requires: ['b'], wants: ['c'] },
    })
    expect(startsOf(graph, 'a')).toContain('conflicting')
    expect(startsOf(graph, 'd')).toEqual(['b', 'd'])
  })

  it('is refused for a circle of required units, and leaves a wanted one out', () => {
    expect(startsOf(graphOf({ a: { requires: ['b'], after: ['b'] }, b: { after: ['a'] } }), 'a')).toContain('cyclic')
    expect(startsOf(graphOf({ a: { wants: ['b'], after: ['b'] }, b: { after: ['a'] } }), 'a')).toEqual(['a'])
  })
})

it('a stop takes along what requires the unit or is part of it, if it is up', () => {
  const graph = graphOf({
    a: {},
    b: { requires: ['a'] },
    c: { partOf: ['b'] },
    d: { wants: ['a'] },
    e: { requires: ['a'] },
  })
  expect([...planStop(graph, 'a', (name) => name !== 'e')].sort()).toEqual(['a', 'b', 'c'])
})

describe('the order of jobs', () => {
  const graph = graphOf({ a: {}, b: { after: ['a'] } })
  it.each([
    ['b', 'start', 'a', 'start', true],
    ['a', 'start', 'b', 'start', false],
    ['a', 'stop', 'b', 'stop', true],
    ['b', 'stop', 'a', 'stop', false],
    ['a', 'start', 'b', 'stop', true],
    ['b', 'start', 'a', 'stop', true],
    ['a', 'stop', 'b', 'start', false],
  ] as const)('%s %s waits for %s %s: %s', (unit, kind, other, otherKind, expected) => {
    expect(waitsFor(graph, unit, kind, other, otherKind)).toBe(expected)
  })
})

// properties

const names = ['a', 'b', 'c', 'd', 'e']
const someNames = fc.subarray(names)
const anyGraph: fc.Arbitrary<UnitGraph> = fc
  .array(
    fc.record({
      wants: someNames,
      requires: someNames,
      requisite: fc.constant([]),
      bindsTo: fc.constant([]),
      partOf: someNames,
      conflicts: fc.subarray(names, { maxLength: 1 }),
      after: someNames,
      before: someNames,
    }),
    { minLength: names.length, maxLength: names.length },
  )
  .map((relations) => new Map(names.map((name, index) => [name, relations[index] ?? alone])))

it('a planned start has its unit in it, everything that is required, no conflict and no circle', () => {
  fc.assert(
    fc.property(anyGraph, fc.constantFrom(...names), (graph, name) => {
      const plan = planStart(graph, name, idle)
      if (!plan.ok) return
      const starts = new Set(plan.value.starts)
      expect(starts.has(name)).toBe(true)
      for (const one of starts) {
        for (const other of graph.get(one)?.requires ?? []) expect(starts.has(other)).toBe(true)
        for (const other of graph.get(one)?.conflicts ?? []) expect(other === one || !starts.has(other)).toBe(true)
      }
      const done = new Set<string>()
      for (let round = 0; round <= starts.size; round += 1) {
        for (const unit of starts) {
          if ([...starts].every((other) => other === unit || done.has(other) || !startsAfter(graph, unit, other))) {
            done.add(unit)
          }
        }
      }
      expect(done).toEqual(starts)
    }),
  )
})

it('jobs never stand still', () => {
  const anyJobs = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('start', 'stop'), { minKeys: 1 })
  fc.assert(
    fc.property(anyGraph, anyJobs, (graph, kinds) => {
      const jobs = new Map<string, Job>(Object.entries(kinds).map(([name, kind]) => [name, { kind, isRunning: false }]))
      while (jobs.size > 0) {
        const ready = readyJobs(graph, jobs)
        expect(ready.length).toBeGreaterThan(0)
        for (const name of ready) jobs.delete(name)
      }
    }),
  )
})
