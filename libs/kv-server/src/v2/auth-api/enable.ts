/** `/v2/auth/enable`: whether auth is on, and switching it (spec/etcd-v2.md §4.3). */
import { defaultGuestRole, guestName, rootName } from '@cluster/auth'
import { enabledPath, renderRole, rolePath, userPath } from '../../auth-records.ts'
import { type Answer, answer, emptyAnswer, internalError, refuseAuth } from './answer.ts'
import { type AuthContext, type AuthRequest, createRecord, readThroughLog, updateRecord } from './context.ts'

/** GET, PUT and DELETE. */
export async function serveEnable(context: AuthContext, { method }: AuthRequest): Promise<Answer> {
  // etcd reads the flag here whatever comes next, and once more for a change: the stats show it.
  const { isEnabled } = context.counted
  switch (method) {
    case 'GET':
      return answer(200, `{"enabled":${isEnabled}}`)
    case 'PUT':
      return enable(context)
    default:
      return disable(context)
  }
}

async function enable(context: AuthContext): Promise<Answer> {
  if (context.counted.isEnabled) return refuseAuth(409, 'already enabled')
  await readThroughLog(context, userPath(rootName))
  if (context.records.userOf(rootName) === undefined) {
    return refuseAuth(409, 'No root user available, please create one')
  }
  await readThroughLog(context, rolePath(guestName))
  if (context.records.roleOf(guestName) === undefined) {
    const made = await createRecord(context, rolePath(guestName), renderRole(defaultGuestRole))
    if (made.kind === 'refused') return refuseAuth(409, `Role ${guestName} already exists.`)
  }
  const outcome = await updateRecord(context, enabledPath, 'true')
  return outcome.kind === 'done' ? emptyAnswer : internalError
}

async function disable(context: AuthContext): Promise<Answer> {
  if (!context.counted.isEnabled) return refuseAuth(409, 'already disabled')
  const outcome = await updateRecord(context, enabledPath, 'false')
  return outcome.kind === 'done' ? emptyAnswer : internalError
}
