import { describe, expect, it } from 'vitest'
import { applyTasks } from './apply-tasks.ts'
import { checkPlan } from './check-plan.ts'
import { SchedulerError } from './errors.ts'
import type { ClusterState, Machine } from './model.ts'
import { planCluster } from './plan-cluster.ts'
import { defaultPolicy, fleetPolicy } from './policy.ts'
import { type UnitFromTextOptions, unitFromText } from './unit-from-text.ts'

const unit = (name: string, xFleet = '', options: UnitFromTextOptions = {}) =>
  unitFromText(name, `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${xFleet}\n`, options)

const machine = (id: string, metadata: Machine['metadata'] = {}): Machine => ({ id, metadata })

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action()
  } catch (error) {
    return error instanceof SchedulerError ? error.code : undefined
  }
  return undefined
}

describe('planCluster', () => {
  it('tells where units will be, and which have no place', () => {
    const state = {
      machines: [machine('m2'), machine('m1')],
      units: [
        unit('c.service'),
        unit('a.service'),
        unit('b.service', 'MachineID=m9'),
        unit('g.service', 'Global=true'),
      ],
    }
    const { placement, unplaced } = planCluster(state, defaultPolicy)
    expect([...placement].sort()).toEqual([
      ['a.service', 'm1'],
      ['c.service', 'm2'],
    ])
    expect(unplaced).toEqual(['b.service'])
  })

  it('lets a unit of a lost machine keep its place until another machine fits', () => {
    const units = [
      unit('a.service', 'MachineMetadata=disk=ssd', { machine: 'm9' }),
      unit('b.service', '', { machine: 'm9' }),
      unit('c.service', 'MachineID=m9', { machine: 'm9', targetState: 'inactive' }),
    ]
    const without = planCluster({ machines: [machine('m1')], units }, defaultPolicy)
    expect(without.tasks.map(({ kind, unit: name }) => `${kind} ${name}`)).toEqual([
      'unschedule b.service',
      'unschedule c.service',
      'schedule b.service',
    ])
    expect(without.unplaced).toEqual(['a.service'])
    const withFit = planCluster({ machines: [machine('m1'), machine('m2', { disk: 'ssd' })], units }, defaultPolicy)
    expect(withFit.placement.get('a.service')).toBe('m2')
    const given = planCluster({ machines: [machine('m1')], units }, { ...defaultPolicy, lostPlaces: 'given-up' })
    expect(given.placement.has('a.service')).toBe(false)
  })

  it('lets a follower keep its lost place when its leader finds a machine that does not fit it', () => {
    const units = [
      unit('leader.service', '', { machine: 'm9' }),
      unit('follower.service', 'MachineOf=leader.service\nMachineMetadata=disk=ssd', { machine: 'm9' }),
    ]
    const state = { machines: [machine('m1')], units }
    const { tasks, placement } = planCluster(state, defaultPolicy)
    expect([...placement]).toEqual([
      ['follower.service', 'm9'],
      ['leader.service', 'm1'],
    ])
    // The machine returns: the leader has moved, so now the follower has to leave.
    const back = applyTasks({ ...state, machines: [machine('m1'), machine('m9', { disk: 'ssd' })] }, tasks)
    expect(planCluster(back, defaultPolicy).unplaced).toEqual(['follower.service'])
  })

  it('looks up a machine by its ID, in full or short', () => {
    const machines = [machine('aaaaaaaa11'), machine('bbbbbbbb22')]
    const units = [
      unit('a.service', 'MachineID=bbbbbbbb22'),
      unit('b.service', 'MachineID=bbbbbbbb'),
      unit('c.service', 'MachineID=bbbb'),
    ]
    const { placement, unplaced } = planCluster({ machines, units }, defaultPolicy)
    expect([...placement.values()]).toEqual(['bbbbbbbb22', 'bbbbbbbb22'])
    expect(unplaced).toEqual(['c.service'])
  })

  it('refuses a state that holds a machine or a unit twice', () => {
    const machines = [machine('m1'), machine('m1')]
    expect(codeOf(() => planCluster({ machines, units: [] }, defaultPolicy))).toBe('scheduler/duplicate-machine')
    const units = [unit('a.service'), unit('a.service')]
    expect(codeOf(() => planCluster({ machines: [], units }, defaultPolicy))).toBe('scheduler/duplicate-unit')
  })

  it('follows a long chain of MachineOf at once', () => {
    const name = (index: number): string => `u${String(index).padStart(4, '0')}.service`
    const units = Array.from({ length: 3000 }, (_, index) =>
      unit(name(index), index < 2999 ? `MachineOf=${name(index + 1)}` : ''),
    )
    const { placement } = planCluster({ machines: [machine('m1'), machine('m2')], units }, defaultPolicy)
    expect(new Set(placement.values())).toEqual(new Set(['m1']))
    const gone = units.map((each) => ({ ...each, machine: 'm1' }))
    const emptied = planCluster({ machines: [machine('m2')], units: gone }, defaultPolicy)
    expect(new Set(emptied.placement.values())).toEqual(new Set(['m2']))
  })

  it('spreads ten thousand units over a thousand machines', () => {
    const machines = Array.from({ length: 1000 }, (_, index) => machine(`m${index}`))
    const units = Array.from({ length: 10_000 }, (_, index) =>
      unit(`web-${index % 100}@${index}.service`, 'Conflicts=%p@*.service'),
    )
    const { placement } = planCluster({ machines, units }, fleetPolicy)
    const counts = new Map<string, number>()
    for (const id of placement.values()) counts.set(id, (counts.get(id) ?? 0) + 1)
    expect(new Set(counts.values())).toEqual(new Set([10]))
  })
})

