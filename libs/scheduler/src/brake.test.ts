import { describe, expect, it } from 'vitest'
import { type BrakeHistory, brake, brakeText, defaultBrakePolicy } from './brake.ts'
import type { ClusterTask } from './model.ts'
import { planCluster } from './plan-cluster.ts'
import { defaultPolicy } from './policy.ts'
import { unitFromText } from './unit-from-text.ts'

const text = '[Service]\nExecStart=/bin/true\n'
const machines = (...ids: readonly string[]) => ids.map((id) => ({ id, metadata: {} }))

/** Ten units on each of so many machines, of which some are gone, and one unit that is new. */
function loss(count: number, ...gone: readonly string[]) {
  const all = Array.from({ length: count }, (_, index) => `m${index + 1}`)
  const units = all.flatMap((machine) =>
    Array.from({ length: 10 }, (_, index) => unitFromText(`u${index}-${machine}.service`, text, { machine })),
  )
  const live = all.filter((id) => !gone.includes(id))
  const state = { machines: machines(...live), units: [...units, unitFromText('new.service', text)] }
  return { tasks: planCluster(state, defaultPolicy).tasks, placedUnits: 10 * count, liveMachines: new Set(live) }
}

const decide = (
  { tasks, ...rest }: ReturnType<typeof loss>,
  history: Partial<BrakeHistory> = {},
  policy = defaultBrakePolicy,
) => brake(tasks, { nowMs: 100_000, ...rest, history: { lostAtMs: new Map(), movedAtMs: [], ...history } }, policy)

const units = (tasks: readonly ClusterTask[]): readonly string[] => [...new Set(tasks.map(({ unit }) => unit))]

describe('brake', () => {
  it('never holds the loss of one of three', () => {
    expect(decide(loss(3, 'm2'))).toMatchObject({ kind: 'allowed' })
  })

  it('never holds the loss of one of two, or the only move there is', () => {
    expect(decide(loss(2, 'm2')).kind).toBe('allowed')
    expect(decide(loss(2)).kind).toBe('allowed')
  })

  it('holds the loss of two of three, and lets go on what has nothing to do with it', () => {
    const decision = decide(loss(3, 'm1', 'm2'))
    expect(decision.kind).toBe('held')
    if (decision.kind !== 'held') return
    expect(units(decision.tasks)).toEqual(['new.service'])
    expect(units(decision.held).length).toBe(20)
    expect(decision.reason).toEqual({
      lostMachines: ['m1', 'm2'],
      wouldMove: 20,
      moved: 0,
      allowed: 10,
      placedUnits: 30,
    })
    expect(brakeText(decision.reason)).toBe(
      '2 machines vanished at once (m1, m2): 20 units would move, more than 10 of 30; they stay until the machines return or the brake is released',
    )
  })

  it('lets two of ten go, which is less than a third', () => {
    expect(decide(loss(10, 'm1', 'm2')).kind).toBe('allowed')
    expect(decide(loss(6, 'm1', 'm2')).kind).toBe('allowed')
  })

  it('counts what has moved within the window, and machines that vanished shortly before', () => {
    const lostAtMs = new Map([
      ['m1', 70_000],
      ['m2', 99_000],
    ])
    const afterFirst = { ...loss(5, 'm2'), liveMachines: new Set(['m3', 'm4', 'm5']) }
    const movedAtMs = Array.from({ length: 10 }, () => 70_000)
    expect(decide(afterFirst, { lostAtMs, movedAtMs }).kind).toBe('held')
    expect(decide(afterFirst, { lostAtMs, movedAtMs: [] }).kind).toBe('allowed')
    const earlier = Array.from({ length: 10 }, () => 40_000)
    expect(decide(afterFirst, { lostAtMs, movedAtMs: earlier }).kind).toBe('allowed')
  })

  it('lets machines go one after the other', () => {
    const lostAtMs = new Map([
      ['m1', 10_000],
      ['m2', 99_000],
    ])
    expect(decide(loss(3, 'm1', 'm2'), { lostAtMs }).kind).toBe('allowed')
  })

  it('is released for as long as somebody said', () => {
    expect(decide(loss(3, 'm1', 'm2'), { releasedUntilMs: 100_001 }).kind).toBe('allowed')
    expect(decide(loss(3, 'm1', 'm2'), { releasedUntilMs: 100_000 }).kind).toBe('held')
  })

  it('is a policy like any other', () => {
    expect(decide(loss(3, 'm1', 'm2'), {}, { ...defaultBrakePolicy, movedShareMax: 1 }).kind).toBe('allowed')
    expect(decide(loss(3, 'm1'), {}, { ...defaultBrakePolicy, freeLosses: 0, movedShareMax: 0.1 }).kind).toBe('held')
    expect(decide(loss(3, 'm1', 'm2'), {}, { ...defaultBrakePolicy, freeLosses: 2 }).kind).toBe('allowed')
  })
})
