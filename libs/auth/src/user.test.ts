import { describe, expect, it } from 'vitest'
import { type User, updateUser } from './user.ts'

const user: User = { name: 'u', passwordHash: 'h', roles: ['a', 'z'] }

describe('a user', () => {
  it.each<[string, User, Parameters<typeof updateUser>[1], User]>([
    ['grants and revokes', user, { grant: ['x', 'b'], revoke: ['z'] }, { ...user, roles: ['a', 'b', 'x'] }],
    ['a new password', user, { passwordHash: 'n', grant: [], revoke: [] }, { ...user, passwordHash: 'n' }],
    [
      'nothing, once, when there never were roles',
      { ...user, roles: null },
      { grant: [], revoke: [] },
      { ...user, roles: [] },
    ],
    [
      'nothing, once, when roles were in disorder',
      { ...user, roles: ['z', 'a', 'a'] },
      { grant: [], revoke: [] },
      user,
    ],
  ])('takes %s', (_, before, change, after) => {
    expect(updateUser(before, change)).toEqual({ ok: true, value: after })
  })

  it.each<[string, Parameters<typeof updateUser>[1], unknown]>([
    ['a role he has', { grant: ['a'], revoke: [] }, { kind: 'already-granted', role: 'a' }],
    ['a role twice', { grant: ['n', 'n'], revoke: [] }, { kind: 'already-granted', role: 'n' }],
    ['the loss of a role he has not', { grant: [], revoke: ['n'] }, { kind: 'not-granted', role: 'n' }],
    ['the loss of a role twice', { grant: [], revoke: ['a', 'a'] }, { kind: 'not-granted', role: 'a' }],
    ['what changes nothing', { grant: ['n'], revoke: ['n'] }, { kind: 'nothing-changes' }],
  ])('does not take %s', (_, change, error) => {
    expect(updateUser(user, change)).toEqual({ ok: false, error })
  })
})
