/**
 * The auth API: the switch, users and roles. Passwords go to the server and nowhere else.
 *
 * @see spec/etcd-v2.md §4.3
 */
import { notEtcd } from './failure.ts'
import { isObject, type JsonObject, listAt, objectOf, textAt, textsAt } from './json.ts'
import type { V2Signal } from './keys.ts'
import { plainRefusal } from './members.ts'
import type { Requester, V2Answer, V2Call } from './requester.ts'
import { escapePath } from './target.ts'

export type V2User = { readonly name: string; readonly roles: readonly string[] }

/** Patterns; one that ends in `*` stands for all that begins with it. */
export type V2Permissions = { readonly read: readonly string[]; readonly write: readonly string[] }

export type V2Role = { readonly name: string; readonly permissions: V2Permissions }

export type V2Auth = {
  readonly isEnabled: (options?: V2Signal) => Promise<boolean>
  readonly enable: (options?: V2Signal) => Promise<void>
  readonly disable: (options?: V2Signal) => Promise<void>
  readonly users: (options?: V2Signal) => Promise<readonly string[]>
  readonly user: (name: string, options?: V2Signal) => Promise<V2User>
  readonly addUser: (name: string, password: string, options?: V2Signal) => Promise<void>
  readonly removeUser: (name: string, options?: V2Signal) => Promise<void>
  readonly setPassword: (name: string, password: string, options?: V2Signal) => Promise<void>
  readonly grantRoles: (name: string, roles: readonly string[], options?: V2Signal) => Promise<void>
  readonly revokeRoles: (name: string, roles: readonly string[], options?: V2Signal) => Promise<void>
  readonly roles: (options?: V2Signal) => Promise<readonly string[]>
  readonly role: (name: string, options?: V2Signal) => Promise<V2Role>
  readonly addRole: (name: string, options?: V2Signal) => Promise<void>
  readonly removeRole: (name: string, options?: V2Signal) => Promise<void>
  readonly grant: (role: string, permissions: V2Permissions, options?: V2Signal) => Promise<void>
  readonly revoke: (role: string, permissions: V2Permissions, options?: V2Signal) => Promise<void>
}

/** The auth API over a requester. All methods throw `V2ApiError`. */
export function createV2Auth(requester: Requester): V2Auth {
  const ask = async (
    method: V2Call['method'],
    path: string,
    { body, signal }: V2Signal & { readonly body?: JsonObject } = {},
  ): Promise<V2Answer> => {
    const target = `/v2/auth/${path}`
    const answer = await requester.ask({
      method,
      target,
      // Each of them fails when it is said twice: "already exists", "granting duplicate".
      isOnce: method !== 'GET',
      signal,
      ...(body === undefined ? {} : { body: jsonOf(body) }),
    })
    if (answer.status !== 200 && answer.status !== 201) throw plainRefusal(answer)
    return answer
  }
  const userPath = (name: string): string => `users/${escapePath(name)}`
  const rolePath = (name: string): string => `roles/${escapePath(name)}`
  return {
    isEnabled: async (options) => objectOf((await ask('GET', 'enable', options)).text)['enabled'] === true,
    enable: async (options) => void (await ask('PUT', 'enable', options)),
    disable: async (options) => void (await ask('DELETE', 'enable', options)),
    users: async (options) =>
      listAt(objectOf((await ask('GET', 'users', options)).text), 'users').map((user) =>
        isObject(user) ? textAt(user, 'user') : textOf(user),
      ),
    user: async (name, options) => {
      const user = objectOf((await ask('GET', userPath(name), options)).text)
      return { name: textAt(user, 'user'), roles: listAt(user, 'roles').map(roleName) }
    },
    addUser: async (name, password, options) =>
      void (await ask('PUT', userPath(name), { ...options, body: { user: name, password } })),
    removeUser: async (name, options) => void (await ask('DELETE', userPath(name), options)),
    setPassword: async (name, password, options) =>
      void (await ask('PUT', userPath(name), { ...options, body: { user: name, password } })),
    grantRoles: async (name, roles, options) =>
      void (await ask('PUT', userPath(name), { ...options, body: { user: name, grant: roles } })),
    revokeRoles: async (name, roles, options) =>
      void (await ask('PUT', userPath(name), { ...options, body: { user: name, revoke: roles } })),
    roles: async (options) => listAt(objectOf((await ask('GET', 'roles', options)).text), 'roles').map(roleName),
    role: async (name, options) => roleOf(objectOf((await ask('GET', rolePath(name), options)).text)),
    addRole: async (name, options) => void (await ask('PUT', rolePath(name), { ...options, body: { role: name } })),
    removeRole: async (name, options) => void (await ask('DELETE', rolePath(name), options)),
    grant: async (name, kv, options) =>
      void (await ask('PUT', rolePath(name), { ...options, body: { role: name, grant: { kv } } })),
    revoke: async (name, kv, options) =>
      void (await ask('PUT', rolePath(name), { ...options, body: { role: name, revoke: { kv } } })),
  }
}

function jsonOf(body: JsonObject) {
  const shown = 'password' in body ? { ...body, password: '[secret]' } : body
  return { type: 'json', text: JSON.stringify(body), shown: JSON.stringify(shown) } as const
}

const roleName = (role: unknown): string => (isObject(role) ? textAt(role, 'role') : textOf(role))

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw notEtcd('a name that is no text')
  return value
}

function roleOf(role: JsonObject): V2Role {
  const permissions = role['permissions']
  const kv = isObject(permissions) && isObject(permissions['kv']) ? permissions['kv'] : {}
  return { name: textAt(role, 'role'), permissions: { read: textsAt(kv, 'read'), write: textsAt(kv, 'write') } }
}
