/**
 * What an etcd v2 server says, checked before it is believed. Pure. Names of the wire format stop here.
 *
 * @see spec/etcd-v2.md §1.8 to §1.10, §2.4
 */

import { type HttpHeaders, headerOf } from '@cluster/http'
import { isBelow, type Key, type KvEntry, type KvEvent, toRevision } from '@cluster/kv'
import { err, ok, type Result } from '@cluster/prelude'

/** A node of the tree. `value` is absent for directories and in the node of a removal. */
export type Node = {
  /** `/` for the root. */
  readonly key: Key
  readonly value: string | undefined
  readonly isDirectory: boolean
  readonly ttlSeconds: number | undefined
  readonly modifiedIndex: number
  readonly nodes: readonly Node[]
}

/** Whole answer to a request, understood. `index` is the store's at that time, as far as the answer says. */
export type Answer =
  | {
      readonly kind: 'done'
      readonly action: string
      readonly node: Node
      readonly previous: Node | undefined
      readonly index: number
    }
  | {
      readonly kind: 'refused'
      readonly errorCode: number
      readonly reason: string
      readonly cause: string
      readonly index: number
    }

/** What was found in place of an answer, in words: `node.key: expected text, found number`. */
export type Nonsense = { readonly found: string }

/** What a keys request was answered with. A 5xx that is not etcd's own JSON is nonsense, too. */
export function decodeAnswer(status: number, headers: HttpHeaders, text: string): Result<Answer, Nonsense> {
  const body = parseJson(text)
  if (!body.ok) return err({ found: `status ${status} with ${body.error}` })
  const answer = body.value
  if (!isObject(answer)) return err({ found: `status ${status} with ${kindOf(answer)} in place of an object` })
  try {
    if (status >= 200 && status < 300) {
      const index = indexHeader(headers)
      if (index === undefined) return err({ found: 'an answer without a valid X-Etcd-Index' })
      const previous = answer['prevNode'] === undefined ? undefined : nodeOf(answer['prevNode'], 'prevNode')
      return ok({
        kind: 'done',
        action: textAt(answer, 'action', ''),
        node: nodeOf(answer['node'], 'node'),
        previous,
        index,
      })
    }
    return ok({
      kind: 'refused',
      errorCode: wholeAt(answer, 'errorCode', ''),
      reason: textAt(answer, 'message', ''),
      cause: optionalTextAt(answer, 'cause', '') ?? '',
      index: indexHeader(headers) ?? wholeAt(answer, 'index', ''),
    })
  } catch (error) {
    if (error instanceof Mismatch) return err({ found: `status ${status} with ${error.message}` })
    throw error
  }
}

/** The store's index from the head of an answer; `undefined` when it says none, or none that is a number. */
export function indexHeader(headers: HttpHeaders): number | undefined {
  const text = headerOf(headers, 'x-etcd-index')
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const index = Number(text)
  return Number.isSafeInteger(index) ? index : undefined
}

/** All values in a tree of nodes, the top one left out. */
export function entriesOf(top: Node, keyOf: (key: Key) => Key): readonly KvEntry[] {
  const entries: KvEntry[] = []
  // No recursion: the depth of a tree is up to whoever writes to the store.
  const open = [...top.nodes]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.isDirectory) for (const child of node.nodes) open.push(child)
    else entries.push(entryOf(node, keyOf))
  }
  return entries
}

/** The value at a node as an entry. */
export function entryOf({ key, value = '', modifiedIndex, ttlSeconds }: Node, keyOf: (key: Key) => Key): KvEntry {
  const entry = { key: keyOf(key), value, revision: toRevision(modifiedIndex) }
  return ttlSeconds === undefined ? entry : { ...entry, ttlSeconds }
}

