/** `/v2/auth/users`: list, show, create, change and delete users (spec/etcd-v2.md §4.3). */
import { type Role, rootName, type User, type UserRefusal, updateUser, withRootRole } from '@cluster/auth'
import type { ByteString } from '@cluster/kv-store'
import {
  encodeUser,
  parseUserFields,
  renderUser,
  renderUserWithRoles,
  type UserFields,
  userPath,
} from '../../auth-records.ts'
import { type Answer, answer, emptyAnswer, internalError, invalidJson, refuse, refuseAuth } from './answer.ts'
import {
  type AuthContext,
  type AuthRequest,
  createRecord,
  deleteRecord,
  isBadQuery,
  readThroughLog,
  updateRecord,
} from './context.ts'

/** GET of all users: roles that do not exist are left out. */
export async function listUsers({ counted }: AuthContext, { query }: AuthRequest): Promise<Answer> {
  const names = counted.userNames()
  if (isBadQuery(query)) return internalError
  const users: ByteString[] = []
  for (const name of names) {
    const user = counted.userOf(name)
    if (user === undefined) return notFound(name)
    const roles = (user.roles ?? []).flatMap((role) => counted.roleOf(role) ?? [])
    users.push(renderUserWithRoles(user.name, roles))
  }
  return answer(200, `{"users":${users.length === 0 ? 'null' : `[${users.join()}]`}}`)
}

/** GET, PUT and DELETE of one user. */
export function serveUser(context: AuthContext, request: AuthRequest, name: ByteString): Promise<Answer> {
  switch (request.method) {
    case 'GET':
      return showUser(context, request, name)
    case 'PUT':
      return putUser(context, request, name)
    default:
      return deleteUser(context, name)
  }
}

/** The first role that does not exist spoils the answer. */
async function showUser({ counted }: AuthContext, { query }: AuthRequest, name: ByteString): Promise<Answer> {
  const user = counted.userOf(name)
  if (user === undefined) return notFound(name)
  if (isBadQuery(query)) return internalError
  const roles: Role[] = []
  for (const roleName of user.roles ?? []) {
    const role = counted.roleOf(roleName)
    if (role === undefined) return refuseAuth(404, `Role ${roleName} does not exist.`)
    roles.push(role)
  }
  return answer(200, renderUserWithRoles(user.name, roles))
}

async function putUser(context: AuthContext, { body }: AuthRequest, name: ByteString): Promise<Answer> {
  const fields = parseUserFields(body)
  if (fields === undefined) return invalidJson
  if (fields.user !== name) return refuse(400, 'User JSON name does not match the name in the URL')
  const hasRoles = (fields.roles?.length ?? 0) > 0
  if (fields.grant.length > 0 || fields.revoke.length > 0) {
    if (hasRoles) return refuse(400, 'User JSON contains both roles and grant/revoke')
    return changeUser(context, fields)
  }
  // With roles only a create can be meant, and it is answered 200: vectors/etcd-v2/auth-users.json
  if (hasRoles) return createUser(context, fields, 200)
  const existing = await readUser(context, name)
  return existing === undefined ? createUser(context, fields, 201) : changeUser(context, fields)
}

async function createUser(context: AuthContext, fields: UserFields, status: number): Promise<Answer> {
  const { user: name, password } = fields
  if (password === '') return refuseAuth(400, `Cannot create user ${name} with an empty password`)
  const passwordHash = await context.hasher.hash(password)
  const user = withRootRole({ name, passwordHash, roles: fields.roles })
  const outcome = await createRecord(context, userPath(name), encodeUser(user))
  if (outcome.kind === 'done') return answer(status, renderUser(user))
  return outcome.code === 105 ? refuseAuth(409, `User ${name} already exists.`) : internalError
}

async function changeUser(context: AuthContext, fields: UserFields): Promise<Answer> {
  const { user: name, password, grant, revoke } = fields
  const user = await readUser(context, name)
  if (user === undefined) return notFound(name)
  const change = { grant, revoke, ...(password === '' ? {} : { passwordHash: await context.hasher.hash(password) }) }
  const updated = updateUser(user, change)
  if (!updated.ok) return refuseChange(name, updated.error)
  const outcome = await updateRecord(context, userPath(name), encodeUser(updated.value))
  return outcome.kind === 'done' ? answer(200, renderUser(updated.value)) : notFound(name)
}

function refuseChange(name: ByteString, refusal: UserRefusal): Answer {
  switch (refusal.kind) {
    case 'already-granted':
      return refuseAuth(409, `Granting duplicate role ${refusal.role} for user ${name}`)
    case 'not-granted':
      return refuseAuth(409, `Revoking ungranted role ${refusal.role} for user ${name}`)
    case 'nothing-changes':
      return refuseAuth(400, 'User not updated. Use grant/revoke/password to update the user.')
    default:
      return refusal satisfies never
  }
}

async function deleteUser(context: AuthContext, name: ByteString): Promise<Answer> {
  if (context.counted.isEnabled && name === rootName) {
    return refuseAuth(403, 'Cannot delete root user while auth is enabled.')
  }
  const outcome = await deleteRecord(context, userPath(name))
  // Without a full stop, unlike a read: vectors/etcd-v2/auth-users.json
  return outcome.kind === 'done' ? emptyAnswer : refuseAuth(404, `User ${name} does not exist`)
}

async function readUser(context: AuthContext, name: ByteString): Promise<User | undefined> {
  await readThroughLog(context, userPath(name))
  return context.records.userOf(name)
}

const notFound = (name: ByteString): Answer => refuseAuth(404, `User ${name} does not exist.`)
