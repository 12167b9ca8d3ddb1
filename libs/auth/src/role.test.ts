import { describe, expect, it } from 'vitest'
import { noPermissions } from './permission.ts'
import { type Role, updateRole } from './role.ts'

const role: Role = { name: 'r', permissions: { read: ['/a'], write: ['/w'] } }
const reads = (...read: readonly string[]) => ({ read, write: null })

describe('a role', () => {
  it('takes grants before revokes', () => {
    const updated = updateRole(role, { grant: reads('/b', '/c'), revoke: reads('/c', '/a') })
    expect(updated).toEqual({ ok: true, value: { name: 'r', permissions: { read: ['/b'], write: ['/w'] } } })
  })

  it('cannot be granted what it has', () => {
    const error = { kind: 'already-granted', access: 'read', pattern: '/a' }
    expect(updateRole(role, { grant: reads('/a') })).toEqual({ ok: false, error })
  })

  it.each([
    ['a revoke of what is not there', { revoke: reads('/never') }],
    ['a grant and its revoke', { grant: reads('/b'), revoke: reads('/b') }],
    ['no change', {}],
  ])('stays as it is after %s', (_, change) => {
    expect(updateRole(role, change)).toEqual({ ok: false, error: { kind: 'nothing-changes' } })
  })

  it.each<[string, Role]>([
    ['lists that were never given become empty ones', { name: 'r', permissions: noPermissions }],
    ['lists are put in order', { name: 'r', permissions: { read: ['/b', '/a'], write: [] } }],
    ['it forgets an empty grant', { ...role, grant: noPermissions }],
    ['it forgets an empty revoke', { ...role, revoke: noPermissions }],
  ])('has changed when %s', (_, before) => {
    const updated = updateRole(before, { revoke: reads('/never') })
    expect(updated.ok && Object.keys(updated.value)).toEqual(['name', 'permissions'])
  })
})
