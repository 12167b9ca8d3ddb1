/**
 * Users, roles and the auth flag as they stand in the store, below `/2`, as etcd writes them (spec/etcd-v2.md §4.1).
 */
import {
  noPermissions,
  type Patterns,
  type Permissions,
  type Role,
  rootName,
  rootRole,
  type User,
  withRootRole,
} from '@cluster/auth'
import { type ByteString, escapeGoJson } from '@cluster/kv-store'
import type { Store, StorePath } from '@cluster/kv-store/v2'
import {
  type FieldReader,
  type GoJson,
  goString,
  goStrings,
  parseFirstGoJson,
  parseGoJson,
  readGoFields,
} from './go-json.ts'

export const authPath = '/2'
export const enabledPath = '/2/enabled'
export const usersPath = '/2/users'
export const rolesPath = '/2/roles'
export const userPath = (name: ByteString): StorePath => `${usersPath}/${name}`
export const rolePath = (name: ByteString): StorePath => `${rolesPath}/${name}`

export interface AuthRecords {
  /** The auth flag as of the last applied entry. */
  readonly isEnabled: boolean
  /** A user, undefined when there is none. The user root always has the role root. */
  userOf(name: ByteString): User | undefined
  /** A role, undefined when there is none. The role root is built in. */
  roleOf(name: ByteString): Role | undefined
  /** Names of users in byte order, without those that begin with `_`. */
  userNames(): readonly ByteString[]
  /** Names of roles in byte order, root included, without those that begin with `_`. */
  roleNames(): readonly ByteString[]
}

/** How many users, and how many roles, are kept decoded. */
const cachedMax = 4096

/** The records of a store. Decoded ones are kept until what is stored has changed. */
export function createAuthRecords(store: Store): AuthRecords {
  const flag = createFlag(store)
  const users = createCache(store, decodeUser)
  const roles = createCache(store, decodeRole)
  return {
    get isEnabled() {
      return flag() === 'true'
    },
    userOf: (name) => (isPathElement(name) ? users(userPath(name)) : undefined),
    roleOf: (name) => (name === rootName ? rootRole : isPathElement(name) ? roles(rolePath(name)) : undefined),
    userNames: () => visible(store.childrenOf(usersPath)),
    roleNames: () => [...visible(store.childrenOf(rolesPath)), rootName].sort(),
  }
}

/** The same records, every read counted in the stats of the store, as etcd reads them through it (spec §3.2). */
export function countedReads(records: AuthRecords, store: Store): AuthRecords {
  const counted = <Value>(value: Value | undefined): Value | undefined => {
    store.countRead(value !== undefined)
    return value
  }
  const flag = createFlag(store)
  return {
    get isEnabled() {
      return counted(flag()) === 'true'
    },
    userOf: (name) => counted(records.userOf(name)),
    roleOf: (name) => (name === rootName ? rootRole : counted(records.roleOf(name))),
    userNames: () => {
      counted(store.childrenOf(usersPath))
      return records.userNames()
    },
    roleNames: () => {
      counted(store.childrenOf(rolesPath))
      return records.roleNames()
    },
  }
}

/** Reads the flag again only when the store's index has moved: it is asked for with every request. */
function createFlag(store: Store): () => ByteString | undefined {
  let readAtIndex = -1
  let value: ByteString | undefined
  return () => {
    if (store.index !== readAtIndex) {
      value = store.valueOf(enabledPath)
      readAtIndex = store.index
    }
    return value
  }
}

function createCache<Value>(
  store: Store,
  decode: (json: ByteString) => Value | undefined,
): (path: StorePath) => Value | undefined {
  type Cached = { readAtIndex: number; readonly json: ByteString; readonly value: Value | undefined }
  const cache = new Map<StorePath, Cached>()
  return (path) => {
    const cached = cache.get(path)
    if (cached !== undefined && cached.readAtIndex === store.index) return cached.value
    const json = store.valueOf(path)
    if (json === undefined) {
      cache.delete(path)
      return undefined
    }
    if (cached !== undefined && cached.json === json) {
      cached.readAtIndex = store.index
      return cached.value
    }
    const value = decode(json)
    // The oldest goes first.
    if (cached === undefined && cache.size >= cachedMax)
      for (const [oldest] of [...cache].slice(0, 1)) cache.delete(oldest)
    cache.set(path, { readAtIndex: store.index, json, value })
    return value
  }
}

/** A name that stands for one element of a path; others name nothing that the API could have stored. */
const isPathElement = (name: ByteString): boolean => name !== '' && name !== '.' && name !== '..' && !name.includes('/')

const visible = (names: readonly ByteString[] | undefined): readonly ByteString[] =>
  (names ?? []).filter((name) => !name.startsWith('_')).sort()

