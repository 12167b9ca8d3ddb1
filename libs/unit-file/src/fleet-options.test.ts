import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkFleetOptions, fleetItems, readFleetRequirements, unrecognizedFleetKeys } from './fleet-options.ts'
import type { UnitOption } from './option.ts'

const xFleet = (...pairs: readonly (readonly [string, string])[]): readonly UnitOption[] =>
  pairs.map(([name, value]) => ({ section: 'X-Fleet', name, value }))

const messageOf = (options: readonly UnitOption[]): string | undefined => {
  const checked = checkFleetOptions(options)
  return checked.ok ? undefined : checked.error.message
}

describe('readFleetRequirements', () => {
  it('merges legacy spellings in fleet’s order', () => {
    const options = xFleet(
      ['MachineOf', 'm'],
      ['X-ConditionMachineOf', 'l'],
      ['Conflicts', 'c\u0085d'],
      ['X-Conflicts', 'x'],
      ['X-ConditionMachineBootID', 'boot'],
      ['X-ConditionMachineID', 'id'],
      ['MachineMetadata', '"k=2" "k=1"'],
      ['X-ConditionMachineMetadata', 'k=1'],
    )
    expect(readFleetRequirements('a.service', options)).toEqual({
      machineId: 'id',
      machineOf: ['l', 'm'],
      conflicts: ['x', 'c', 'd'],
      replaces: [],
      metadata: new Map([['k', ['1', '2']]]),
      global: false,
    })
  })

  it('expands specifiers before it reads the value', () => {
    const options = xFleet(['Global', '%i'], ['Conflicts', '%p@* %%i'])
    expect(readFleetRequirements('a@true.service', options)).toMatchObject({
      global: true,
      conflicts: ['a@*', '%true'],
    })
  })

  it('reads only the section of that exact name', () => {
    expect(fleetItems([{ section: 'x-fleet', name: 'Global', value: 'true' }]).size).toBe(0)
  })

  it('never throws', () => {
    const option = fc.record({
      section: fc.constant('X-Fleet'),
      name: fc.constantFrom('MachineMetadata', 'Conflicts', 'Global', 'MachineOf'),
      value: fc.string({ unit: 'binary' }),
    })
    fc.assert(
      fc.property(fc.string(), fc.array(option), (name, options) => {
        readFleetRequirements(name, options)
        checkFleetOptions(options)
      }),
    )
  })
})

describe('splitting of values', () => {
  it.each([
    ['"a=b" "c d"', ['a=b', 'c d']],
    ['"a"  "b"', ['a', '', 'b']],
    ['"', ['']],
    ['""', ['']],
    ['"a"\t"b"', ['a\tb']],
    ['"a" b', ['"a" b']],
    ['a "b"', ['a "b"']],
  ])('%j gives %j', (value, items) => expect(fleetItems(xFleet(['Foo', value])).get('Foo')).toEqual(items))
})

describe('checkFleetOptions', () => {
  it('quotes names as Go does', () => {
    expect(messageOf(xFleet(['MachineOf', 'a"\u0085b'], ['Conflicts', '*']))).toBe(
      'unresolvable requirements: peer "a\\"\\u0085b" matches conflict "*"',
    )
  })

  it('looks at a peer’s conflicts before its replaces', () => {
    expect(messageOf(xFleet(['MachineOf', 'a'], ['Replaces', 'a'], ['Conflicts', 'a']))).toBe(
      'unresolvable requirements: peer "a" matches conflict "a"',
    )
  })

  it('takes an empty machine ID as given, but not empty conflicts', () => {
    expect(messageOf(xFleet(['MachineID', ''], ['Conflicts', '']))).toBeUndefined()
    expect(messageOf(xFleet(['MachineID', ''], ['Conflicts', 'b']))).toBe('MachineID cannot be used with Conflicts')
  })

  it('refuses what does not read back', () => {
    expect(messageOf(xFleet(['Conflicts', 'a\nb']))).toBe('unexpected newline encountered while parsing option name')
  })

  it('does not expand specifiers', () => {
    expect(messageOf(xFleet(['MachineOf', '%p.service'], ['Conflicts', 'a.service']))).toBeUndefined()
  })
})

it('names unknown keys once, in file order', () => {
  expect(unrecognizedFleetKeys(xFleet(['Foo', '1'], ['Global', '1'], ['bar', ''], ['Foo', '2']))).toEqual([
    'Foo',
    'bar',
  ])
})
