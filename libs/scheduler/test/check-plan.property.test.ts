import {
  applyTasks,
  type ClusterState,
  type ClusterTask,
  checkPlacement,
  checkPlan,
  defaultPolicy,
  type PlanViolation,
  planCluster,
  type Unit,
} from '@cluster/scheduler'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clusters } from './random-clusters.ts'

/** A cluster, the tasks to do in it, and what is wrong with that. */
type Injected = {
  readonly state: ClusterState
  readonly tasks: readonly ClusterTask[]
  readonly found: Partial<PlanViolation>
}

/** Breaks one rule in a settled cluster for a unit that has a place; `spare` is an empty machine, `bare` its only unit. */
type Injection = (state: ClusterState, unit: Unit & { readonly machine: string }) => Injected

const spare = { id: 'spare', metadata: {} }
const requirements: Unit['requirements'] = {
  machineOf: [],
  conflicts: [],
  replaces: [],
  metadata: new Map(),
  global: false,
}
const bare: Unit = { name: 'bare.service', hash: '11', targetState: 'launched', requirements, machine: 'spare' }

const task = (kind: ClusterTask['kind'], unit: string, machine: string): ClusterTask => ({
  kind,
  unit,
  machine,
  reason: '',
})
const put = (state: ClusterState, ...units: readonly Unit[]): ClusterState => {
  const names = new Set(units.map(({ name }) => name))
  return { ...state, units: [...state.units.filter(({ name }) => !names.has(name)), ...units] }
}
const requiring = (unit: Unit, more: Partial<Unit['requirements']>): Unit => ({
  ...unit,
  requirements: { ...unit.requirements, ...more },
})

const injections: Readonly<Record<PlanViolation['rule'], Injection>> = {
  'unknown-unit': (state) => ({
    state,
    tasks: [task('schedule', 'stranger.service', 'spare')],
    found: { unit: 'stranger.service', machine: 'spare' },
  }),
  'not-there': (state, { name }) => ({
    state,
    tasks: [task('unschedule', name, 'elsewhere')],
    found: { unit: name, machine: 'elsewhere' },
  }),
  'already-placed': (state, { name }) => ({
    state,
    tasks: [task('schedule', name, 'spare')],
    found: { unit: name, machine: 'spare' },
  }),
  cordoned: (state) => ({
    state: put({ ...state, machines: [...state.machines, { ...spare, id: 'closed', isCordoned: true }] }, bare),
    tasks: [task('unschedule', 'bare.service', 'spare'), task('schedule', 'bare.service', 'closed')],
    found: { unit: 'bare.service', machine: 'closed' },
  }),
  'machine-gone': (state) => ({
    state,
    tasks: [task('unschedule', 'bare.service', 'spare'), task('schedule', 'bare.service', 'nowhere')],
    found: { unit: 'bare.service', machine: 'nowhere' },
  }),
  inactive: (state, unit) => ({
    state: put(state, { ...unit, targetState: 'inactive' }),
    tasks: [],
    found: { unit: unit.name, machine: unit.machine },
  }),
  global: (state, unit) => ({
    state: put(state, requiring(unit, { global: true })),
    tasks: [],
    found: { unit: unit.name, machine: unit.machine },
  }),
  'orphan-target': (state) => ({
    state: { ...state, orphanTargets: [{ unit: 'nobody.service', machine: 'spare' }] },
    tasks: [],
    found: { unit: 'nobody.service', machine: 'spare' },
  }),
  'machine-id': (state, unit) => ({
    state: put(state, requiring(unit, { machineId: 'another' })),
    tasks: [],
    found: { unit: unit.name, machine: unit.machine },
  }),
  metadata: (state, unit) => ({
    state: put(state, requiring(unit, { metadata: new Map([['colour', ['blue']]]) })),
    tasks: [],
    found: { unit: unit.name, machine: unit.machine, other: 'colour' },
  }),
  'peer-missing': (state, unit) => ({
    state: put(state, requiring(unit, { machineOf: [...unit.requirements.machineOf, 'stranger.service'] })),
    tasks: [],
    found: { unit: unit.name, machine: unit.machine, other: 'stranger.service' },
  }),
  conflict: (state, unit) => ({
    state: put(state, requiring(bare, { conflicts: [unit.name] }), { ...unit, machine: 'spare' }),
    tasks: [],
    found: { unit: unit.name, machine: 'spare', other: 'bare.service' },
  }),
  replaced: (state) => ({
    state: put(
      { ...state, machines: [...state.machines, { ...spare, id: 'empty' }] },
      bare,
      requiring({ ...bare, name: 'newer.service' }, { replaces: ['bare.service'] }),
    ),
    tasks: [],
    found: { unit: 'bare.service', machine: 'spare', other: 'newer.service' },
  }),
}

