import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyspace } from './keyspace.ts'

describe('a keyspace', () => {
  it.each([
    ['/_coreos.com/fleet/', '/_coreos.com/fleet'],
    ['_coreos.com//fleet', '/_coreos.com/fleet'],
    ['/', '/'],
    ['', '/'],
  ])('with the prefix %j lies under %s', (given, prefix) => expect(createKeyspace(given).prefix).toBe(prefix))

  const keys = createKeyspace('/p')
  it.each([
    [keys.unitText('ab'), '/p/unit/ab', { kind: 'unit-text', hash: 'ab' }],
    [keys.jobObject('a.service'), '/p/job/a.service/object', { kind: 'job-object', unit: 'a.service' }],
    [keys.targetState('a.service'), '/p/job/a.service/target-state', { kind: 'target-state', unit: 'a.service' }],
    [keys.target('a.service'), '/p/job/a.service/target', { kind: 'target', unit: 'a.service' }],
    [keys.heartbeat('a.service'), '/p/job/a.service/job-state', { kind: 'heartbeat', unit: 'a.service' }],
    [
      keys.unitState('a.service', 'm'),
      '/p/states/a.service/m',
      { kind: 'unit-state', unit: 'a.service', machine: 'm' },
    ],
    [keys.legacyUnitState('a.service'), '/p/state/a.service', { kind: 'legacy-unit-state', unit: 'a.service' }],
    [keys.machine('m'), '/p/machines/m/object', { kind: 'machine', machine: 'm' }],
    [keys.machineMetadata('m', 'k'), '/p/machines/m/metadata/k', { kind: 'machine-metadata', machine: 'm', name: 'k' }],
    [keys.engineLease, '/p/lease/engine-leader', { kind: 'engine-lease' }],
    [keys.engineVersion, '/p/engine/version', { kind: 'engine-version' }],
    [keys.cordon('m'), '/p/cordon/m', { kind: 'cordon', machine: 'm' }],
    [keys.brake, '/p/brake/held', { kind: 'brake' }],
    [keys.brakeRelease, '/p/brake/release', { kind: 'brake-release' }],
  ])('makes and reads %s', (made, expected, meaning) => {
    expect(made).toBe(expected)
    expect(keys.parse(made)).toEqual(meaning)
  })

  it.each([
    '/q/job/a/object',
    '/p/job/a/object/x',
    '/p/payload/a',
    '/p/job/a/signature',
    '/p',
    '/p/engine',
    '/p/job/a',
    '/p/cordon/m/x',
    '/p/brake/held/x',
  ])('takes %s for a foreign key', (key) => expect(keys.parse(key)).toEqual({ kind: 'unknown' }))

  it('reads any text without failing', () => {
    fc.assert(fc.property(fc.string(), (text) => keys.parse(`/p/${text}`).kind.length > 0))
  })

  it('under the root prefix reads its own keys', () => {
    const root = createKeyspace('/')
    expect(root.parse(root.machine('m'))).toEqual({ kind: 'machine', machine: 'm' })
  })
})
