import { type Key, type KvEntry, toRevision } from '@cluster/kv'
import { type ClusterTask, defaultPolicy, fleetPolicy, planCluster } from '@cluster/scheduler'
import { clusterDialect, hashOptions, readAsFleet } from '@cluster/unit-file'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClusterView } from '../registry/cluster-view.ts'
import { encodeCordon, encodeJobObject, encodeMachine, encodeUnitText } from '../registry/codec.ts'
import { createKeyspace } from '../registry/keyspace.ts'
import { createViewReader } from '../registry/view-reader.ts'
import { atOnce } from '../slices.ts'
import { createHeldPlan, engineStateOf } from './held-plan.ts'

const keyspace = createKeyspace('/f')
const names = ['a@1.service', 'a@2.service', 'b.service', 'c.service', 'd.service', 'e.service']
const ids = ['m1', 'm2', 'm3', 'm4']
const texts = [
  [],
  ['Conflicts=a@*.service'],
  ['Conflicts=*.service'],
  ['MachineOf=b.service'],
  ['MachineMetadata=az=x'],
  ['MachineID=m2'],
  ['Global=true'],
  ['Replaces=c.service'],
].map((fleet) => ['[Service]', 'ExecStart=/bin/true', '[X-Fleet]', ...fleet, ''].join('\n'))

const hashOf = (text: string): string => {
  const options = readAsFleet(text, clusterDialect)
  return options.ok ? hashOptions(options.value) : ''
}

const name = fc.constantFrom(...names)
const id = fc.constantFrom(...ids)
const flag = fc.boolean()
/** What somebody does to the registry. */
const deed = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put-unit' as const), name, text: fc.constantFrom(...texts) }),
  },
  fc.record({ kind: fc.constant('destroy' as const), name, isHalf: flag }),
  fc.record({ kind: fc.constant('lose-text' as const), text: fc.constantFrom(...texts) }),
  fc.record({
    kind: fc.constant('target-state' as const),
    name,
    value: fc.constantFrom('inactive', 'loaded', 'launched', 'bogus'),
  }),
  fc.record({ kind: fc.constant('target' as const), name, value: fc.option(id) }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), id, az: fc.constantFrom('x', 'y') }) },
  fc.record({ kind: fc.constant('leave' as const), id }),
  fc.record({ kind: fc.constant('label' as const), id, az: fc.option(fc.constantFrom('x', 'y', '')) }),
  fc.record({ kind: fc.constant('cordon' as const), id, cordon: fc.option(fc.record({ drain: flag })) }),
)
/** What the engine meets at one look. */
const look = fc.record({
  deeds: fc.array(deed, { maxLength: 4 }),
  /** Machines that may be alive where they are not listed. */
  away: fc.subarray(ids),
  /** Tasks from here on are not done. */
  bouncedFrom: fc.option(fc.nat(4)),
  how: fc.constantFrom('looks', 'looks', 'looks', 'looks', 'misses', 'reads-anew', 'led-not'),
})

describe.each([
  ['ours', defaultPolicy],
  ["fleet's", fleetPolicy],
])('a held plan under %s rules', (_, policy) => {
  it('is always that of planning from scratch, whatever was bounced, missed or done by others', () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 14 }), (history) => {
        const entries = new Map<Key, KvEntry>()
        const changed = new Set<Key>()
        const reader = createViewReader(keyspace)
        const held = createHeldPlan(policy)
        let revision = 0
        const write = (key: Key, value: string | undefined): void => {
          revision++
          if (value === undefined) entries.delete(key)
          else entries.set(key, { key, value, revision: toRevision(revision) })
          changed.add(key)
        }
        for (const { deeds, away, bouncedFrom, how } of history) {
          for (const each of deeds) carryOut(each, write)
          if (how === 'misses') continue
          const at = toRevision(revision)
          const view = how === 'reads-anew' ? reader.read(entries.values(), at) : reader.update(changed, entries, at)
          changed.clear()
          held.note(reader.takeTouched())
          if (how === 'led-not') held.forget()
          const mayBeAlive = new Set(away.filter((each) => !view.machines.has(each)))
          const expected = inOrder(view, planCluster(engineStateOf(view, mayBeAlive), policy).tasks)
          held.look(view)
          expect(inOrder(view, held.preview(mayBeAlive))).toEqual(expected)
          const tasks = atOnce(held.plan(mayBeAlive))
          expect(inOrder(view, tasks)).toEqual(expected)
          for (const { kind, unit, machine } of tasks.slice(0, bouncedFrom ?? tasks.length)) {
            const key = keyspace.target(unit)
            if (kind === 'schedule' && !entries.has(key)) write(key, machine)
            if (kind === 'unschedule' && entries.get(key)?.value === machine) write(key, undefined)
          }
        }
      }),
      { numRuns: 400 },
    )
  })
})

/** Targets of nobody first; what remains is in the order of the plan. */
const inOrder = ({ leftovers }: ClusterView, tasks: readonly ClusterTask[]): readonly ClusterTask[] => [
  ...tasks.filter(({ unit }) => leftovers.has(unit)),
  ...tasks.filter(({ unit }) => !leftovers.has(unit)),
]

function carryOut(
  what: typeof deed extends fc.Arbitrary<infer T> ? T : never,
  write: (key: Key, value?: string) => void,
) {
  switch (what.kind) {
    case 'put-unit': {
      const hash = hashOf(what.text)
      write(keyspace.unitText(hash), encodeUnitText(what.text))
      write(keyspace.targetState(what.name), 'launched')
      write(keyspace.jobObject(what.name), encodeJobObject({ name: what.name, hash }))
      break
    }
    case 'destroy':
      write(keyspace.jobObject(what.name))
      if (!what.isHalf) for (const key of [keyspace.target, keyspace.targetState]) write(key(what.name))
      break
    case 'lose-text':
      write(keyspace.unitText(hashOf(what.text)))
      break
    case 'target-state':
      write(keyspace.targetState(what.name), what.value)
      break
    case 'target':
      write(keyspace.target(what.name), what.value ?? undefined)
      break
    case 'join': {
      const { az } = what
      const object = { id: what.id, publicIp: '', metadata: { az }, engineDisabled: false, version: '' }
      write(keyspace.machine(what.id), encodeMachine(object))
      break
    }
    case 'leave':
      write(keyspace.machine(what.id))
      break
    case 'label':
      write(keyspace.machineMetadata(what.id, 'az'), what.az ?? undefined)
      break
    case 'cordon':
      write(keyspace.cordon(what.id), what.cordon === null ? undefined : encodeCordon(what.cordon))
      break
    default:
      what satisfies never
  }
}
