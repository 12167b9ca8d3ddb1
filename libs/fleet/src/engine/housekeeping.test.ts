import { toRevision } from '@cluster/kv'
import { expect, it } from 'vitest'
import { createKeyspace } from '../registry/keyspace.ts'
import { createViewReader } from '../registry/view-reader.ts'
import { createHousekeeping } from './housekeeping.ts'

const keyspace = createKeyspace('/f')
const viewOf = (entries: Readonly<Record<string, string>>, revision = 1) =>
  createViewReader(keyspace).read(
    Object.entries(entries).map(([key, value]) => ({ key: `/f/${key}`, value, revision: toRevision(revision) })),
    toRevision(revision),
  )

it('a text that nothing refers to is waste after its grace, and one that is written again starts anew', () => {
  const housekeeping = createHousekeeping({ textGraceMs: 100, leftoverGraceMs: 10 })
  const entries = { 'unit/aa': '{"Raw":"[A]\\n"}' }
  expect(housekeeping.due(viewOf(entries), 0)).toEqual([])
  expect(housekeeping.due(viewOf(entries), 100)).toEqual([{ kind: 'text', hash: 'aa', revision: 1 }])
  expect(housekeeping.due(viewOf(entries, 2), 110)).toEqual([])
})

it('a target state without a unit may be one that is being created, for a while', () => {
  const housekeeping = createHousekeeping({ textGraceMs: 100, leftoverGraceMs: 10 })
  const entries = { 'job/a.service/target-state': 'launched' }
  expect(housekeeping.due(viewOf(entries), 0)).toEqual([])
  expect(housekeeping.due(viewOf(entries), 10)).toEqual([
    { kind: 'leftovers', unit: 'a.service', keys: [{ key: '/f/job/a.service/target-state', revision: 1 }] },
  ])
  // Written again: somebody is creating the unit at last.
  expect(housekeeping.due(viewOf(entries, 2), 15)).toEqual([])
  expect(housekeeping.due(viewOf({}), 20)).toEqual([])
})
