import { describe, expect, it } from 'vitest'
import { readFleetRequirements } from './fleet-options.ts'
import {
  checkUnitRequirements,
  creationPolicyFor,
  fleetRequirementsPolicy,
  readRequirements,
} from './fleet-requirements.ts'
import type { UnitOption } from './option.ts'

const xFleet = (...pairs: readonly (readonly [string, string])[]): readonly UnitOption[] =>
  pairs.map(([name, value]) => ({ section: 'X-Fleet', name, value }))

describe('readRequirements', () => {
  it('splits every list at blanks, and groups by quotes as systemd does', () => {
    const options = xFleet(
      ['MachineOf', 'a.service b.service'],
      ['Replaces', "'c*'\td\\x2de.service"],
      ['MachineMetadata', '"dc=north east" disk=ssd disk=nvme'],
      ['MachineID', '"abc"'],
    )
    expect(readRequirements('x.service', options)).toEqual({
      machineId: 'abc',
      machineOf: ['a.service', 'b.service'],
      conflicts: [],
      replaces: ['c*', 'd\\x2de.service'],
      metadata: new Map([
        ['dc', ['north east']],
        ['disk', ['nvme', 'ssd']],
      ]),
      global: false,
    })
  })

  it('is fleet’s own reading under fleet’s policy', () => {
    const options = xFleet(['MachineOf', 'a b'], ['MachineMetadata', 'k=v=w'], ['Conflicts', '"a"\t"b" c'])
    expect(readRequirements('x.service', options, fleetRequirementsPolicy)).toEqual(
      readFleetRequirements('x.service', options),
    )
  })
})

describe('checkUnitRequirements', () => {
  const kinds = (unit: string, options: readonly UnitOption[]): readonly string[] =>
    checkUnitRequirements(unit, options).map(({ kind }) => kind)

  it.each([
    ['metadata with two equal signs', [['MachineMetadata', 'k=v=w']], ['malformed-metadata']],
    ['metadata without a key', [['MachineMetadata', '=v']], ['malformed-metadata']],
    ['an open quote', [['MachineOf', '"a']], ['bad-quoting']],
    ['an unknown key', [['machineid', 'x']], ['unknown-key']],
    [
      'a combination that shows only when expanded',
      [
        ['Global', '%i'],
        ['MachineOf', 'b.service'],
      ],
      ['refused-combination'],
    ],
    [
      'a peer that a glob meets when expanded',
      [
        ['MachineOf', '%p.service'],
        ['Conflicts', 'x.*'],
      ],
      ['refused-combination'],
    ],
    [
      'nothing wrong',
      [
        ['Conflicts', 'x@*'],
        ['MachineMetadata', 'k=v'],
      ],
      [],
    ],
  ] as const)('finds %s', (_, pairs, expected) => expect(kinds('x@true.service', xFleet(...pairs))).toEqual(expected))

  it('names place and remedy', () => {
    const [finding] = checkUnitRequirements('x.service', xFleet(['MachineMetadata', '"a=b c" d']))
    expect(finding).toMatchObject({
      severity: 'error',
      place: { section: 'X-Fleet', key: 'MachineMetadata', value: '"a=b c" d' },
    })
    expect(finding?.remedy).not.toBe('')
  })

  it('says nothing of traps under fleet’s policy', () => {
    const options = xFleet(['MachineMetadata', 'k=v=w'], ['Foo', '1'], ['Global', '%i'], ['MachineOf', 'b'])
    expect(checkUnitRequirements('a@true.service', options, fleetRequirementsPolicy)).toEqual([])
  })

  it('leaves open in a template what its instance decides', () => {
    const options = xFleet(['MachineMetadata', 'hostname=%i'], ['Global', '%i'], ['MachineOf', 'b.service'])
    expect(checkUnitRequirements('x@.service', options, creationPolicyFor('x@.service'))).toEqual([])
    const ofInstance = checkUnitRequirements('x@true.service', options, creationPolicyFor('x@true.service'))
    expect(ofInstance.map(({ kind }) => kind)).toEqual(['refused-combination'])
  })
})
