import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkFleetUnitName, defaultFleetSuffix, parseFleetName } from './fleet-name.ts'

describe('checkFleetUnitName', () => {
  it.each([
    ['', 'unit name cannot be empty'],
    [`${'a'.repeat(249)}.service`, 'unit name exceeds maximum length (256)'],
    ['a', 'unit name must contain "."'],
    ['a.', 'unit name cannot end in "."'],
    ['a.fo"o', 'invalid unit type: "fo\\"o"'],
    ['a@b.mount', 'invalid unit type for template: "mount"'],
    ["a'b.service", "invalid character '\\'' in unit name"],
    ['a\tb.service', "invalid character '\\t' in unit name"],
    ['@x.service', 'unit name cannot start in "@"'],
  ])('refuses %j: %s', (name, message) =>
    expect(checkFleetUnitName(name)).toMatchObject({ ok: false, error: { message } }),
  )

  it.each(['a.service', '.service', 'a\\x2db.busname', 'a@.target', `${'a'.repeat(248)}.service`])(
    'takes %j',
    (name) => {
      expect(checkFleetUnitName(name).ok).toBe(true)
    },
  )

  it('counts bytes, not characters', () => {
    expect(checkFleetUnitName(`${'é'.repeat(128)}.service`)).toMatchObject({ error: { kind: 'too-long' } })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => typeof checkFleetUnitName(name).ok === 'boolean'))
  })
})

describe('parseFleetName', () => {
  it('cuts at the first @ and the last dot', () => {
    expect(parseFleetName('a.b@c@d.e.socket')).toEqual({
      fullName: 'a.b@c@d.e.socket',
      name: 'a.b@c@d.e',
      prefix: 'a.b',
      template: 'a.b@.socket',
      instance: 'c@d.e',
      isInstance: true,
      isTemplate: false,
    })
  })

  it('gives nothing for a name without a dot', () => expect(parseFleetName('a@b')).toBeUndefined())
})

it.each([
  ['a', 'a.service'],
  ['x.target', 'x.target.service'],
  ['x.socket', 'x.socket'],
  ['a.b', 'a.b.service'],
])('fleetctl takes %s as %s', (typed, name) => expect(defaultFleetSuffix(typed)).toBe(name))
