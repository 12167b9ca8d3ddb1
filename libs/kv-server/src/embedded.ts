/**
 * The `Kv` port over the store in this process. Keys stand in the v2 tree as those of `@cluster/kv-client` do, so that
 * both may be used on the same store at the same time.
 *
 * @see spec/etcd-v2.md §1.5 to §1.8, §2
 */
import {
  type Conflict,
  checkKey,
  checkPrefix,
  checkTtl,
  compareKeys,
  isBelow,
  type Key,
  type Kv,
  type KvEntry,
  KvError,
  type KvEvent,
  type Precondition,
  type PutOptions,
  type Revision,
  toRevision,
} from '@cluster/kv'
import { type ByteString, byteStringOf, textOf } from '@cluster/kv-store'
import type { Command, Compare, Outcome, StoreEvent, StorePath, Watcher } from '@cluster/kv-store/v2'
import { err, ok, type Result } from '@cluster/prelude'
import type { ProposalFailure, Replica } from './replica.ts'

export type EmbeddedKvOptions = {
  readonly replica: Replica
  /** Fires when the store closes or has failed: watches end, nothing more is read. */
  readonly closed: AbortSignal
  /** Runs something in a later turn of the event loop. */
  readonly schedule?: (task: () => void) => void
}

/** More than this between two turns of a watch's reader, and it is told to read again. */
const pendingMax = 100_000

/**
 * The port over a replica. A `range` is parsed in one go: some 100,000 entries hold the event loop for as long as
 * `JSON.parse` takes for them.
 */
