import fc from 'fast-check'
import { expect, it } from 'vitest'
import { unitObjectPath, unitOfObjectPath } from './object-path.ts'

const root = '/org/freedesktop/systemd1/unit/'

it.each([
  ['a.service', 'a_2eservice'],
  ['1.service', '_31_2eservice'],
  ['web@1.service', 'web_401_2eservice'],
  ['a\\x2db.mount', 'a_5cx2db_2emount'],
  ['a_b.service', 'a_5fb_2eservice'],
  ['-.slice', '_2d_2eslice'],
  ['', '_'],
])('%j has the path %s', (name, label) => {
  expect(unitObjectPath(name)).toBe(root + label)
  expect(unitOfObjectPath(root + label)).toBe(name)
})

it.each(['/', '/org/freedesktop/systemd1', root, `${root}a_zz`, `${root}a/b`, `${root}a-b`])('%s is no unit', (path) =>
  expect(unitOfObjectPath(path)).toBeUndefined(),
)

it('every name comes back from its path', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const path = unitObjectPath(name)
      expect(path).toMatch(/^[A-Za-z0-9_/]+$/)
      expect(unitOfObjectPath(path)).toBe(name)
    }),
  ))
