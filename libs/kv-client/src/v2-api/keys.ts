/**
 * The keys API: every request that etcd's own client can make, and its answer as a value.
 *
 * @see spec/etcd-v2.md §1, §2
 */
import { headerOf } from '@cluster/http'
import { isClusterError } from '@cluster/prelude'
import { isV2ApiError, notEtcd, refused } from './failure.ts'
import { isObject, type JsonObject, listAt, numberAt, objectIn, objectOf, textAt } from './json.ts'
import type { Requester, V2Answer, V2Call } from './requester.ts'
import { encodeFields, type Fields, keyTarget, type V2Value } from './target.ts'

/** A node of the tree as the server shows it. */
export type V2Node = {
  /** Empty for the root. */
  readonly key: string
  /** Absent for directories and in the node of a removal. */
  readonly value?: string
  readonly isDirectory: boolean
  readonly nodes: readonly V2Node[]
  readonly createdIndex: number
  readonly modifiedIndex: number
  /** When it ends, RFC 3339. */
  readonly expiration?: string
  readonly ttlSeconds?: number
}

export type V2Event = {
  readonly action: string
  readonly node: V2Node
  readonly prevNode?: V2Node
  /** `X-Etcd-Index` of the answer: of a watch, when it began. 0 when the server did not say. */
  readonly index: number
}

export type V2Signal = { readonly signal?: AbortSignal | undefined }

export type V2GetOptions = V2Signal & {
  readonly isRecursive?: boolean
  readonly isSorted?: boolean
  readonly isQuorum?: boolean
}

/** `prevIndex` up to 2^64−1; 0 is no condition, and so is an empty `prevValue`. */
export type V2Conditions = { readonly prevValue?: string; readonly prevIndex?: bigint | number }

export type V2SetOptions = V2Signal &
  V2Conditions & {
    /** Seconds; 0 and less: for ever. */
    readonly ttlSeconds?: bigint | number
    readonly prevExist?: boolean
    /** A directory: the value is not sent. */
    readonly isDirectory?: boolean
    /** Only the time to live is taken. */
    readonly isRefresh?: boolean
  }

export type V2DeleteOptions = V2Signal &
  V2Conditions & { readonly isRecursive?: boolean; readonly isDirectory?: boolean }

export type V2WatchOptions = V2Signal & {
  readonly isRecursive?: boolean
  /** The first event after this index; 0: from now on. */
  readonly afterIndex?: bigint | number
}

export type V2Keys = {
  readonly get: (key: string, options?: V2GetOptions) => Promise<V2Event>
  readonly set: (key: string, value: V2Value, options?: V2SetOptions) => Promise<V2Event>
  readonly createInOrder: (
    directory: string,
    value: V2Value,
    options?: V2Signal & { readonly ttlSeconds?: bigint | number },
  ) => Promise<V2Event>
  readonly delete: (key: string, options?: V2DeleteOptions) => Promise<V2Event>
  /**
   * Events one after the other without end, each asked for where the last one left off. An answer that was cut before
   * its event is asked for again.
   */
  readonly watch: (key: string, options?: V2WatchOptions) => AsyncIterable<V2Event>
}

/** The keys API over a requester. All methods throw `V2ApiError`. */
export function createV2Keys(requester: Requester): V2Keys {
  const ask = async (call: V2Call): Promise<V2Event> => eventOf(await requester.ask(call))
  return {
    get: (key, { isRecursive = false, isSorted = false, isQuorum = false, signal } = {}) => {
      const query: Fields = [
        ['quorum', String(isQuorum)],
        ['recursive', String(isRecursive)],
        ['sorted', String(isSorted)],
      ]
      return ask({ method: 'GET', target: keyTarget(key, query), signal })
    },
    set: (key, value, options = {}) => {
      const { isDirectory = false, isRefresh = false, prevExist, signal } = options
      const query: Fields = [
        ...(isDirectory ? [['dir', 'true'] as const] : []),
        ...conditions(isDirectory ? { ...options, prevValue: '' } : options),
        ...(prevExist === undefined ? [] : [['prevExist', String(prevExist)] as const]),
      ]
      const form: Fields = [
        ...(isDirectory || isRefresh ? [] : [['value', value] as const]),
        ...timeToLive(options.ttlSeconds),
        ...(isRefresh ? [['refresh', 'true'] as const] : []),
      ]
      const isOnce = prevExist === false || conditions(options).length > 0
      return ask({ method: 'PUT', target: keyTarget(key, query), body: formOf(form), isOnce, signal })
    },
    createInOrder: (directory, value, { ttlSeconds, signal } = {}) =>
      ask({
        method: 'POST',
        target: keyTarget(directory),
        body: formOf([['value', value], ...timeToLive(ttlSeconds)]),
        isOnce: true,
        signal,
      }),
    delete: (key, options = {}) => {
      const { isRecursive = false, isDirectory = false, signal } = options
      const query: Fields = [
        ...(isDirectory ? [['dir', 'true'] as const] : []),
        ...conditions(options),
        ...(isRecursive ? [['recursive', 'true'] as const] : []),
      ]
      return ask({ method: 'DELETE', target: keyTarget(key, query), isOnce: true, signal })
    },
    watch: (key, options = {}) => watch(requester, key, options),
  }
}

