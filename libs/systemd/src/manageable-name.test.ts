import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nameProblem, requireManageable, typeOf } from './manageable-name.ts'

it.each([
  'a.service',
  'web@1.service',
  'web@a@b.service',
  'a.b-c:d_e\\x2df.timer',
  'multi.target',
  'machine.slice',
  '-.slice',
  'a@@.service',
  'a.automount',
  `${'a'.repeat(247)}.service`,
])('%s can be managed', (name) => expect(nameProblem(name)).toBeUndefined())

it.each([
  '',
  'a',
  '.service',
  '@.service',
  '@1.service',
  't@.service',
  'a.swap',
  'a.scope',
  'a.snapshot',
  'a.Service',
  'a.service ',
  'a/b.service',
  '../a.service',
  'é.service',
  'a\n.service',
  'a.service\n',
  'a\0.service',
  `${'a'.repeat(248)}.service`,
])('%j cannot', (name) => {
  expect(nameProblem(name)).toEqual(expect.any(String))
  expect(() => requireManageable(name)).toThrow(expect.objectContaining({ code: 'systemd/invalid-name' }))
})

it('the type is what stands behind the last dot', () => {
  expect(typeOf('a.b.service')).toBe('service')
  expect(typeOf('a')).toBe('')
})

it('no name that can be managed leaves its folder', () =>
  fc.assert(
    fc.property(fc.string(), (text) => {
      const name = `${text}.service`
      if (nameProblem(name) === undefined) expect(name).not.toMatch(/[/\0]/)
    }),
  ))
