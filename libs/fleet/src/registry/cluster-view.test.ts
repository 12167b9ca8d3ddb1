import { toRevision } from '@cluster/kv'
import { describe, expect, it } from 'vitest'
import { clusterStateOf, currentStateOf } from './cluster-view.ts'
import { encodeJobObject, encodeMachine, encodeUnitState, encodeUnitText } from './codec.ts'
import { createKeyspace } from './keyspace.ts'
import { createViewReader } from './view-reader.ts'

const keyspace = createKeyspace('/f')
const hash = '8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52'
const text = '[Service]\nExecStart=/bin/sleep infinity\n'
const at = toRevision(1)
const entriesOf = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, value]) => ({ key: `/f/${key}`, value, revision: at }))
const viewOf = (values: Readonly<Record<string, string>>) => createViewReader(keyspace).read(entriesOf(values), at)

const unit = {
  [`unit/${hash}`]: encodeUnitText(text),
  'job/a.service/object': encodeJobObject({ name: 'a.service', hash }),
}
const machine = encodeMachine({
  id: 'm1',
  publicIp: '',
  metadata: { az: 'a', disk: 'ssd' },
  engineDisabled: false,
  version: '1',
})
const state = encodeUnitState({ loadState: 'loaded', activeState: 'active', subState: 'running', machine: 'm1', hash })

describe('a view', () => {
  it('of nothing is empty, not an error', () => {
    const view = viewOf({})
    expect(view.units.size + view.machines.size + view.problems.length).toBe(0)
  })

  it.each([
    [{}, 'inactive'],
    [{ 'job/a.service/target': 'm1' }, 'inactive'],
    [{ 'job/a.service/target': 'm1', 'states/a.service/m1': state }, 'loaded'],
    [{ 'job/a.service/target': 'm1', 'states/a.service/m1': state, 'job/a.service/job-state': 'm2' }, 'loaded'],
    [{ 'job/a.service/target': 'm1', 'states/a.service/m1': state, 'job/a.service/job-state': 'm1' }, 'launched'],
    [{ 'job/a.service/target': 'm2', 'states/a.service/m1': state, 'job/a.service/job-state': 'm2' }, 'inactive'],
  ])('with %j has the unit %s', (values, expected) => {
    const view = viewOf({ ...unit, ...values })
    const found = view.units.get('a.service')
    expect(found && currentStateOf(view, found)).toBe(expected)
  })

  it('keeps a unit without its text apart from one that is gone', () => {
    const view = viewOf({
      'job/a.service/object': encodeJobObject({ name: 'a.service', hash }),
      'job/a.service/target': 'm1',
    })
    expect(view.units.size).toBe(0)
    expect(view.unreadableUnits.get('a.service')).toEqual({
      name: 'a.service',
      machine: 'm1',
      problem: `its text ${hash} is missing`,
    })
    expect(clusterStateOf(view).orphanTargets).toBeUndefined()
  })

  it('keeps a unit whose object names another apart', () => {
    const view = viewOf({ ...unit, 'job/b.service/object': encodeJobObject({ name: 'a.service', hash }) })
    expect([...view.units.keys()]).toEqual(['a.service'])
    expect([...view.unreadableUnits.keys()]).toEqual(['b.service'])
  })

  it('shows a target state nobody knows, and counts it for none', () => {
    const view = viewOf({ ...unit, 'job/a.service/target-state': 'bogus' })
    expect(view.units.get('a.service')).toMatchObject({ unknownTargetState: 'bogus' })
    expect(view.units.get('a.service')?.targetState).toBeUndefined()
    expect(view.problems).toHaveLength(1)
  })

  it('has dynamic metadata over configured, and an empty value takes a key away', () => {
    const view = viewOf({
      'machines/m1/object': machine,
      'machines/m1/metadata/az': 'b',
      'machines/m1/metadata/disk': '',
    })
    expect(view.machines.get('m1')?.effectiveMetadata).toEqual({ az: 'b' })
    expect(viewOf({ 'machines/m1/metadata/az': 'b' }).machines.size).toBe(0)
  })

  it('tells keys of a unit that does not exist, with its target', () => {
    const view = viewOf({ 'job/ghost.service/target': 'm1', 'job/ghost.service/job-state': 'm1' })
    expect(view.leftovers.get('ghost.service')).toMatchObject({ machine: 'm1' })
    expect(clusterStateOf(view).orphanTargets).toEqual([{ unit: 'ghost.service', machine: 'm1' }])
  })

  it('reports each damaged value and goes on', () => {
    const view = viewOf({
      ...unit,
      'machines/m1/object': machine,
      'machines/m2/object': '{',
      'states/a.service/m9': '7',
      'x/y': '1',
    })
    expect([...view.machines.keys()]).toEqual(['m1'])
    expect(view.problems.map(({ key }) => key).sort()).toEqual(['/f/machines/m2/object', '/f/states/a.service/m9'])
  })
})
