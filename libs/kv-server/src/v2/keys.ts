/**
 * `/v2/keys`: from the exchange to the store and back. Everything a request costs on the way to a plain GET or PUT is in
 * this file, so it takes short ways where a request is the usual one.
 */
import type { Exchange } from '@cluster/http'
import type { ByteString } from '@cluster/kv-store'
import type { StorePath } from '@cluster/kv-store/v2'
import type { Authorizer, Permission } from '../api-ports.ts'
import { respondMethodNotAllowed } from '../plain-answers.ts'
import type { ProposalFailure, Replica, Settled } from '../replica.ts'
import type { Timers } from '../timers.ts'
import { causeOfFailure, type Refusal, respondError } from './errors.ts'
import { addFields, bodyFormOf, emptyForm, soleValueOf } from './form.ts'
import { type KeysMethod, type KeysRequest, parseKeysRequest } from './keys-request.ts'
import { createKeysAnswers } from './keys-response.ts'
import { createSlicedAnswers } from './sliced-answer.ts'
import { createWatches } from './watch.ts'

export type KeysOptions = {
  readonly replica: Replica
  readonly authorizer: Authorizer
  readonly timers: Timers
  readonly events: KeysEvents
}

/** What is counted of keys requests. */
export type KeysEvents = {
  /** A request that parsed and is allowed; watches are counted when they begin. */
  readonly received: (method: KeysMethod) => void
  /** A command that the log did not take or finish: a 300. */
  readonly failed: (failure: ProposalFailure) => void
}

/** Answers requests below `/v2/keys`; `key` is the path behind it: empty, or beginning with a slash. */
export type KeysHandler = (exchange: Exchange, key: ByteString, query: string) => void

const plainRead: KeysRequest = { kind: 'read', isRecursive: false, isSorted: false }

/** The key in the store for a path behind `/v2/keys`, which is clean but for a trailing slash. */
const storePathOf = (key: ByteString): StorePath =>
  key.charCodeAt(key.length - 1) === 47 ? `/1${key.slice(0, -1)}` : `/1${key}`

export function createKeys({ replica, authorizer, timers, events }: KeysOptions): KeysHandler {
  const answers = createKeysAnswers(replica.status.clusterId)
  const watches = createWatches({ replica, answers, timers })
  const slicedAnswers = createSlicedAnswers({ timers })

  const refuse = (exchange: Exchange, { code, cause }: Omit<Refusal, 'kind'>): void =>
    respondError(exchange, answers.errorHeadStart, code, cause, 0)

  const settle = (exchange: Exchange, settled: Settled, path: StorePath, { command }: ProposeRequest): void => {
    watches.relieve()
    if (settled.kind === 'failed') {
      events.failed(settled.failure)
      refuse(exchange, { code: 300, cause: causeOfFailure(settled.failure) })
      return
    }
    const { outcome, index, term } = settled
    // Read in the turn in which it was applied: what is shown is what the log says at its place.
    if (outcome.kind === 'done' && outcome.isTooLarge === true && command.kind === 'get') read(exchange, path, command)
    else answers.outcome(exchange, outcome, index, term)
  }

  const read = (exchange: Exchange, path: StorePath, options: ReadRequest): void => {
    const reading = replica.store.read(path, options, replica.nowMs())
    if (reading.kind !== 'sliced') {
      answers.outcome(exchange, reading, replica.appliedIndex, replica.appliedTerm)
      return
    }
    const head = answers.headOf(reading.index, replica.appliedIndex, replica.appliedTerm)
    slicedAnswers.send(exchange, reading, head, () => read(exchange, path, options))
  }

  const perform = (exchange: Exchange, path: StorePath, request: Exclude<KeysRequest, Refusal>): void => {
    if (request.kind === 'read') read(exchange, path, request)
    else if (request.kind === 'watch') watches.begin(exchange, path, request)
    else replica.propose(request.command, (settled) => settle(exchange, settled, path, request))
  }

  return (exchange, key, query) => {
    const { method } = exchange
    if (!isKeysMethod(method)) {
      respondMethodNotAllowed(exchange, 'HEAD,GET,PUT,POST,DELETE')
      return
    }
    const path = storePathOf(key)
    const request = requestOf(exchange, method, path, query, replica)
    if (request.kind === 'refused') {
      refuse(exchange, request)
      return
    }
    const isWrite = method !== 'GET' && method !== 'HEAD'
    authorizer.check(exchange, { kind: 'key', key, isWrite, isRecursive: request.isRecursive }, (permission) => {
      if (permission !== 'allowed') {
        refuse(exchange, refusalOf(permission))
        return
      }
      events.received(method)
      perform(exchange, path, request)
    })
  }
}

const refusalOf = (permission: Exclude<Permission, 'allowed'>): Pick<Refusal, 'code' | 'cause'> =>
  permission === 'refused'
    ? { code: 110, cause: 'Insufficient credentials' }
    : { code: 300, cause: causeOfFailure('too-many') }

type ReadRequest = Pick<Extract<KeysRequest, { kind: 'read' }>, 'isRecursive' | 'isSorted'>
type ProposeRequest = Extract<KeysRequest, { kind: 'propose' }>

function requestOf(
  exchange: Exchange,
  method: KeysMethod,
  path: StorePath,
  query: string,
  replica: Replica,
): KeysRequest {
  const hasBody = method === 'PUT' || method === 'POST'
  if (query === '' && !hasBody && method !== 'DELETE') return plainRead
  const form = emptyForm()
  if (hasBody) {
    const body = bodyFormOf(exchange)
    if (body.kind === 'refused') return { kind: 'refused', code: 210, cause: body.cause }
    if (body.kind === 'form') {
      const value = soleValueOf(body.text)
      if (value !== undefined && query === '' && method === 'PUT') {
        const command = {
          kind: 'set',
          path,
          value,
          isDirectory: false,
          deadlineMs: undefined,
          isRefresh: false,
        } as const
        return { kind: 'propose', isRecursive: false, command }
      }
      if (value !== undefined) form.value = value
      else {
        // The body's error comes before the query's, whatever is wrong there.
        const cause = addFields(form, body.text)
        if (cause !== undefined) return { kind: 'refused', code: 210, cause }
      }
    }
  }
  const cause = query === '' ? undefined : addFields(form, query)
  if (cause !== undefined) return { kind: 'refused', code: 210, cause }
  return parseKeysRequest(method, path, form, replica.nowMs())
}

const isKeysMethod = (method: string): method is KeysMethod =>
  method === 'GET' || method === 'PUT' || method === 'DELETE' || method === 'POST' || method === 'HEAD'
