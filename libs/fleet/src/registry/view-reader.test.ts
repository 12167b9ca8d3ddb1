import { type Key, type KvEntry, toRevision } from '@cluster/kv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClusterView } from './cluster-view.ts'
import { encodeCordon, encodeJobObject, encodeMachine, encodeUnitState, encodeUnitText } from './codec.ts'
import { createKeyspace } from './keyspace.ts'
import { createViewReader } from './view-reader.ts'

const keyspace = createKeyspace('/f')
const hashes = ['aa'.repeat(20), 'bb'.repeat(20)]
const machine = (id: string, metadata: Readonly<Record<string, string>>): string =>
  encodeMachine({ id, publicIp: '', metadata, engineDisabled: false, version: '1' })
const state = encodeUnitState({ loadState: 'l', activeState: 'a', subState: 's', machine: 'm1', hash: '' })

const jobKeys = ['a.service', 'b.service'].flatMap((name) =>
  ['object', 'target-state', 'target', 'job-state'].map((part) => `job/${name}/${part}`),
)
const keys = [
  ...hashes.map((hash) => `unit/${hash}`),
  ...jobKeys,
  ...['m1', 'm2'].flatMap((id) => [
    `machines/${id}/object`,
    `machines/${id}/metadata/az`,
    `cordon/${id}`,
    `states/a.service/${id}`,
  ]),
  'brake/held',
  'brake/release',
  'engine/version',
  'lease/engine-leader',
  'foreign',
]
const values = [
  encodeUnitText('[Service]\nExecStart=/bin/true\n'),
  encodeUnitText('[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\n'),
  ...hashes.flatMap((hash) => ['a.service', 'b.service'].map((name) => encodeJobObject({ name, hash }))),
  ...['launched', 'bogus', 'm1', 'm2', '1', state, machine('m1', { az: 'x' }), machine('m2', {})],
  encodeCordon({ drain: true }),
  '{"lostMachines":["m1"],"wouldMove":3}',
  '{"machines":["m2"]}',
  '{',
]
/** Keys and what becomes of them; `undefined`: it goes. */
const changes = fc.array(
  fc.tuple(fc.constantFrom(...keys), fc.option(fc.constantFrom(...values), { nil: undefined })),
  { maxLength: 6 },
)

/** The view with maps that can be compared. */
const plain = (view: ClusterView): unknown => ({
  ...view,
  units: new Map(view.units),
  unreadableUnits: new Map(view.unreadableUnits),
  machines: new Map(view.machines),
  dynamicMetadata: new Map(view.dynamicMetadata),
  cordons: new Map(view.cordons),
  states: new Map(view.states),
})

describe('a view', () => {
  it('after changes is the same whether it is read anew, compared or brought up to date', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (history) => {
        const entries = new Map<Key, KvEntry>()
        const updated = createViewReader(keyspace)
        const compared = createViewReader(keyspace)
        const handedOut: (readonly [seen: ClusterView, copy: unknown])[] = []
        for (const [index, step] of history.entries()) {
          const revision = toRevision(index + 1)
          for (const [name, value] of step) {
            const key = `/f/${name}`
            if (value === undefined) entries.delete(key)
            else entries.set(key, { key, value, revision })
          }
          const expected = plain(createViewReader(keyspace).read(entries.values(), revision))
          const view = updated.update(new Set(step.map(([name]) => `/f/${name}`)), entries, revision)
          expect(plain(view)).toEqual(expected)
          expect(plain(compared.read(entries.values(), revision))).toEqual(expected)
          handedOut.push([view, expected])
        }
        // What was handed out earlier is as it was.
        for (const [view, copy] of handedOut) expect(plain(view)).toEqual(copy)
      }),
    )
  })

  it('tells which units and machines it shows differently, once', () => {
    const reader = createViewReader(keyspace)
    const text = encodeUnitText('[Service]\nExecStart=/bin/true\n')
    const put = (name: string, value: string): KvEntry => ({ key: `/f/${name}`, value, revision: toRevision(1) })
    const [hash = ''] = hashes
    const object = put('job/a.service/object', encodeJobObject({ name: 'a.service', hash }))
    const up = put('machines/m1/object', machine('m1', {}))
    reader.read([object, up], toRevision(1))
    expect(reader.takeTouched()).toEqual({ units: new Set(['a.service']), machines: new Set(['m1']) })
    // The text that was missing comes.
    const all = new Map([object, up, put(`unit/${hash}`, text)].map((entry) => [entry.key, entry]))
    expect(reader.update([`/f/unit/${hash}`], all, toRevision(2)).units.has('a.service')).toBe(true)
    expect(reader.takeTouched()).toEqual({ units: new Set(['a.service']), machines: new Set() })
    reader.read(all.values(), toRevision(3))
    expect(reader.takeTouched()).toEqual({ units: new Set(), machines: new Set() })
  })
})
