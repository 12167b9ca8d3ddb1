import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  coversTree,
  grant,
  isEmpty,
  isSameList,
  matchesKey,
  noPermissions,
  permittingPattern,
  revoke,
} from './permission.ts'

describe('patterns', () => {
  it.each([
    ['/a', '/a', true, false],
    ['/a', '/a/', false, false],
    ['/a', '/a/b', false, false],
    ['/a*', '/a', true, true],
    ['/a*', '/ab', true, true],
    ['/a*', '/a/b/c', true, true],
    ['/a/*', '/a', false, false],
    ['/a/*', '/a/', true, true],
    ['/*', '', false, false],
    ['/*', '/', true, true],
    ['*', '', true, true],
    ['*', '/x', true, true],
    ['/a*b', '/a*b', true, false],
    ['/a*b', '/axb', false, false],
    ['/a**', '/a*', true, true],
    ['/a**', '/ab', false, false],
    ['', '', false, false],
    ['', '/a', false, false],
    ['/\u00c3*', '/\u00c3\u00a9', true, true],
  ])('%j is for key %j: %s, for all below it: %s', (pattern, key, isForKey, isForTree) => {
    expect([matchesKey(pattern, key), coversTree(pattern, key)]).toEqual([isForKey, isForTree])
  })

  it('match as a regular expression made from them would', () => {
    const text = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '*'), maxLength: 6 })
    fc.assert(
      fc.property(text, text, (pattern, key) => {
        const literal = (part: string): string => part.replace(/[*/]/g, '\\$&')
        const naive = pattern.endsWith('*')
          ? new RegExp(`^${literal(pattern.slice(0, -1))}`).test(key)
          : pattern !== '' && new RegExp(`^${literal(pattern)}$`).test(key)
        expect(matchesKey(pattern, key)).toBe(naive)
        expect(coversTree(pattern, key)).toBe(naive && pattern.endsWith('*'))
      }),
    )
  })
})

describe('permissions', () => {
  const permissions = { read: ['/r', '/both*'], write: ['/both*'] }

  it.each([
    ['/r', false, false, '/r'],
    ['/r', true, false, undefined],
    ['/r', false, true, undefined],
    ['/both/x', true, true, '/both*'],
  ])('%s, write %s, recursive %s: %s', (key, isWrite, isRecursive, pattern) => {
    expect(permittingPattern(permissions, { key, isWrite, isRecursive })).toBe(pattern)
  })

  it('permit nothing when lists were never given', () => {
    expect(permittingPattern(noPermissions, { key: '/', isWrite: false, isRecursive: false })).toBeUndefined()
  })

  it.each([
    [undefined, true],
    [noPermissions, true],
    [{ read: [], write: [] }, true],
    [{ read: [''], write: null }, false],
    [{ read: null, write: ['/a'] }, false],
  ])('%j is empty: %s', (given, empty) => expect(isEmpty(given)).toBe(empty))

  it('after a grant are sorted, each once, and empty lists instead of none', () => {
    const granted = grant({ read: ['/c', '/a', '/c'], write: null }, { read: ['/b'], write: null })
    expect(granted).toEqual({ ok: true, value: { read: ['/a', '/b', '/c'], write: [] } })
  })

  it.each([
    [{ read: ['/r'], write: ['/both*'] }, 'read', '/r'],
    [{ read: null, write: ['/both*'] }, 'write', '/both*'],
    [{ read: ['/n', '/n'], write: null }, 'read', '/n'],
  ])('refuse what they have: %j', (added, access, pattern) => {
    expect(grant(permissions, added)).toEqual({ ok: false, error: { kind: 'already-granted', access, pattern } })
  })

  it('after a revoke are sorted, and what was not there is skipped', () => {
    expect(revoke(permissions, { read: ['/never', '/r'], write: null })).toEqual({
      read: ['/both*'],
      write: ['/both*'],
    })
  })

  it('are what they were after granting and revoking the same', () => {
    const patterns = fc.uniqueArray(fc.string({ maxLength: 3 }))
    fc.assert(
      fc.property(patterns, patterns, (have, candidates) => {
        const added = { read: candidates.filter((pattern) => !have.includes(pattern)), write: null }
        const granted = grant({ read: have, write: [] }, added)
        expect(granted.ok && revoke(granted.value, added)).toEqual({ read: [...have].sort(), write: [] })
      }),
    )
  })
})

it.each([
  [null, null, true],
  [null, [], false],
  [[], [], true],
  [['a', 'b'], ['b', 'a'], false],
  [['a'], ['a', 'a'], false],
])('%j and %j are the same list: %s', (left, right, same) => expect(isSameList(left, right)).toBe(same))