describe('checkPlan', () => {
  const state: ClusterState = {
    machines: [machine('m1', { disk: 'ssd' }), machine('m2')],
    units: [
      unit('a.service', '', { machine: 'm1' }),
      unit('b.service', 'Conflicts=a.service'),
      unit('c.service', 'MachineOf=a.service\nMachineMetadata=disk=ssd'),
      unit('d.service', 'MachineID=m1'),
      unit('i.service', '', { targetState: 'inactive' }),
      unit('g.service', 'Global=true'),
    ],
  }
  const rules = (kind: 'schedule' | 'unschedule', name: string, on: string): readonly string[] =>
    checkPlan(state, [{ kind, unit: name, machine: on, reason: '' }], defaultPolicy).map(({ rule }) => rule)

  it.each([
    ['schedule', 'c.service', 'm1', []],
    ['schedule', 'c.service', 'm2', ['metadata', 'peer-missing']],
    ['schedule', 'b.service', 'm1', ['conflict', 'conflict']],
    ['schedule', 'd.service', 'm2', ['machine-id']],
    ['schedule', 'i.service', 'm1', ['inactive']],
    ['schedule', 'g.service', 'm1', ['global']],
    ['schedule', 'd.service', 'm9', ['machine-gone']],
    ['schedule', 'z.service', 'm1', ['unknown-unit', 'orphan-target']],
    ['schedule', 'a.service', 'm2', ['already-placed']],
    ['unschedule', 'a.service', 'm2', ['not-there']],
    ['unschedule', 'a.service', 'm1', []],
  ] as const)('finds what is wrong with: %s %s on %s', (kind, name, on, expected) => {
    expect(rules(kind, name, on)).toEqual(expected)
  })
})

describe('unitFromText', () => {
  it('reads requirements and hash as fleet does', () => {
    const read = unitFromText('foo@bar.service', '[X-Fleet]\nMachineOf=%p.service\n', { machine: 'm1' })
    expect(read).toMatchObject({
      name: 'foo@bar.service',
      targetState: 'launched',
      machine: 'm1',
      requirements: { machineOf: ['foo.service'], global: false },
    })
    expect(unitFromText('a.service', '[Service]\nExecStart=/bin/sleep infinity\n').hash).toBe(
      '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52',
    )
  })

  it('refuses a text that fleet cannot read, and says where', () => {
    expect(codeOf(() => unitFromText('a.service', '[Service\n'))).toBe('scheduler/unreadable-unit')
    expect(() => unitFromText('a.service', '[Service]\nExecStart\n\n')).toThrow(/^a\.service:2: /)
  })
})
