import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { machine } from '../test/machine.ts'
import { expandFleetSpecifiers } from './fleet-specifiers.ts'
import { expandInstallSpecifiers, expandSpecifiers, type SpecifierContext } from './specifiers.ts'

const context: SpecifierContext = { ...machine, architecture: 'arm64', hostName: 'node1.example.org' }

describe('expandSpecifiers', () => {
  it.each([
    ['a-b@c-d.service', '%n %N %p %i %j %P %I %f', 'a-b@c-d.service a-b@c-d a-b c-d b a/b c/d /c/d'],
    ['a.service', '%%n 100% % x %/ %-', '%n 100% % x %/ %-'],
    ['a.service', '%q %l %o%W', 'node1 node1 debian'],
    ['foo-.service', '<%J%j>', '<>'],
    ['a@%i.service', 'no specifier, so the name does not matter', 'no specifier, so the name does not matter'],
  ])('in %s: %j gives %j', (unit, text, value) => {
    expect(expandSpecifiers(unit, text, context)).toEqual({ ok: true, value })
  })

  it.each([
    ['a.service', '%n%D', { kind: 'unknown-specifier', specifier: 'D', message: 'Invalid slot' }],
    ['a@b\\q.service', '%I', { kind: 'no-value', specifier: 'I', message: 'Invalid argument' }],
    ['a b', '%n', { kind: 'invalid-unit-name' }],
  ])('in %s: %j is refused', (unit, text, error) => {
    expect(expandSpecifiers(unit, text, context)).toMatchObject({ ok: false, error })
  })

  it('leaves text without percent signs alone, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const result = expandSpecifiers('a@b.service', text, context)
        if (!text.includes('%')) expect(result).toEqual({ ok: true, value: text })
      }),
    )
  })
})

describe('expandInstallSpecifiers', () => {
  it('knows names and machine, but no paths', () => {
    expect(expandInstallSpecifiers('a@b.service', '%p-%i-%m-%u', context).ok).toBe(true)
    expect(expandInstallSpecifiers('a@b.service', '%t', context)).toMatchObject({
      error: { kind: 'unknown-specifier' },
    })
  })
})

describe('expandFleetSpecifiers', () => {
  it.each([
    ['a@b.service', '%n %N %p %i %%i %H', 'a@b.service a@b a b %b %H'],
    ['a@%p$&.service', '%i', '%p$&'],
    ['%i@x.service', '%p', 'x'],
    ['nodot', '%n', '%n'],
  ])('in %s: %j gives %j', (unit, text, value) => expect(expandFleetSpecifiers(unit, text)).toBe(value))
})
