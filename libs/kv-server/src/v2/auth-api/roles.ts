/** `/v2/auth/roles`: list, show, create, change and delete roles (spec/etcd-v2.md §4.3). */
import { isEmpty, type Role, type RoleRefusal, rootName, updateRole } from '@cluster/auth'
import type { ByteString } from '@cluster/kv-store'
import { parseRole, renderRole, rolePath } from '../../auth-records.ts'
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

/** GET of all roles. */
export async function listRoles({ counted }: AuthContext, { query }: AuthRequest): Promise<Answer> {
  const names = counted.roleNames()
  if (isBadQuery(query)) return internalError
  const roles: ByteString[] = []
  for (const name of names) {
    const role = counted.roleOf(name)
    if (role === undefined) return notFound(name)
    roles.push(renderRole(role))
  }
  return answer(200, `{"roles":[${roles.join()}]}`)
}

/** GET, PUT and DELETE of one role. */
export function serveRole(context: AuthContext, request: AuthRequest, name: ByteString): Promise<Answer> {
  switch (request.method) {
    case 'GET':
      return showRole(context, name)
    case 'PUT':
      return putRole(context, request, name)
    default:
      return deleteRole(context, name)
  }
}

async function showRole({ counted }: AuthContext, name: ByteString): Promise<Answer> {
  const role = counted.roleOf(name)
  return role === undefined ? notFound(name) : answer(200, renderRole(role))
}

async function putRole(context: AuthContext, { body }: AuthRequest, name: ByteString): Promise<Answer> {
  const role = parseRole(body)
  if (role === undefined) return invalidJson
  if (role.name !== name) return refuse(400, 'Role JSON name does not match the name in the URL')
  // An empty grant or revoke counts as none: a create, which keeps it as sent.
  if (isEmpty(role.grant) && isEmpty(role.revoke)) return createRole(context, role)
  if (!isEmpty(role.permissions)) return refuse(400, 'Role JSON contains both permissions and grant/revoke')
  return changeRole(context, role)
}

async function createRole(context: AuthContext, role: Role): Promise<Answer> {
  if (role.name === rootName) return isRootRole
  const outcome = await createRecord(context, rolePath(role.name), renderRole(role))
  if (outcome.kind === 'done') return answer(201, renderRole(role))
  return outcome.code === 105 ? refuseAuth(409, `Role ${role.name} already exists.`) : internalError
}

async function changeRole(context: AuthContext, change: Role): Promise<Answer> {
  const { name } = change
  if (name === rootName) return isRootRole
  await readThroughLog(context, rolePath(name))
  const role = context.records.roleOf(name)
  if (role === undefined) return notFound(name)
  const updated = updateRole(role, change)
  if (!updated.ok) return refuseChange(updated.error)
  const outcome = await updateRecord(context, rolePath(name), renderRole(updated.value))
  return outcome.kind === 'done' ? answer(200, renderRole(updated.value)) : notFound(name)
}

function refuseChange(refusal: RoleRefusal): Answer {
  switch (refusal.kind) {
    case 'already-granted':
      return refuseAuth(409, `Granting duplicate ${refusal.access} permission ${refusal.pattern}`)
    case 'nothing-changes':
      return refuseAuth(400, 'Role not updated. Use grant/revoke to update the role.')
    default:
      return refusal satisfies never
  }
}

async function deleteRole(context: AuthContext, name: ByteString): Promise<Answer> {
  if (name === rootName) return isRootRole
  const outcome = await deleteRecord(context, rolePath(name))
  return outcome.kind === 'done' ? emptyAnswer : refuseAuth(404, `Role ${name} doesn't exist.`)
}

const isRootRole = refuseAuth(403, `Cannot modify role ${rootName}: is root role.`)
const notFound = (name: ByteString): Answer => refuseAuth(404, `Role ${name} does not exist.`)