/** A user as a request or a record has him. */
export type UserFields = {
  readonly user: ByteString
  readonly password: ByteString
  readonly roles: readonly ByteString[] | null
  readonly grant: readonly ByteString[]
  readonly revoke: readonly ByteString[]
}

/** The first JSON value of a text as a user; undefined: it is none. */
export function parseUserFields(text: ByteString): UserFields | undefined {
  const parsed = parseFirstGoJson(text)
  return parsed.ok ? readUser(parsed.value) : undefined
}

function readUser(value: GoJson): UserFields | undefined {
  let fields: UserFields = { user: '', password: '', roles: null, grant: [], revoke: [] }
  const set = (change: Partial<UserFields>): void => {
    fields = { ...fields, ...change }
  }
  const misfit = readGoFields(
    value,
    {
      user: goString((user) => set({ user })),
      password: goString((password) => set({ password })),
      roles: goStrings((roles) => set({ roles })),
      grant: goStrings((grant) => set({ grant: grant ?? [] })),
      revoke: goStrings((revoke) => set({ revoke: revoke ?? [] })),
    },
    'auth.User',
  )
  return misfit === undefined ? fields : undefined
}

/** The first JSON value of a text as a role; undefined: it is none. */
export function parseRole(text: ByteString): Role | undefined {
  const parsed = parseFirstGoJson(text)
  return parsed.ok ? readRole(parsed.value) : undefined
}

function readRole(value: GoJson): Role | undefined {
  let role: Role = { name: '', permissions: noPermissions }
  const misfit = readGoFields(
    value,
    {
      role: goString((name) => {
        role = { ...role, name }
      }),
      permissions: (field) =>
        readPermissions(field, role.permissions, (permissions) => {
          role = { ...role, permissions }
        }),
      grant: (field) => {
        const { grant = noPermissions, ...rest } = role
        role = rest
        return field.kind === 'null'
          ? undefined
          : readPermissions(field, grant, (read) => {
              role = { ...role, grant: read }
            })
      },
      revoke: (field) => {
        const { revoke = noPermissions, ...rest } = role
        role = rest
        return field.kind === 'null'
          ? undefined
          : readPermissions(field, revoke, (read) => {
              role = { ...role, revoke: read }
            })
      },
    },
    'auth.Role',
  )
  return misfit === undefined ? role : undefined
}

function readPermissions(
  value: GoJson,
  before: Permissions,
  take: (permissions: Permissions) => void,
): ReturnType<FieldReader> {
  let permissions = before
  const lists: FieldReader = (field) =>
    readGoFields(
      field,
      {
        read: goStrings((read) => {
          permissions = { ...permissions, read }
        }),
        write: goStrings((write) => {
          permissions = { ...permissions, write }
        }),
      },
      'auth.RWPermission',
    )
  const misfit = readGoFields(value, { kv: lists }, 'auth.Permissions')
  take(permissions)
  return misfit
}

function decodeUser(json: ByteString): User | undefined {
  const parsed = parseGoJson(json)
  const fields = parsed.ok ? readUser(parsed.value) : undefined
  if (fields === undefined) return undefined
  return withRootRole({ name: fields.user, passwordHash: fields.password, roles: fields.roles })
}

function decodeRole(json: ByteString): Role | undefined {
  const parsed = parseGoJson(json)
  return parsed.ok ? readRole(parsed.value) : undefined
}

const renderText = (text: ByteString): ByteString => `"${escapeGoJson(text)}"`
const renderList = (list: Patterns): ByteString => (list === null ? 'null' : `[${list.map(renderText).join()}]`)

/** A user as he is stored. */
export const encodeUser = ({ name, passwordHash, roles }: User): ByteString =>
  `{"user":${renderText(name)},"password":${renderText(passwordHash)},"roles":${renderList(roles)}}`

/** A user as an answer to a write shows him: names of roles, no password. */
export const renderUser = ({ name, roles }: User): ByteString =>
  `{"user":${renderText(name)},"roles":${renderList(roles)}}`

/** A user as an answer to a read shows him: whole roles, left out when there are none. */
export function renderUserWithRoles(name: ByteString, roles: readonly Role[]): ByteString {
  const shown = roles.length === 0 ? '' : `,"roles":[${roles.map(renderRole).join()}]`
  return `{"user":${renderText(name)}${shown}}`
}

/** A role as it is stored and shown. */
export function renderRole({ name, permissions, grant, revoke }: Role): ByteString {
  const granted = grant === undefined ? '' : `,"grant":${renderPermissions(grant)}`
  const revoked = revoke === undefined ? '' : `,"revoke":${renderPermissions(revoke)}`
  return `{"role":${renderText(name)},"permissions":${renderPermissions(permissions)}${granted}${revoked}}`
}

const renderPermissions = ({ read, write }: Permissions): ByteString =>
  `{"kv":{"read":${renderList(read)},"write":${renderList(write)}}}`
