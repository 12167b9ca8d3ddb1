import { describe, expect, test } from 'vitest'
import { machine } from '../test/machine.ts'
import { hashedName, isHashedName } from './hashed-name.ts'
import { expandSpecifiers, mangleUnitName, parseUnitName } from './index.ts'

describe('names of too long paths', () => {
  // As systemd-escape --mangle of systemd 252 prints them.
  test.each([
    [`/${' '.repeat(218)}`, `${'\\x20'.repeat(58)}_a1055750fe6b4bad.mount`],
    [`/${'é'.repeat(116)}`, `${'\\xc3\\xa9'.repeat(29)}_27535844b33e8ccf.mount`],
  ])('a path of %#', (path, name) => {
    expect(mangleUnitName(path)).toEqual({ ok: true, value: name })
    expect(isHashedName(name)).toBe(true)
    expect(parseUnitName(name).ok).toBe(true)
  })

  test('is as long as a name may be', () => {
    expect(hashedName(`${'a'.repeat(300)}.device`)).toHaveLength(255)
  })

  test.each([
    ['a_0123456789abcdef.mount', true],
    ['_0123456789abcdef.mount', false],
    ['a_0123456789abcdeF.mount', false],
    ['a@b_0123456789abcdef.service', false],
    ['a-0123456789abcdef.mount', false],
  ])('%s is of that form: %s', (name, is) => expect(isHashedName(name)).toBe(is))

  test('no path comes back', () => {
    expect(expandSpecifiers('a_0123456789abcdef.service', '%f', machine)).toMatchObject({
      ok: false,
      error: { message: 'File name too long' },
    })
  })
})
