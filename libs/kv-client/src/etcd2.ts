/**
 * The port over etcd's v2 API. Reads go through consensus (`quorum=true`), so that a snapshot is never older than what
 * the caller or anybody else has seen.
 *
 * @see spec/etcd-v2.md §1
 */
import {
  type Conflict,
  checkKey,
  checkPrefix,
  checkTtl,
  compareKeys,
  type DeleteOptions,
  type Key,
  type Kv,
  type KvEntry,
  KvError,
  type KvEvent,
  type KvSnapshot,
  type Precondition,
  type PutOptions,
  type Revision,
  toRevision,
  wellFormed,
} from '@cluster/kv'
import { type Clock, err, ok, type Random, type Result } from '@cluster/prelude'
import { type Answer, entriesOf, entryOf, type Node } from './etcd2-codec.ts'
import { type Answered, type Connection, exchange, invalidAnswer } from './exchange.ts'
import { watchLoop } from './watch-loop.ts'

export type Etcd2Options = {
  readonly connection: Connection
  readonly clock: Clock
  readonly random: Random
  /** Everything is kept below it; `/` for the whole store. */
  readonly root: Key
  readonly probeMs: number
}

/** What a form may hold: etcd refuses more than 10 MiB of it. */
const formSizeBytesMax = 10 * 1024 * 1024