export function createEmbeddedKv({ replica, closed, schedule = setImmediate }: EmbeddedKvOptions): Kv {
  const checkOpen = (signal: AbortSignal | undefined): void => {
    if (signal?.aborted === true) throw aborted()
    if (closed.aborted) throw storeClosed()
  }

  const readNode = (key: Key): WireNode | undefined => {
    const reading = replica.store.read(pathOf(key), { isRecursive: false, isSorted: false }, replica.nowMs())
    if (reading.kind === 'done') return parseBody(reading.body).node
    // A list of a large directory: that it is one is all there is to know.
    if (reading.kind === 'sliced') {
      reading.close()
      return { key, dir: true }
    }
    if (isNothingThere(reading)) return undefined
    throw refusedBy(reading)
  }

  const readEntry = (key: Key): KvEntry | undefined => {
    const node = readNode(key)
    return node === undefined || node.dir === true ? undefined : entryOf(node)
  }

  /** What became of a command; `found` is read in the turn in which it was applied. */
  const propose = (command: Command, key: Key, signal: AbortSignal | undefined): Promise<Applied> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => reject(aborted())
      signal?.addEventListener('abort', onAbort, { once: true })
      replica.propose(command, (settled) => {
        signal?.removeEventListener('abort', onAbort)
        if (settled.kind === 'failed') return reject(failedWith(settled.failure))
        const { outcome } = settled
        if (outcome.kind === 'done') return resolve({ kind: 'done', outcome })
        try {
          resolve({ kind: 'refused', outcome, found: readEntry(key) })
        } catch (error) {
          reject(error)
        }
      })
    })

  const put = async (key: Key, value: string, options: PutOptions): Promise<Result<Revision, Conflict>> => {
    const { onlyIf, ttlSeconds, signal } = options
    if (onlyIf?.kind === 'revision' && onlyIf.revision === 0) return conflict(key, readEntry(key))
    if (onlyIf?.kind === 'present' || (onlyIf?.kind === 'value' && onlyIf.value === '')) {
      // An update of a directory would change its time to live; an empty value cannot be compared with.
      const node = readNode(key)
      if (node?.dir === true) throw namesDirectory(key)
      const found = node === undefined ? undefined : entryOf(node)
      if (onlyIf.kind === 'value') {
        if (found?.value !== '') return conflict(key, found)
        return put(key, value, { ...options, onlyIf: { kind: 'revision', revision: found.revision } })
      }
    }
    const deadlineMs = ttlSeconds === undefined ? undefined : replica.nowMs() + ttlSeconds * 1000
    const applied = await propose(writeCommand(pathOf(key), byteStringOf(value), deadlineMs, onlyIf), key, signal)
    if (applied.kind === 'done') {
      const { node } = parseBody(applied.outcome.body)
      if (node.dir === true) throw namesDirectory(key)
      return ok(toRevision(node.modifiedIndex ?? 0))
    }
    switch (applied.outcome.code) {
      case 100:
      case 101:
      case 105:
        return conflict(key, applied.found)
      case 102:
        throw namesDirectory(key)
      case 104:
        throw new KvError('kv/invalid-key', `key ${key} leads through the value ${textOf(applied.outcome.cause)}`, {
          hint: 'choose another key, or remove that value',
        })
      default:
        throw refusedBy(applied.outcome)
    }
  }

  const remove = async (
    key: Key,
    onlyIf: Precondition | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Result<Revision, Conflict>> => {
    if (onlyIf?.kind === 'absent' || (onlyIf?.kind === 'revision' && onlyIf.revision === 0)) {
      return conflict(key, readEntry(key))
    }
    if (onlyIf?.kind === 'value' && onlyIf.value === '') {
      const found = readEntry(key)
      if (found?.value !== '') return conflict(key, found)
      return remove(key, { kind: 'revision', revision: found.revision }, signal)
    }
    const path = pathOf(key)
    const compare = compareOf(onlyIf)
    const command: Command =
      compare === undefined
        ? { kind: 'delete', path, isDirectory: false, isRecursive: false }
        : { kind: 'compare-and-delete', path, compare }
    const applied = await propose(command, key, signal)
    if (applied.kind === 'done') return ok(toRevision(applied.outcome.index))
    const { code } = applied.outcome
    // 102: a directory, which is no entry.
    if (isNothingThere(applied.outcome) || code === 101 || code === 102) return conflict(key, applied.found)
    throw refusedBy(applied.outcome)
  }

  const removeTree = async (prefix: Key, signal: AbortSignal | undefined): Promise<Revision> => {
    const command: Command = { kind: 'delete', path: pathOf(prefix), isDirectory: true, isRecursive: true }
    const applied = await propose(command, prefix, signal)
    if (applied.kind === 'done' || isNothingThere(applied.outcome)) return toRevision(applied.outcome.index)
    throw refusedBy(applied.outcome)
  }

  return {
    range: async (prefix, signal) => {
      checkPrefix(prefix)
      checkOpen(signal)
      const reading = replica.store.read(pathOf(prefix), { isRecursive: true, isSorted: false }, replica.nowMs())
      if (reading.kind === 'refused') {
        if (!isNothingThere(reading)) throw refusedBy(reading)
        return { revision: toRevision(reading.index), entries: [] }
      }
      const revision = toRevision(reading.index)
      let body = ''
      if (reading.kind === 'done') body = reading.body
      else {
        try {
          for (let part = reading.next(); part !== undefined; part = reading.next()) {
            body += part
            await new Promise<void>((resolve) => schedule(resolve))
            checkOpen(signal)
          }
        } finally {
          reading.close()
        }
      }
      const entries = entriesBelow(parseBody(body).node)
      return { revision, entries: entries.sort((left, right) => compareKeys(left.key, right.key)) }
    },
    get: async (key, signal) => {
      checkKey(key)
      checkOpen(signal)
      return readEntry(key)
    },
    put: async (key, value, options = {}) => {
      checkKey(key)
      checkTtl(options.ttlSeconds)
      checkOpen(options.signal)
      return put(key, value, options)
    },
    delete: async (key, options = {}) => {
      checkKey(key)
      checkOpen(options.signal)
      return remove(key, options.onlyIf, options.signal)
    },
    deletePrefix: async (prefix, signal) => {
      checkPrefix(prefix)
      checkOpen(signal)
      if (prefix !== '/') return removeTree(prefix, signal)
      // The root itself stays: one branch after the other, then.
      let revision = toRevision(replica.store.index)
      for (const name of replica.store.childrenOf(pathOf('/')) ?? []) {
        revision = await removeTree(`/${textOf(name)}`, signal)
      }
      return revision
    },
    watch: (prefix, after, signal) => watch({ replica, closed, prefix, after, signal }),
  }
}