async function* watch(
  requester: Requester,
  key: string,
  { isRecursive = false, afterIndex = 0, signal }: V2WatchOptions,
): AsyncGenerator<V2Event, void, undefined> {
  let waitIndex = BigInt(afterIndex) === 0n ? 0n : BigInt.asUintN(64, BigInt(afterIndex) + 1n)
  let cuts = 0
  for (;;) {
    const query: Fields = [
      ['recursive', String(isRecursive)],
      ['wait', 'true'],
      ['waitIndex', String(waitIndex)],
    ]
    const target = keyTarget(key, query)
    const answer = await requester.ask({ method: 'GET', target, isLongPoll: true, signal }).catch(cutAnswer)
    // A server that ends sends the head of an answer and no more: the same question again.
    if (answer === 'cut' || (answer.status === 200 && answer.text.trim() === '')) {
      if (++cuts > cutsMax) throw notEtcd(`${cuts} answers in a row without an event`)
      continue
    }
    cuts = 0
    const event = eventOf(answer)
    waitIndex = BigInt(event.node.modifiedIndex) + 1n
    yield event
  }
}

/** In a row; a server that restarts leaves one. */
const cutsMax = 100

function cutAnswer(error: unknown): 'cut' {
  const attempts = isV2ApiError(error) && error.failure.kind === 'unavailable' ? error.failure.attempts : []
  const isCut = attempts.some(
    (attempt) => attempt.kind === 'unreachable' && isClusterError(attempt.error, 'http/connection-reset'),
  )
  if (isCut) return 'cut'
  throw error
}

const conditions = ({ prevValue = '', prevIndex = 0 }: V2Conditions): Fields => [
  ...(BigInt(prevIndex) === 0n ? [] : [['prevIndex', String(BigInt.asUintN(64, BigInt(prevIndex)))] as const]),
  ...(prevValue === '' ? [] : [['prevValue', prevValue] as const]),
]

const timeToLive = (seconds: bigint | number = 0): Fields => (seconds > 0 ? [['ttl', String(seconds)]] : [])

function formOf(fields: Fields): { readonly type: 'form'; readonly text: string; readonly shown: string } {
  const text = encodeFields(fields)
  return { type: 'form', text, shown: text }
}

function eventOf({ status, headers, text }: V2Answer): V2Event {
  if (status !== 200 && status !== 201) throw refusalOf(status, text)
  const body = objectOf(text)
  const index = Number(headerOf(headers, 'x-etcd-index') ?? 0)
  const node = nodeOf(body['node'])
  const event = { action: textAt(body, 'action'), node, index: Number.isSafeInteger(index) ? index : 0 }
  return body['prevNode'] === undefined || body['prevNode'] === null
    ? event
    : { ...event, prevNode: nodeOf(body['prevNode']) }
}

function refusalOf(status: number, text: string) {
  const body = objectIn(text)
  if (body === undefined || typeof body['errorCode'] !== 'number')
    return notEtcd(`status ${status} without an error code`)
  return refused({
    kind: 'keys',
    status,
    errorCode: numberAt(body, 'errorCode'),
    message: textAt(body, 'message'),
    cause: textAt(body, 'cause'),
    index: numberAt(body, 'index'),
  })
}

function nodeOf(value: unknown): V2Node {
  if (!isObject(value)) throw notEtcd('an event without a node')
  return {
    key: textAt(value, 'key'),
    ...(typeof value['value'] === 'string' ? { value: value['value'] } : {}),
    isDirectory: value['dir'] === true,
    nodes: listAt(value, 'nodes').map(nodeOf),
    createdIndex: numberAt(value, 'createdIndex'),
    modifiedIndex: numberAt(value, 'modifiedIndex'),
    ...timesOf(value),
  }
}

const timesOf = (value: JsonObject): { readonly expiration?: string; readonly ttlSeconds?: number } => ({
  ...(typeof value['expiration'] === 'string' ? { expiration: value['expiration'] } : {}),
  ...(typeof value['ttl'] === 'number' ? { ttlSeconds: value['ttl'] } : {}),
})