/** What an answer to a watch means for those below `prefix`; both with the keys of the wire. `undefined`: nothing. */
export function eventOf(answer: Answer & { kind: 'done' }, prefix: Key): KvEvent | undefined {
  const { action, node, previous } = answer
  const revision = toRevision(node.modifiedIndex)
  const { key } = node
  const isRemoval = action === 'delete' || action === 'compareAndDelete' || action === 'expire'
  if (isRemoval) {
    const expired = action === 'expire'
    if (node.isDirectory || previous?.isDirectory === true) {
      if (isBelow(prefix, key)) return { type: 'delete-prefix', key, revision, expired }
      // From history etcd also reports directories whose path is only a string prefix of ours (/d for /dx).
      const isAbove = key === prefix || isBelow(key, prefix)
      return isAbove ? { type: 'delete-prefix', key: prefix, revision, expired } : undefined
    }
    return isBelow(prefix, key) ? { type: 'delete', key, revision, expired } : undefined
  }
  if (!isBelow(prefix, key)) return undefined
  if (node.isDirectory) {
    // A directory that is made or gets another time to live says nothing about values, unless it took a value's place.
    const replacedValue = previous !== undefined && !previous.isDirectory
    return replacedValue ? { type: 'delete', key, revision, expired: false } : undefined
  }
  const put = { type: 'put', key, value: node.value ?? '', revision } as const
  return node.ttlSeconds === undefined ? put : { ...put, ttlSeconds: node.ttlSeconds }
}

const nodeDepthMax = 256

class Mismatch extends Error {}

type JsonObject = Readonly<Record<string, unknown>>

function nodeOf(value: unknown, path: string, depth = 0): Node {
  if (!isObject(value)) throw new Mismatch(`${path}: expected an object, found ${kindOf(value)}`)
  if (depth > nodeDepthMax) throw new Mismatch(`${path}: more than ${nodeDepthMax} levels`)
  const isDirectory = optionalAt(value, 'dir', path, 'a truth value', isBoolean) ?? false
  const children = optionalAt(value, 'nodes', path, 'a list', isList) ?? []
  const key = optionalTextAt(value, 'key', path) ?? '/'
  if (!key.startsWith('/'))
    throw new Mismatch(`${path}.key: expected a path, found ${JSON.stringify(key.slice(0, 100))}`)
  return {
    key,
    value: optionalTextAt(value, 'value', path),
    isDirectory,
    ttlSeconds: ttlOf(value, path),
    modifiedIndex: key === '/' ? 0 : wholeAt(value, 'modifiedIndex', path),
    nodes: children.map((child, at) => nodeOf(child, `${path}.nodes[${at}]`, depth + 1)),
  }
}

/** etcd leaves `ttl` out when it is 0 and counts below 0 until the next sweep: both are an entry about to go. */
function ttlOf(node: JsonObject, path: string): number | undefined {
  const ttl = optionalAt(node, 'ttl', path, 'a whole number', isWhole)
  if (ttl !== undefined) return Math.max(0, ttl)
  return optionalTextAt(node, 'expiration', path) === undefined ? undefined : 0
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value)

function optionalAt<T>(
  object: JsonObject,
  name: string,
  path: string,
  expected: string,
  is: (value: unknown) => value is T,
): T | undefined {
  const value = object[name]
  if (value === undefined || is(value)) return value
  const at = path === '' ? name : `${path}.${name}`
  throw new Mismatch(`${at}: expected ${expected}, found ${kindOf(value)}`)
}

const optionalTextAt = (object: JsonObject, name: string, path: string): string | undefined =>
  optionalAt(object, name, path, 'text', isText)

const textAt = (object: JsonObject, name: string, path: string): string =>
  present(optionalTextAt(object, name, path), name, path)

function wholeAt(object: JsonObject, name: string, path: string): number {
  const value = present(optionalAt(object, name, path, 'a whole number', isWhole), name, path)
  if (value < 0)
    throw new Mismatch(`${path === '' ? name : `${path}.${name}`}: expected a number from 0 on, found ${value}`)
  return value
}

function present<T>(value: T | undefined, name: string, path: string): T {
  if (value === undefined) throw new Mismatch(`${path === '' ? name : `${path}.${name}`} missing`)
  return value
}

function parseJson(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text))
  } catch {
    return err(text === '' ? 'an empty body' : `what is not JSON: ${JSON.stringify(text.slice(0, 100))}`)
  }
}