/** Clusters in which all is done, `bare` has `spare` to itself, and some unit has a live machine. */
const settled = clusters
  .map((cluster): ClusterState => {
    const units = cluster.units.map((unit) =>
      requiring(unit, { global: false, conflicts: unit.requirements.conflicts.filter((glob) => glob !== '*') }),
    )
    const state = { ...cluster, machines: [...cluster.machines, spare], units: [...units, bare] }
    return applyTasks(state, planCluster(state, defaultPolicy).tasks)
  })
  .filter(({ units }) => units.some(({ name, machine }) => name === 'bare.service' && machine === 'spare'))
  .filter((state) => placedUnits(state).length > 0)

function placedUnits({ machines, units }: ClusterState): readonly (Unit & { readonly machine: string })[] {
  const live = new Set(machines.map(({ id }) => id))
  return units.flatMap((unit) => {
    const { machine } = unit
    if (unit.name === 'bare.service' || machine === undefined || !live.has(machine)) return []
    return [{ ...unit, machine }]
  })
}

const rules = Object.keys(injections).flatMap((rule) => (isRule(rule) ? [rule] : []))

function isRule(name: string): name is PlanViolation['rule'] {
  return Object.hasOwn(injections, name)
}

describe('checkPlan', () => {
  it.each(rules)('finds what breaks the rule %s', (rule) => {
    fc.assert(
      fc.property(settled, fc.nat(), (state, choice) => {
        const placed = placedUnits(state)
        const unit = placed[choice % placed.length]
        if (unit === undefined) return
        expect(checkPlan(state, [], defaultPolicy)).toEqual([])
        const { state: broken, tasks, found } = injections[rule](state, unit)
        expect(checkPlan(broken, tasks, defaultPolicy)).toContainEqual(expect.objectContaining({ rule, ...found }))
      }),
      { numRuns: 100 },
    )
  })

  it('names every rival, every peer and every key, on both sides', () => {
    const many = requiring(bare, {
      machineOf: ['p1.service', 'p2.service'],
      conflicts: ['web@*.service'],
      machineId: 'another',
      metadata: new Map([
        ['disk', ['ssd']],
        ['zone', ['a', 'b']],
      ]),
    })
    const rivals = ['web@1.service', 'web@2.service'].map((name): Unit => ({ ...bare, name }))
    const violations = checkPlacement({ machines: [spare], units: [many, ...rivals] }, defaultPolicy)
    expect(violations.map(({ unit, rule, other }) => [unit, rule, other].join(' ').trim())).toEqual([
      'bare.service machine-id',
      'bare.service metadata disk',
      'bare.service metadata zone',
      'bare.service peer-missing p1.service',
      'bare.service peer-missing p2.service',
      'bare.service conflict web@1.service',
      'bare.service conflict web@2.service',
      'web@1.service conflict bare.service',
      'web@2.service conflict bare.service',
    ])
  })

  it('lets a replaced unit stay when no other machine takes it and those that follow it', () => {
    const newer = requiring({ ...bare, name: 'newer.service' }, { replaces: ['bare.service'] })
    const follower = requiring(
      { ...bare, name: 'follower.service' },
      {
        machineOf: ['bare.service'],
        metadata: new Map([['disk', ['ssd']]]),
      },
    )
    const here = { ...spare, metadata: { disk: 'ssd' } }
    const other = { id: 'other', metadata: {} }
    const units = [bare, newer, follower]
    expect(checkPlacement({ machines: [here, other], units }, defaultPolicy)).toEqual([])
    expect(checkPlacement({ machines: [here, { ...other, metadata: { disk: 'ssd' } }], units }, defaultPolicy)).toEqual(
      [expect.objectContaining({ unit: 'bare.service', rule: 'replaced', other: 'newer.service' })],
    )
  })
})
