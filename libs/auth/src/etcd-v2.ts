/**
 * The rules of etcd's v2 API: the role root may do everything, the role guest is for those without credentials, and
 * all else is patterns over keys. Rules: spec/etcd-v2.md §4.2.
 */
import type { Principal, Rules } from './decide.ts'
import { type KeyAccess, permittingPattern } from './permission.ts'
import type { Role } from './role.ts'
import type { User } from './user.ts'

/** What a request wants, as far as rights matter. A POST is a write to the directory that it names. */
export type EtcdV2Access =
  | ({ readonly kind: 'key' } & KeyAccess)
  /** Only the role root may. */
  | { readonly kind: 'root' }

/** Name of the user who cannot be deleted while auth is on, and of the role that he always has. */
export const rootName = 'root'

/** Name of the role of those who give no credentials. */
export const guestName = 'guest'

/** The role root: built in, never stored, cannot be changed. */
export const rootRole: Role = { name: rootName, permissions: { read: ['/*'], write: ['/*'] } }

/** The role guest as it is made when auth is enabled and there is none: everything may be read and written. */
export const defaultGuestRole: Role = { name: guestName, permissions: { read: ['/*'], write: ['/*'] } }

/** The user as he is after a read: root always has the role root, appended last. */
export function withRootRole(user: User): User {
  if (user.name !== rootName || user.roles?.includes(rootName)) return user
  return { ...user, roles: [...(user.roles ?? []), rootName] }
}

/** A user whose password was right, as one who asks. */
export const principalOf = (user: User): Principal => ({ kind: 'user', name: user.name, roles: user.roles ?? [] })

/**
 * The rules over the roles there are.
 *
 * @param roleOf a stored role, undefined when there is none (skipped); not asked for root. Called as late as possible,
 *   in the order of the user's roles
 */
export function etcdV2Rules(roleOf: (name: string) => Role | undefined): Rules<EtcdV2Access> {
  return {
    roleAllows: (roleName, access) => {
      if (roleName === rootName) return 'the role root may do everything'
      return access.kind === 'root' ? undefined : roleRule(roleOf(roleName), access)
    },
    guestAllows: (access) => {
      if (access.kind === 'root') return undefined
      // A guest's recursion is checked like a plain access: vectors/etcd-v2/auth-star.json
      return roleRule(roleOf(guestName), { ...access, isRecursive: false })
    },
  }
}

function roleRule(role: Role | undefined, access: KeyAccess): string | undefined {
  if (role === undefined) return undefined
  // A stored record that calls itself root is the role root to etcd, whatever it is stored as.
  if (role.name === rootName) return 'the role root may do everything'
  const pattern = permittingPattern(role.permissions, access)
  if (pattern === undefined) return undefined
  return `role ${role.name} may ${access.isWrite ? 'write' : 'read'} ${pattern}`
}