/** The port, for one etcd. */
export function createEtcd2Kv({ connection, clock, random, root, probeMs }: Etcd2Options): Kv {
  let clusterId: string | undefined
  const onWire = (key: Key): Key => (root === '/' ? key : key === '/' ? root : root + key)
  const fromWire = (key: Key): Key => (root === '/' ? key : key === root ? '/' : key.slice(root.length))
  const pathOf = (key: Key): string => `/v2/keys${escapeKey(onWire(key))}`

  const ask = async (
    method: 'GET' | 'PUT' | 'DELETE',
    target: string,
    signal: AbortSignal | undefined,
    fields?: Fields,
  ): Promise<Answered> => {
    const form = fields === undefined ? {} : { form: renderFields(fields) }
    if (form.form !== undefined && form.form.length > formSizeBytesMax) {
      throw new KvError(
        'kv/refused',
        `the value is ${form.form.length} bytes long when encoded, etcd takes ${formSizeBytesMax}`,
        {
          hint: 'store less in one key',
        },
      )
    }
    const answered = await exchange(connection, { method, target, signal, ...form })
    clusterId = answered.clusterId ?? clusterId
    return answered
  }

  /** The node at a key, one level deep; `undefined` when nothing is there. */
  const read = async (key: Key, signal: AbortSignal | undefined): Promise<Node | undefined> => {
    const { answer, endpoint } = await ask('GET', `${pathOf(key)}?quorum=true`, signal)
    if (answer.kind === 'done') return answer.node
    if (isNothingThere(answer)) return undefined
    throw refused(answer, endpoint)
  }

  const readEntry = async (key: Key, signal: AbortSignal | undefined): Promise<KvEntry | undefined> => {
    const node = await read(key, signal)
    return node === undefined || node.isDirectory ? undefined : entryOf(node, fromWire)
  }

  /**
   * The revision to compare with in place of an empty value, which etcd cannot compare; the entry that is in the way.
   */
  const revisionIfEmpty = async (
    key: Key,
    signal: AbortSignal | undefined,
  ): Promise<Result<Precondition, KvEntry | undefined>> => {
    const node = await read(key, signal)
    if (node?.isDirectory === true) throw namesDirectory(key)
    const entry = node === undefined ? undefined : entryOf(node, fromWire)
    return entry?.value === '' ? ok({ kind: 'revision', revision: entry.revision }) : err(entry)
  }

  const put = async (key: Key, value: string, options: PutOptions): Promise<Result<Revision, Conflict>> => {
    const { onlyIf, ttlSeconds, signal } = options
    if (onlyIf?.kind === 'revision' && onlyIf.revision === 0) return conflict(key, await readEntry(key, signal))
    if (onlyIf?.kind === 'value' && onlyIf.value === '') {
      const compared = await revisionIfEmpty(key, signal)
      if (!compared.ok) return conflict(key, compared.error)
      return put(key, value, { ...options, onlyIf: compared.value })
    }
    const ttl: Fields = ttlSeconds === undefined ? [] : [['ttl', String(ttlSeconds)]]
    const fields: Fields = [['value', wellFormed(value)], ...ttl, ...conditionFields(onlyIf)]
    const { answer, endpoint } = await ask('PUT', pathOf(key), signal, fields)
    if (answer.kind === 'done') {
      // An update with an empty value of a directory changes its time to live, and nothing else.
      if (answer.node.isDirectory) throw namesDirectory(key)
      return ok(revisionOf(answer.node, endpoint))
    }
    switch (answer.errorCode) {
      case 100:
        return conflict(key, undefined)
      case 101:
      case 105:
        return conflict(key, undefined)
      case 102:
        throw namesDirectory(key)
      case 104:
        throw new KvError('kv/invalid-key', `key ${key} leads through the value ${fromWire(answer.cause)}`, {
          hint: 'choose another key, or remove that value',
        })
      default:
        throw refused(answer, endpoint)
    }
  }

  const remove = async (key: Key, options: DeleteOptions): Promise<Result<Revision, Conflict>> => {
    const { onlyIf, signal } = options
    // Removing what must be absent never does anything; neither does what no revision can fulfil.
    if (onlyIf?.kind === 'absent' || (onlyIf?.kind === 'revision' && onlyIf.revision === 0)) {
      return conflict(key, await readEntry(key, signal))
    }
    if (onlyIf?.kind === 'value' && onlyIf.value === '') {
      const node = await read(key, signal)
      const entry = node === undefined || node.isDirectory ? undefined : entryOf(node, fromWire)
      if (entry?.value !== '') return conflict(key, entry)
      return remove(key, { ...options, onlyIf: { kind: 'revision', revision: entry.revision } })
    }
    const query = renderFields(onlyIf?.kind === 'present' ? [] : conditionFields(onlyIf))
    const { answer, endpoint } = await ask('DELETE', query === '' ? pathOf(key) : `${pathOf(key)}?${query}`, signal)
    if (answer.kind === 'done') return ok(revisionOf(answer.node, endpoint))
    // 102: a directory, which is no entry.
    if (isNothingThere(answer) || answer.errorCode === 101 || answer.errorCode === 102) return conflict(key, undefined)
    throw refused(answer, endpoint)
  }

  const removeTree = async (prefix: Key, signal: AbortSignal | undefined): Promise<Revision> => {
    const { answer, endpoint } = await ask('DELETE', `${pathOf(prefix)}?recursive=true`, signal)
    if (answer.kind === 'done') return revisionOf(answer.node, endpoint)
    if (isNothingThere(answer)) return toRevision(answer.index)
    throw refused(answer, endpoint)
  }

  return {
    range: async (prefix, signal): Promise<KvSnapshot> => {
      checkPrefix(prefix)
      const { answer, endpoint } = await ask('GET', `${pathOf(prefix)}?recursive=true&quorum=true`, signal)
      if (answer.kind === 'refused' && !isNothingThere(answer)) throw refused(answer, endpoint)
      const entries = answer.kind === 'done' ? entriesOf(answer.node, fromWire) : []
      const sorted = [...entries].sort((left, right) => compareKeys(left.key, right.key))
      return { revision: toRevision(answer.index), entries: sorted }
    },
    get: async (key, signal) => {
      checkKey(key)
      return readEntry(key, signal)
    },
    put: async (key, value, options = {}) => {
      checkKey(key)
      checkTtl(options.ttlSeconds)
      return put(key, value, options)
    },
    delete: async (key, options = {}) => {
      checkKey(key)
      return remove(key, options)
    },
    deletePrefix: async (prefix, signal) => {
      checkPrefix(prefix)
      if (prefix !== '/' || root !== '/') return removeTree(prefix, signal)
      // etcd does not remove its root: one branch after the other, then.
      const { answer, endpoint } = await ask('GET', `${pathOf('/')}?quorum=true`, signal)
      if (answer.kind === 'refused') throw refused(answer, endpoint)
      let revision = toRevision(answer.index)
      for (const { key } of answer.node.nodes) revision = await removeTree(key, signal)
      return revision
    },
    watch: async function* (prefix, after, signal) {
      checkPrefix(prefix)
      const options = {
        connection,
        clock,
        random,
        path: pathOf(prefix),
        prefix: onWire(prefix),
        after,
        probeMs,
        signal,
      }
      try {
        for await (const events of watchLoop({ ...options, clusterId })) {
          yield events.map((event): KvEvent => ({ ...event, key: fromWire(event.key) }))
        }
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

type Fields = readonly (readonly [name: string, value: string])[]

const renderFields = (fields: Fields): string =>
  fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')

function conditionFields(onlyIf: Precondition | undefined): Fields {
  switch (onlyIf?.kind) {
    case undefined:
      return []
    case 'absent':
      return [['prevExist', 'false']]
    case 'present':
      return [['prevExist', 'true']]
    case 'value':
      return [['prevValue', wellFormed(onlyIf.value)]]
    case 'revision':
      return [['prevIndex', String(onlyIf.revision)]]
    default:
      return onlyIf satisfies never
  }
}

const escapeKey = (key: Key): string =>
  key
    .split('/')
    .map((part) => encodeURIComponent(wellFormed(part)))
    .join('/')

type Refused = Answer & { readonly kind: 'refused' }

/** 100: nothing at the key or on the way; 104: a value on the way. Either way no entry is there. */
const isNothingThere = (answer: Refused): boolean => answer.errorCode === 100 || answer.errorCode === 104

const conflict = (key: Key, found: KvEntry | undefined): Result<Revision, Conflict> =>
  err({ kind: 'conflict', key, found })

const namesDirectory = (key: Key): KvError =>
  new KvError('kv/invalid-key', `key ${key} names a directory`, { hint: 'choose another key, or remove the directory' })

function revisionOf(node: Node, endpoint: string): Revision {
  if (node.modifiedIndex === 0) throw invalidAnswer(endpoint, 'a write at index 0')
  return toRevision(node.modifiedIndex)
}

function refused({ errorCode, reason, cause }: Refused, endpoint: string): KvError {
  const said = cause === '' ? reason : `${reason}: ${cause}`
  return new KvError('kv/refused', `${endpoint} refused: ${said} (etcd error ${errorCode})`, {
    hint: hintFor(errorCode, said),
  })
}

function hintFor(errorCode: number, said: string): string | undefined {
  if (errorCode === 110) return 'check user, password and the rights of the user'
  return errorCode === 300 && said.includes('no space') ? 'make room on the disk of the store' : undefined
}
