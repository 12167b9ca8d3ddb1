/** Users: a password's hash and names of roles, and how they change. Rules: spec/etcd-v2.md §4.3. */
import { err, ok, type Result } from '@cluster/prelude'
import { isSameList } from './permission.ts'

export type User = {
  readonly name: string
  readonly passwordHash: string
  /** Names, in stored order, of roles that need not exist. `null`: never given, which etcd keeps apart from empty. */
  readonly roles: readonly string[] | null
}

export type UserChange = {
  /** The hash of a new password; absent: the old one stays. */
  readonly passwordHash?: string
  readonly grant: readonly string[]
  readonly revoke: readonly string[]
}

/** Why a user stays as he is. */
export type UserRefusal =
  | { readonly kind: 'already-granted'; readonly role: string }
  | { readonly kind: 'not-granted'; readonly role: string }
  | { readonly kind: 'nothing-changes' }

/** The user after grants and then revokes; his roles are then sorted, each once. */
export function updateUser(user: User, change: UserChange): Result<User, UserRefusal> {
  const roles = new Set(user.roles ?? [])
  for (const role of change.grant) {
    if (roles.has(role)) return err({ kind: 'already-granted', role })
    roles.add(role)
  }
  for (const role of change.revoke) {
    if (!roles.delete(role)) return err({ kind: 'not-granted', role })
  }
  const updated = { ...user, passwordHash: change.passwordHash ?? user.passwordHash, roles: [...roles].sort() }
  const isSame = updated.passwordHash === user.passwordHash && isSameList(updated.roles, user.roles)
  return isSame ? err({ kind: 'nothing-changes' }) : ok(updated)
}
