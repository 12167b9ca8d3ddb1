/**
 * `/v2/auth/…`: which path is what, who may ask, and how it is answered (spec/etcd-v2.md §4.2, §4.3). Order of checks:
 * path, method, rights, the rest.
 */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'
import type { ApiPart, Authorizer } from '../../api-ports.ts'
import { type AuthRecords, countedReads } from '../../auth-records.ts'
import { NotCommitted } from '../../commit.ts'
import type { PasswordHasher } from '../../passwords.ts'
import { respondMessage, respondMethodNotAllowed, respondNoPermission, respondNotFound } from '../../plain-answers.ts'
import type { Replica } from '../../replica.ts'
import { bodyText } from '../../request-body.ts'
import { causeOfFailure } from '../errors.ts'
import { type Answer, internalError, refuse } from './answer.ts'
import type { AuthContext, AuthRequest } from './context.ts'
import { serveEnable } from './enable.ts'
import { listRoles, serveRole } from './roles.ts'
import { listUsers, serveUser } from './users.ts'

export type AuthPartOptions = {
  readonly replica: Replica
  readonly authorizer: Authorizer
  readonly records: AuthRecords
  readonly hasher: PasswordHasher
  /** Told what went wrong when 500 was answered. */
  readonly onFailure?: (error: unknown) => void
}

/** Serves `/v2/auth/enable`, `/v2/auth/users…` and `/v2/auth/roles…`; 404 for other paths. */
export function createAuthPart(options: AuthPartOptions): ApiPart {
  const { replica, authorizer, records, hasher, onFailure = () => {} } = options
  const context: AuthContext = { replica, records, counted: countedReads(records, replica.store), hasher }
  const inTurn = createTurns()

  const run = (exchange: Exchange, resource: Resource, query: string): void => {
    const body = bodyText(exchange)
    if (body === undefined) return
    const request = { method: exchange.method, query, body }
    const answered =
      request.method === 'GET' ? resource.serve(context, request) : inTurn(() => resource.serve(context, request))
    void answered
      .catch((error: unknown) => {
        onFailure(error)
        return answerToFailure(error)
      })
      .then(({ status, body: answerBody }) => {
        const clusterId = `X-Etcd-Cluster-Id: ${replica.status.clusterId}\r\n`
        exchange.respond(status, `Content-Type: application/json\r\n${clusterId}`, answerBody)
      })
  }

  return (exchange, path, query) => {
    const resource = resourceOf(path)
    if (resource === undefined) return respondNotFound(exchange)
    if (resource === 'invalid') return respondMessage(exchange, 400, 'Invalid path')
    if (!resource.methods.includes(exchange.method)) {
      return respondMethodNotAllowed(exchange, resource.methods.join())
    }
    if (resource.isOpenToRead && exchange.method === 'GET') return run(exchange, resource, query)
    authorizer.check(exchange, { kind: 'root' }, (permission) => {
      if (permission === 'allowed') run(exchange, resource, query)
      else respondNoPermission(exchange, permission)
    })
  }
}

/** A full disk is named, since etcd 2.3 has no word for it; all else is what etcd makes of it. */
const answerToFailure = (error: unknown): Answer =>
  error instanceof NotCommitted && error.failure === 'no-space'
    ? refuse(500, causeOfFailure(error.failure))
    : internalError

type Resource = {
  readonly methods: readonly string[]
  /** Everybody may GET it. */
  readonly isOpenToRead: boolean
  readonly serve: (context: AuthContext, request: AuthRequest) => Promise<Answer>
}

function resourceOf(path: ByteString): Resource | 'invalid' | undefined {
  const methods = ['GET', 'PUT', 'DELETE']
  if (path === '/v2/auth/enable') return { methods, isOpenToRead: true, serve: serveEnable }
  // The trailing slash does not count.
  const [, collection, name] = /^\/v2\/auth\/(users|roles)(?:\/(.*?)\/?)?$/s.exec(path) ?? []
  if (collection === undefined) return undefined
  const isUsers = collection === 'users'
  if (name === undefined || name === '') {
    return { methods: ['GET'], isOpenToRead: false, serve: isUsers ? listUsers : listRoles }
  }
  if (name.includes('/')) return 'invalid'
  const serve = isUsers ? serveUser : serveRole
  return { methods, isOpenToRead: false, serve: (context, request) => serve(context, request, name) }
}

/** Changes one after the other: two at once could each undo what the other has granted or revoked. */
function createTurns(): <Value>(task: () => Promise<Value>) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const turn = last.then(task, task)
    last = turn.catch(() => {})
    return turn
  }
}