type Applied =
  | { readonly kind: 'done'; readonly outcome: Extract<Outcome, { kind: 'done' }> }
  | { readonly kind: 'refused'; readonly outcome: Refused; readonly found: KvEntry | undefined }

type Refused = Extract<Outcome, { kind: 'refused' }>

type WatchOptions = {
  readonly replica: Replica
  readonly closed: AbortSignal
  readonly prefix: Key
  readonly after: Revision
  readonly signal: AbortSignal
}

async function* watch({ replica, closed, prefix, after, signal }: WatchOptions): AsyncGenerator<readonly KvEvent[]> {
  checkPrefix(prefix)
  if (signal.aborted) return
  const { store } = replica
  const path = pathOf(prefix)
  const pending: KvEvent[] = []
  let last: number = after
  let isLost = false
  let wake = (): void => undefined
  const stir = (): void => wake()

  const take = (events: readonly StoreEvent[]): void => {
    for (const { index, body } of events) {
      // A watcher of a node that is removed itself is told twice.
      if (index <= last) continue
      last = index
      const event = eventOf(parseBody(body), prefix)
      if (event !== undefined) pending.push(event)
    }
    if (pending.length > pendingMax) isLost = true
    wake()
  }

  if (store.index < after) {
    throw new KvError('kv/compacted', `the store is at index ${store.index}, before ${after} that was seen already`, {
      hint: 'the store was restored or replaced; read again',
    })
  }
  // What has happened already, one event a look; what is still to happen comes by itself from then on.
  while (last < store.index) {
    const past = store.watch(path, { isRecursive: true, isStream: false, fromIndex: last + 1 }, () => undefined)
    if (past.kind === 'refused') {
      throw new KvError('kv/compacted', `the store does not know what happened after ${after}: ${past.cause}`, {
        hint: 'read again and watch from there',
      })
    }
    const events = past.watcher.take()
    past.watcher.close()
    if (events.length === 0) break
    take(events)
  }
  // Taken while it is applied: the queue of a watcher holds a hundred events, a turn of the store may apply thousands.
  const onWake = (watcher: Watcher): void => take(watcher.take())
  const live = store.watch(path, { isRecursive: true, isStream: true, fromIndex: 0 }, onWake)
  if (live.kind === 'refused') throw refusedBy(live)
  signal.addEventListener('abort', stir, { once: true })
  closed.addEventListener('abort', stir, { once: true })
  try {
    for (;;) {
      if (signal.aborted) return
      if (isLost || live.watcher.isOverrun) {
        throw new KvError('kv/compacted', `the watcher fell ${pendingMax} events behind`, { hint: 'read again' })
      }
      if (pending.length > 0) yield pending.splice(0)
      else if (closed.aborted) throw storeClosed()
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    signal.removeEventListener('abort', stir)
    closed.removeEventListener('abort', stir)
    live.watcher.close()
  }
}

/** Where keys of clients stand in the whole store. */
const pathOf = (key: Key): StorePath => (key === '/' ? '/1' : `/1${byteStringOf(key)}`)

function writeCommand(
  path: StorePath,
  value: ByteString,
  deadlineMs: number | undefined,
  onlyIf: Precondition | undefined,
): Command {
  const isRefresh = false
  if (onlyIf === undefined) return { kind: 'set', path, value, isDirectory: false, deadlineMs, isRefresh }
  if (onlyIf.kind === 'absent') return { kind: 'create', path, value, isDirectory: false, deadlineMs }
  const compare = compareOf(onlyIf)
  if (compare === undefined) return { kind: 'update', path, value, deadlineMs, isRefresh }
  return { kind: 'compare-and-swap', path, value, compare, deadlineMs, isRefresh }
}

function compareOf(onlyIf: Precondition | undefined): Compare | undefined {
  if (onlyIf?.kind === 'value') return { value: byteStringOf(onlyIf.value), index: undefined }
  if (onlyIf?.kind === 'revision') return { value: undefined, index: onlyIf.revision }
  return undefined
}

/** A node in the body of an answer, as the store renders it. */
type WireNode = {
  readonly key?: string
  readonly value?: string
  readonly dir?: boolean
  readonly nodes?: readonly WireNode[]
  readonly modifiedIndex?: number
  readonly ttl?: number
  readonly expiration?: string
}
type WireBody = { readonly action: string; readonly node: WireNode; readonly prevNode?: WireNode }

/** Our own store has rendered it: what it says is not checked again. */
function parseBody(body: ByteString): WireBody {
  const parsed: WireBody = JSON.parse(textOf(body))
  return parsed
}

/** A time to live of 0 is left out, one that is over counts below 0: both are an entry about to go. */
function ttlOf({ ttl, expiration }: WireNode): { readonly ttlSeconds?: number } {
  if (ttl === undefined && expiration === undefined) return {}
  return { ttlSeconds: Math.max(0, ttl ?? 0) }
}

const entryOf = (node: WireNode): KvEntry => ({
  key: node.key ?? '/',
  value: node.value ?? '',
  revision: toRevision(node.modifiedIndex ?? 0),
  ...ttlOf(node),
})

function entriesBelow(top: WireNode): KvEntry[] {
  const entries: KvEntry[] = []
  // No recursion: the depth of a tree is up to whoever writes to the store.
  const open = [...(top.nodes ?? [])]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.dir === true) for (const child of node.nodes ?? []) open.push(child)
    else entries.push(entryOf(node))
  }
  return entries
}

