/**
 * From the fields of a keys request to what is to be done: read, watch or a command for the log. Pure. The order of the
 * checks is part of the protocol, and so are the words of each refusal (spec/etcd-v2.md §1.4, §1.5).
 */
import type { ByteString } from '@cluster/kv-store'
import { type Command, type Compare, type DeadlineMs, deadlineOf, type StorePath } from '@cluster/kv-store/v2'
import type { ApiErrorCode, Refusal } from './errors.ts'
import type { Form } from './form.ts'

/** The methods that `/v2/keys` knows. */
export type KeysMethod = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'

export type KeysRequest =
  | { readonly kind: 'read'; readonly isRecursive: boolean; readonly isSorted: boolean }
  | {
      readonly kind: 'watch'
      readonly isRecursive: boolean
      readonly isStream: boolean
      /** 0: from now on. */
      readonly fromIndex: number
    }
  | {
      readonly kind: 'propose'
      readonly command: Command
      /** `recursive`, which matters for rights on every method. */
      readonly isRecursive: boolean
    }
  | Refusal

const refuse = (code: ApiErrorCode, cause: string): Refusal => ({ kind: 'refused', code, cause })

const booleanFields = ['recursive', 'sorted', 'wait', 'dir', 'quorum', 'stream'] as const

/**
 * @param path the key as the store knows it
 * @param nowMs the store's time, from which a TTL counts
 */
export function parseKeysRequest(method: KeysMethod, path: StorePath, form: Form, nowMs: number): KeysRequest {
  const prevIndex = indexOf(form.prevIndex)
  if (prevIndex === undefined) return refuse(203, 'invalid value for "prevIndex"')
  const waitIndex = indexOf(form.waitIndex)
  if (waitIndex === undefined) return refuse(203, 'invalid value for "waitIndex"')
  for (const name of booleanFields) {
    if (isTrue(form[name]) === undefined) return refuse(209, `invalid value for "${name}"`)
  }
  const isWait = isTrue(form.wait) === true
  if (isWait && method !== 'GET') return refuse(209, '"wait" can only be used with GET requests')
  if (form.prevValue === '') return refuse(201, '"prevValue" cannot be empty')
  const ttl = form.ttl === undefined || form.ttl === '' ? undefined : parseUint64(form.ttl)
  if (ttl === undefined && form.ttl !== undefined && form.ttl !== '') return refuse(202, 'invalid value for "ttl"')
  if (isTrue(form.prevExist) === undefined) return refuse(209, 'invalid value for prevExist')
  const isRefresh = isTrue(form.refresh)
  if (isRefresh === undefined) return refuse(209, 'invalid value for refresh')
  if (isRefresh && form.value !== undefined && form.value !== '')
    return refuse(211, 'A value was provided on a refresh')
  if (isRefresh && ttl === undefined) return refuse(212, 'No TTL value set')

  const isRecursive = isTrue(form.recursive) === true
  const isSorted = isTrue(form.sorted) === true
  if (method === 'GET' && isTrue(form.quorum) === true) {
    return { kind: 'propose', isRecursive, command: { kind: 'get', path, isRecursive, isSorted } }
  }
  if (isWait)
    return { kind: 'watch', isRecursive, isStream: isTrue(form.stream) === true, fromIndex: watchable(waitIndex) }
  if (method === 'GET' || method === 'HEAD') return { kind: 'read', isRecursive, isSorted }

  const write: Write = { path, form, ttl, nowMs, isRefresh, compare: compareOf(form.prevValue, prevIndex) }
  const command = method === 'PUT' ? putOf(write) : method === 'POST' ? postOf(write) : deleteOf(write)
  return { kind: 'propose', isRecursive, command }
}

type Write = {
  readonly path: StorePath
  readonly form: Form
  readonly ttl: bigint | undefined
  readonly nowMs: number
  readonly isRefresh: boolean
  /** Undefined: no condition. */
  readonly compare: Compare | undefined
}

function compareOf(value: ByteString | undefined, index: number | bigint): Compare | undefined {
  if (value === undefined && index === 0) return undefined
  return { value, index: index === 0 ? undefined : index }
}

function putOf({ path, form, ttl, nowMs, isRefresh, compare }: Write): Command {
  const value = form.value ?? ''
  const isDirectory = isTrue(form.dir) === true
  if (form.prevExist !== undefined && isTrue(form.prevExist) === false) {
    return { kind: 'create', path, value, isDirectory, deadlineMs: newDeadline(ttl, nowMs) }
  }
  if (compare !== undefined) {
    return { kind: 'compare-and-swap', path, value, compare, deadlineMs: changedDeadline(ttl, nowMs), isRefresh }
  }
  if (form.prevExist !== undefined) {
    return { kind: 'update', path, value, deadlineMs: changedDeadline(ttl, nowMs), isRefresh }
  }
  return { kind: 'set', path, value, isDirectory, deadlineMs: newDeadline(ttl, nowMs), isRefresh }
}

const postOf = ({ path, form, ttl, nowMs }: Write): Command => ({
  kind: 'create-in-order',
  path,
  value: form.value ?? '',
  isDirectory: isTrue(form.dir) === true,
  deadlineMs: newDeadline(ttl, nowMs),
})

function deleteOf({ path, form, compare }: Write): Command {
  if (compare !== undefined) return { kind: 'compare-and-delete', path, compare }
  return { kind: 'delete', path, isDirectory: isTrue(form.dir) === true, isRecursive: isTrue(form.recursive) === true }
}

const newDeadline = (ttl: bigint | undefined, nowMs: number): DeadlineMs =>
  ttl === undefined ? undefined : deadlineOf(ttl, nowMs, 'create')
const changedDeadline = (ttl: bigint | undefined, nowMs: number): DeadlineMs =>
  ttl === undefined ? undefined : deadlineOf(ttl, nowMs, 'update')

/** A boolean field; absent is false, undefined: it is none of the words that Go takes for one. */
function isTrue(text: ByteString | undefined): boolean | undefined {
  switch (text) {
    case undefined:
    case '0':
    case 'f':
    case 'F':
    case 'FALSE':
    case 'false':
    case 'False':
      return false
    case '1':
    case 't':
    case 'T':
    case 'TRUE':
    case 'true':
    case 'True':
      return true
    default:
      return undefined
  }
}

const uint64Max = 18_446_744_073_709_551_615n

/** An unsigned 64-bit decimal number; undefined: it is not one. */
function parseUint64(text: ByteString): bigint | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined
  const digits = shortest(text)
  if (digits.length > 20) return undefined
  const value = BigInt(digits)
  return value > uint64Max ? undefined : value
}

/** Without leading zeros. */
const shortest = (digits: string): string => digits.replace(/^0+(?=.)/, '')

/** An index field: 0 when absent, undefined when it is no number; one that no event can have stays as it is. */
function indexOf(text: ByteString | undefined): number | bigint | undefined {
  if (text === undefined) return 0
  const value = parseUint64(text)
  if (value === undefined) return undefined
  return value > Number.MAX_SAFE_INTEGER ? value : Number(value)
}

/** Where a watch begins: no event ever has a larger index than the limit either. */
const watchable = (index: number | bigint): number => (typeof index === 'bigint' ? Number.MAX_SAFE_INTEGER : index)
