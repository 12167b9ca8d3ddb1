import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  defaultSlice,
  instanceName,
  isLoadableName,
  mangleUnitName,
  parseUnitName,
  templateName,
  type UnitNameParts,
} from './unit-name.ts'

const parsed = (name: string): UnitNameParts => {
  const result = parseUnitName(name)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

describe('parseUnitName', () => {
  it('cuts at the first @ and the last dot', () => {
    expect(parsed('a.b@c@d.e.socket')).toEqual({
      name: 'a.b@c@d.e.socket',
      kind: 'instance',
      type: 'socket',
      stem: 'a.b@c@d.e',
      prefix: 'a.b',
      instance: 'c@d.e',
    })
  })

  it.each([
    ['', 'empty'],
    ['a', 'no-type'],
    ['a.snapshot', 'unknown-type'],
    ['a.', 'unknown-type'],
    ['.service', 'no-prefix'],
    ['@a.service', 'no-prefix'],
    ['a/b.service', 'bad-character'],
    ['ä.service', 'bad-character'],
    [`${'a'.repeat(248)}.service`, 'too-long'],
  ])('refuses %j: %s', (name, kind) => expect(parseUnitName(name)).toMatchObject({ ok: false, error: { kind } }))

  it('never throws, and what it takes is made of its parts', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a@.\\-]{0,8}\.(service|slice|mount)$/))
    fc.assert(
      fc.property(name, (input) => {
        const result = parseUnitName(input)
        if (!result.ok) return
        const { kind, prefix, instance, type } = result.value
        expect(kind === 'plain' ? `${prefix}.${type}` : `${prefix}@${instance}.${type}`).toBe(input)
      }),
    )
  })
})

describe('templates', () => {
  it('give instances, and instances give their template', () => {
    expect(instanceName(parsed('web@.service'), '1')).toEqual({ ok: true, value: 'web@1.service' })
    expect(templateName(parsed('web@1@2.service'))).toBe('web@.service')
    expect(templateName(parsed('web.service'))).toBeUndefined()
  })

  it.each([
    ['web.service', '1', 'no-prefix'],
    ['web@.service', '', 'empty'],
    ['web@.service', 'a/b', 'bad-character'],
    [`${'a'.repeat(246)}@.service`, '1', 'too-long'],
  ])('refuse %s with instance %j: %s', (template, instance, kind) => {
    expect(instanceName(parsed(template), instance)).toMatchObject({ ok: false, error: { kind } })
  })

  it.each([
    ['a@.service', false],
    ['a@b.timer', true],
    ['a@b.mount', false],
    ['a.mount', true],
  ])('%s can be loaded: %s', (name, loadable) => expect(isLoadableName(parsed(name))).toBe(loadable))
})

it.each([
  ['a-b@1.service', 'system-a\\x2db.slice'],
  ['a.service', 'system.slice'],
  ['a-b-c.slice', 'a-b.slice'],
  ['a.slice', '-.slice'],
  ['-.slice', undefined],
  ['a--b.slice', undefined],
])('%s lies in %s', (name, slice) => expect(defaultSlice(parsed(name))).toBe(slice))

describe('mangleUnitName', () => {
  it.each([
    ['web@*', 'web@*'],
    ['web*.service', 'web*.service'],
    ['a b*', 'a\\x20b*'],
    ['foo', 'foo.service'],
  ])('leaves globs where they are allowed: %s gives %s', (typed, name) => {
    expect(mangleUnitName(typed, { globs: 'allowed' })).toEqual({ ok: true, value: name })
  })

  it.each([
    ['.mount', '.mount.service'],
    ['/dev/\n', 'dev-\\x0a.device'],
    ['/dev/', 'dev.mount'],
  ])('makes a name of %j: %s', (typed, name) => expect(mangleUnitName(typed)).toEqual({ ok: true, value: name }))

  it('keeps what it has made', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        const once = mangleUnitName(typed)
        if (once.ok) expect(mangleUnitName(once.value)).toEqual(once)
      }),
    )
  })
})