/** What an event means for those below `prefix`; undefined: nothing. */
function eventOf({ action, node, prevNode }: WireBody, prefix: Key): KvEvent | undefined {
  const key = node.key ?? '/'
  const revision = toRevision(node.modifiedIndex ?? 0)
  if (action === 'delete' || action === 'compareAndDelete' || action === 'expire') {
    const expired = action === 'expire'
    if (node.dir === true || prevNode?.dir === true) {
      if (isBelow(prefix, key)) return { type: 'delete-prefix', key, revision, expired }
      // History also gives directories whose path is only a string prefix of ours (/d for /dx).
      const isAbove = key === prefix || isBelow(key, prefix)
      return isAbove ? { type: 'delete-prefix', key: prefix, revision, expired } : undefined
    }
    return isBelow(prefix, key) ? { type: 'delete', key, revision, expired } : undefined
  }
  if (!isBelow(prefix, key)) return undefined
  if (node.dir === true) {
    // A directory that is made or gets another time to live says nothing about values, unless it took a value's place.
    const replacedValue = prevNode !== undefined && prevNode.dir !== true
    return replacedValue ? { type: 'delete', key, revision, expired: false } : undefined
  }
  return { type: 'put', key, value: node.value ?? '', revision, ...ttlOf(node) }
}

/** 100: nothing at the key or on the way; 104: a value on the way. Either way no entry is there. */
const isNothingThere = ({ code }: Refused): boolean => code === 100 || code === 104

const conflict = (key: Key, found: KvEntry | undefined): Result<Revision, Conflict> =>
  err({ kind: 'conflict', key, found })

const namesDirectory = (key: Key): KvError =>
  new KvError('kv/invalid-key', `key ${key} names a directory`, { hint: 'choose another key, or remove the directory' })

const aborted = (): KvError => new KvError('kv/aborted', 'the request was given up by its caller')

const storeClosed = (): KvError =>
  new KvError('kv/unavailable', 'the store in this process has been closed', { hint: 'open it again' })

const refusedBy = ({ code, cause }: Refused): KvError =>
  new KvError('kv/refused', `the store refused with error ${code}: ${textOf(cause)}`)

function failedWith(failure: ProposalFailure): KvError {
  switch (failure) {
    case 'timeout':
    case 'timeout-leader-lost':
    case 'timeout-connection-lost':
      return new KvError('kv/timeout', 'the log did not take the write in time; it may still do so')
    case 'stopped':
      return new KvError('kv/timeout', 'the store ended before the write was answered; it may have been written')
    case 'no-space':
      return new KvError('kv/refused', 'the disk of the store has no room left', { hint: 'make room, or delete keys' })
    case 'too-many':
      return new KvError('kv/unavailable', 'too many writes wait for the disk already', { hint: 'write fewer at once' })
    case 'too-large':
      return new KvError('kv/refused', 'the value is larger than an entry of the log may be', {
        hint: 'store less in one key',
      })
    default:
      return failure satisfies never
  }
}
