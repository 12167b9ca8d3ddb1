/** Roles: named permissions, and how they change. Rules: spec/etcd-v2.md §4.3. */
import { err, ok, type Result } from '@cluster/prelude'
import { type DuplicatePattern, grant, isSameList, type Permissions, revoke } from './permission.ts'

export type Role = RoleChange & { readonly name: string; readonly permissions: Permissions }

/**
 * What a change asks for. A role itself carries one only when it was created with an empty one, which etcd stores as
 * sent and forgets at the first update.
 */
export type RoleChange = { readonly grant?: Permissions; readonly revoke?: Permissions }

/** Why a role stays as it is. */
export type RoleRefusal = DuplicatePattern | { readonly kind: 'nothing-changes' }

/** The role after grants and then revokes; lists that were touched are sorted and hold each pattern once. */
export function updateRole(role: Role, change: RoleChange): Result<Role, RoleRefusal> {
  const granted = change.grant === undefined ? ok(role.permissions) : grant(role.permissions, change.grant)
  if (!granted.ok) return granted
  const permissions = change.revoke === undefined ? granted.value : revoke(granted.value, change.revoke)
  const isSame =
    role.grant === undefined &&
    role.revoke === undefined &&
    isSameList(role.permissions.read, permissions.read) &&
    isSameList(role.permissions.write, permissions.write)
  return isSame ? err({ kind: 'nothing-changes' }) : ok({ name: role.name, permissions })
}
