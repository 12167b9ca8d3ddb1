/**
 * `/v2/members`: the list, the leader, and changes (spec/etcd-v2.md §3.1). This server runs as one member: what would
 * really need another one is refused in words.
 */
import type { Exchange } from '@cluster/http'
import { type ByteString, escapeGoJson } from '@cluster/kv-store'
import { err, type Result } from '@cluster/prelude'
import type { ApiPart, Authorizer } from '../api-ports.ts'
import { commit } from '../commit.ts'
import {
  countMembershipReads,
  isRemovedMember,
  memberIdOf,
  parseMemberId,
  readMember,
  readMembers,
  renderMember,
  updateMemberCommand,
} from '../membership.ts'
import { respondMethodNotAllowed, respondNoPermission } from '../plain-answers.ts'
import type { Replica } from '../replica.ts'
import { bodyText } from '../request-body.ts'
import { decodePeerUrls } from './peer-urls.ts'

const prefix = '/v2/members'

export type MembersOptions = {
  readonly replica: Replica
  readonly authorizer: Authorizer
  /** Told what went wrong when 500 was answered. */
  readonly onFailure?: (error: unknown) => void
}

type Answer = { readonly status: number; readonly message: ByteString }

/** Serves `/v2/members` and what is below. */
export function createMembersPart({ replica, authorizer, onFailure = () => {} }: MembersOptions): ApiPart {
  const { store } = replica

  const head = (type: string): string => `${type}X-Etcd-Cluster-Id: ${replica.status.clusterId}\r\n`
  const respondBody = (exchange: Exchange, body: ByteString): void =>
    exchange.respond(200, head('Content-Type: application/json\r\n'), `${body}\n`)
  const respondAnswer = (exchange: Exchange, { status, message }: Answer): void =>
    exchange.respond(status, head('Content-Type: application/json\r\n'), `{"message":"${escapeGoJson(message)}"}`)

  const get = (exchange: Exchange, name: ByteString) => {
    if (name === '') return respondBody(exchange, `{"members":[${readMembers(store).map(renderMember).join()}]}`)
    if (name !== 'leader') return respondAnswer(exchange, { status: 404, message: 'Not found' })
    const { leaderId } = replica.status
    const leader = leaderId === undefined ? undefined : readMember(store, leaderId)
    if (leader === undefined) return respondAnswer(exchange, { status: 503, message: 'During election' })
    respondBody(exchange, renderMember(leader))
  }

  const add = (exchange: Exchange) => {
    const peerUrls = readPeerUrls(exchange)
    if (peerUrls === undefined) return
    if (!peerUrls.ok) return respondAnswer(exchange, peerUrls.error)
    const id = memberIdOf(peerUrls.value, { clusterToken: '', addedSeconds: Math.floor(replica.nowMs() / 1000) })
    respondAnswer(exchange, refusalToAdd(id, peerUrls.value))
  }

  const refusalToAdd = (id: string, peerUrls: readonly ByteString[]): Answer => {
    countMembershipReads(store)
    if (isRemovedMember(store, id)) return internalError
    if (readMember(store, id) !== undefined) return { status: 409, message: 'etcdserver: ID exists' }
    if (isPeerUrlTaken(peerUrls, undefined)) return peerUrlExists
    return { status: 500, message: 'this server runs as one member: no member can be added' }
  }

  const isPeerUrlTaken = (peerUrls: readonly ByteString[], exceptId: string | undefined): boolean =>
    readMembers(store).some((member) => member.id !== exceptId && member.peerUrls.some((url) => peerUrls.includes(url)))

  const update = (exchange: Exchange, id: string) => {
    const peerUrls = readPeerUrls(exchange)
    if (peerUrls === undefined) return
    const refusal = peerUrls.ok ? refusalToUpdate(id, peerUrls.value) : peerUrls.error
    if (refusal !== undefined) return respondAnswer(exchange, refusal)
    commit(replica, updateMemberCommand(id, peerUrls.ok ? peerUrls.value : [])).then(
      (outcome) => {
        if (outcome.kind === 'done') exchange.respond(204, head(''), '')
        else respondAnswer(exchange, noSuchMember(id))
      },
      (error: unknown) => {
        onFailure(error)
        respondAnswer(exchange, internalError)
      },
    )
  }

  const refusalToUpdate = (id: string, peerUrls: readonly ByteString[]): Answer | undefined => {
    countMembershipReads(store)
    if (isRemovedMember(store, id)) return internalError
    if (readMember(store, id) === undefined) return noSuchMember(id)
    return isPeerUrlTaken(peerUrls, id) ? peerUrlExists : undefined
  }

  const refusalToRemove = (id: string): Answer => {
    countMembershipReads(store)
    if (isRemovedMember(store, id)) return { status: 410, message: `Member permanently removed: ${id}` }
    if (readMember(store, id) === undefined) return noSuchMember(id)
    return { status: 500, message: 'this server runs as one member: its last member cannot be removed' }
  }

  const serve = (exchange: Exchange, path: ByteString) => {
    const name = path.slice(prefix.length).replace(/^\//, '')
    if (exchange.method === 'GET') return get(exchange, name)
    if (exchange.method === 'POST') return add(exchange)
    if (name === '') return exchange.respond(405, head(plainError), 'Method Not Allowed\n')
    const id = parseMemberId(name)
    if (id === undefined) return respondAnswer(exchange, noSuchMember(name))
    if (exchange.method === 'PUT') return update(exchange, id)
    respondAnswer(exchange, refusalToRemove(id))
  }

  return (exchange, path) => {
    if (!methods.includes(exchange.method)) return respondMethodNotAllowed(exchange, methods.join())
    // Everybody may read who the members are.
    if (exchange.method === 'GET') return serve(exchange, path)
    authorizer.check(exchange, { kind: 'root' }, (permission) => {
      if (permission === 'allowed') serve(exchange, path)
      else respondNoPermission(exchange, permission)
    })
  }
}

const methods = ['GET', 'POST', 'DELETE', 'PUT']
const plainError = 'Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n'
const internalError: Answer = { status: 500, message: 'Internal Server Error' }
const peerUrlExists: Answer = { status: 409, message: 'etcdserver: peerURL exists' }
const noSuchMember = (id: ByteString): Answer => ({ status: 404, message: `No such member: ${id}` })

/** The URLs in the body, or why there are none; undefined: that has been answered. */
function readPeerUrls(exchange: Exchange): Result<readonly ByteString[], Answer> | undefined {
  const type = exchange.header('content-type') ?? ''
  if (type !== 'application/json') {
    return err({ status: 415, message: `Bad Content-Type ${type}, accept application/json` })
  }
  const text = bodyText(exchange)
  if (text === undefined) return undefined
  const urls = decodePeerUrls(text)
  return urls.ok ? urls : err({ status: 400, message: urls.error })
}
