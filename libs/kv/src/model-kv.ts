/**
 * The port in memory: the oracle for adapters, the store for tests of services. Time is the clock it is given.
 * Directories are kept as etcd keeps them: made by the first put below, gone only with `deletePrefix`.
 */
import { type Clock, err, isClusterError, ok, type Result } from '@cluster/prelude'
import { KvError } from './errors.ts'
import { checkKey, checkPrefix, checkTtl, compareEntries, directoriesOf, isBelow, wellFormed } from './key.ts'
import type { Conflict, DeleteOptions, Key, Kv, KvEntry, KvEvent, KvSnapshot, PutOptions, Revision } from './kv.ts'
import { preconditionHolds } from './precondition.ts'
import { toRevision } from './revision.ts'

export type ModelKvOptions = {
  readonly clock: Clock
  /** Events kept for watches that start in the past. Default 1000. */
  readonly historyMax?: number
  /** How long a request on a slow or frozen store waits before it ends with `kv/timeout`. Default 1000. */
  readonly requestTimeoutMs?: number
}

/** One connection to a model store. Faults of a connection are its own; the store's are shared by all connections. */
export type ModelKv = Kv &
  AsyncDisposable & {
    /** Another connection to the same store, with faults of its own. */
    readonly connect: () => ModelKv
    /** Cuts this connection off: requests and watches end with `kv/unavailable`. The store lives on, keys expire. */
    readonly setUnavailable: (unavailable: boolean) => void
    /**
     * Delays each request on this connection. From the request timeout on, requests end with `kv/timeout`, and
     * writes happen all the same.
     */
    readonly setSlow: (delayMs: number) => void
    /**
     * Stops the store itself: requests on all connections end with `kv/timeout`, nothing expires. On `thaw` what is
     * overdue expires and the writes that were sent meanwhile happen, in order.
     */
    readonly freeze: () => void
    readonly thaw: () => void
    /** Forgets all history: a watch from before now gets `kv/compacted`. Watches that run go on. */
    readonly compact: () => void
    /** The store's latest revision. */
    readonly revision: () => Revision
  }

/** A connection to a new, empty store. Disposing of any connection stops the store's timer for expiry. */
export const createModelKv = (options: ModelKvOptions): ModelKv => new Connection(new Store(options))

type Stored = { readonly entry: KvEntry; readonly deadlineMs: number | undefined }
type Watcher = { readonly prefix: Key; readonly pending: KvEvent[]; wake: () => void }
type WithoutRevision<T> = T extends KvEvent ? Omit<T, 'revision'> : never

class Store {
  readonly clock: Clock
  readonly requestTimeoutMs: number
  readonly watchers = new Set<Watcher>()
  frozen = false
  revision = toRevision(0)
  readonly #historyMax: number
  readonly #entries = new Map<Key, Stored>()
  readonly #directories = new Set<Key>()
  readonly #history: KvEvent[] = []
  readonly #overdueWrites: (() => void)[] = []
  #forgotten = 0
  #closed = false
  #alarm: { readonly deadlineMs: number; readonly abort: AbortController } | undefined

  constructor({ clock, historyMax = 1000, requestTimeoutMs = 1000 }: ModelKvOptions) {
    this.clock = clock
    this.#historyMax = historyMax
    this.requestTimeoutMs = requestTimeoutMs
  }

  range(prefix: Key): KvSnapshot {
    this.#expire()
    const entries = [...this.#entries.values()].filter(({ entry }) => isBelow(prefix, entry.key))
    return { revision: this.revision, entries: entries.map((stored) => this.#shown(stored)).sort(compareEntries) }
  }

  get(key: Key): KvEntry | undefined {
    this.#expire()
    const stored = this.#entries.get(key)
    return stored === undefined ? undefined : this.#shown(stored)
  }

  put(key: Key, value: string, { onlyIf, ttlSeconds }: PutOptions): Result<Revision, Conflict> {
    const found = this.get(key)
    const blocking = directoriesOf(key).find((directory) => this.#entries.has(directory))
    if (blocking !== undefined) throw new KvError('kv/invalid-key', `key ${key} leads through the value ${blocking}`)
    if (this.#directories.has(key)) {
      // As in etcd: a directory is in the way of a create, and an error for everything else.
      if (onlyIf?.kind === 'absent') return conflict(key, undefined)
      throw new KvError('kv/invalid-key', `key ${key} names a directory`)
    }
    if (!preconditionHolds(onlyIf, found)) return conflict(key, found)
    for (const directory of directoriesOf(key)) this.#directories.add(directory)
    const put: WithoutRevision<KvEvent> = { type: 'put', key, value: wellFormed(value), ...onlyTtl(ttlSeconds) }
    const revision = this.#record(put)
    const deadlineMs = ttlSeconds === undefined ? undefined : this.clock.monotonicMs() + ttlSeconds * 1000
    this.#entries.set(key, { entry: { key, value: put.value, revision }, deadlineMs })
    this.#setAlarm()
    return ok(revision)
  }

  delete(key: Key, { onlyIf }: DeleteOptions): Result<Revision, Conflict> {
    const found = this.get(key)
    if (found === undefined || !preconditionHolds(onlyIf, found)) return conflict(key, found)
    this.#entries.delete(key)
    return ok(this.#record({ type: 'delete', key, expired: false }))
  }

  deletePrefix(prefix: Key): Revision {
    this.#expire()
    if (prefix === '/') {
      const tops = new Set([...this.#directories, ...this.#entries.keys()].map((key) => topOf(key)))
      for (const top of tops) this.deletePrefix(top)
    } else if (this.#entries.delete(prefix)) {
      this.#record({ type: 'delete', key: prefix, expired: false })
    } else if (this.#directories.has(prefix)) {
      for (const keys of [this.#directories, this.#entries]) {
        for (const key of keys.keys()) if (key === prefix || isBelow(prefix, key)) keys.delete(key)
      }
      this.#record({ type: 'delete-prefix', key: prefix, expired: false })
    }
    return this.revision
  }

  watch(watcher: Watcher, after: Revision): void {
    this.#expire()
    if (after < this.#forgotten) {
      throw new KvError(
        'kv/compacted',
        `history up to revision ${this.#forgotten} is gone, asked for what follows ${after}`,
      )
    }
    for (const event of this.#history) if (event.revision > after) tell(watcher, event)
    this.watchers.add(watcher)
  }

  compact(): void {
    this.#history.length = 0
    this.#forgotten = this.revision
  }

  writeAfterThaw(write: () => void): void {
    this.#overdueWrites.push(write)
  }

  thaw(): void {
    this.frozen = false
    this.#expire()
    // Nobody waits for these any more: what they would have been refused for is lost with them.
    for (const write of this.#overdueWrites.splice(0)) {
      try {
        write()
      } catch (error) {
        if (!isClusterError(error)) throw error
      }
    }
  }

  wakeWatchers(): void {
    for (const watcher of this.watchers) watcher.wake()
  }

  close(): void {
    this.#closed = true
    this.#alarm?.abort.abort()
  }

  #shown({ entry, deadlineMs }: Stored): KvEntry {
    if (deadlineMs === undefined) return entry
    return { ...entry, ttlSeconds: Math.ceil((deadlineMs - this.clock.monotonicMs()) / 1000) }
  }

  #record(what: WithoutRevision<KvEvent>): Revision {
    this.revision = toRevision(this.revision + 1)
    const event: KvEvent = { ...what, revision: this.revision }
    this.#history.push(event)
    if (this.#history.length > this.#historyMax) this.#forgotten = this.#history.shift()?.revision ?? this.#forgotten
    for (const watcher of this.watchers) tell(watcher, event)
    return this.revision
  }

  #expire(): void {
    if (this.frozen) return
    const nowMs = this.clock.monotonicMs()
    const overdue = [...this.#entries.values()].flatMap(({ entry, deadlineMs }) =>
      deadlineMs !== undefined && deadlineMs <= nowMs ? [{ key: entry.key, deadlineMs }] : [],
    )
    for (const { key } of overdue.sort((left, right) => left.deadlineMs - right.deadlineMs)) {
      this.#entries.delete(key)
      this.#record({ type: 'delete', key, expired: true })
    }
    this.#setAlarm()
  }

  /** One sleeper, for the next deadline. */
  #setAlarm(): void {
    let deadlineMs = Number.POSITIVE_INFINITY
    for (const stored of this.#entries.values()) deadlineMs = Math.min(deadlineMs, stored.deadlineMs ?? deadlineMs)
    if (this.#closed || this.#alarm?.deadlineMs === deadlineMs) return
    this.#alarm?.abort.abort()
    this.#alarm = undefined
    if (deadlineMs === Number.POSITIVE_INFINITY) return
    const alarm = { deadlineMs, abort: new AbortController() }
    this.#alarm = alarm
    void this.clock.sleep(deadlineMs - this.clock.monotonicMs(), alarm.abort.signal).then(() => {
      if (this.#alarm !== alarm) return
      this.#alarm = undefined
      this.#expire()
    })
  }
}

class Connection implements ModelKv {
  readonly #store: Store
  #unavailable = false
  #delayMs = 0

  constructor(store: Store) {
    this.#store = store
  }

  async range(prefix: Key, signal?: AbortSignal): Promise<KvSnapshot> {
    checkPrefix(prefix)
    return this.#request('read', () => this.#store.range(prefix), signal)
  }

  async get(key: Key, signal?: AbortSignal): Promise<KvEntry | undefined> {
    checkKey(key)
    return this.#request('read', () => this.#store.get(key), signal)
  }

  async put(key: Key, value: string, options: PutOptions = {}): Promise<Result<Revision, Conflict>> {
    checkKey(key)
    checkTtl(options.ttlSeconds)
    return this.#request('write', () => this.#store.put(key, value, options), options.signal)
  }

  async delete(key: Key, options: DeleteOptions = {}): Promise<Result<Revision, Conflict>> {
    checkKey(key)
    return this.#request('write', () => this.#store.delete(key, options), options.signal)
  }

  async deletePrefix(prefix: Key, signal?: AbortSignal): Promise<Revision> {
    checkPrefix(prefix)
    return this.#request('write', () => this.#store.deletePrefix(prefix), signal)
  }

  async *watch(prefix: Key, after: Revision, signal: AbortSignal): AsyncGenerator<readonly KvEvent[], void, undefined> {
    checkPrefix(prefix)
    const watcher: Watcher = { prefix, pending: [], wake: () => undefined }
    const wake = (): void => watcher.wake()
    signal.addEventListener('abort', wake)
    try {
      await this.#request('read', () => this.#store.watch(watcher, after), signal)
      while (!signal.aborted) {
        if (this.#unavailable) throw unavailable()
        if (this.#store.frozen) await this.#waitFrozen(signal)
        else if (watcher.pending.length > 0) yield watcher.pending.splice(0)
        else await new Promise<void>((resolve) => Object.assign(watcher, { wake: resolve }))
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', wake)
      this.#store.watchers.delete(watcher)
    }
  }

  connect(): ModelKv {
    return new Connection(this.#store)
  }

  setUnavailable(isUnavailable: boolean): void {
    this.#unavailable = isUnavailable
    this.#store.wakeWatchers()
  }

  setSlow(delayMs: number): void {
    this.#delayMs = delayMs
  }

  freeze(): void {
    this.#store.frozen = true
    this.#store.wakeWatchers()
  }

  thaw(): void {
    this.#store.thaw()
  }

  compact(): void {
    this.#store.compact()
  }

  revision(): Revision {
    return this.#store.revision
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#store.close()
  }

  async #request<T>(effect: 'read' | 'write', act: () => T, signal: AbortSignal | undefined): Promise<T> {
    throwIfAborted(signal)
    if (this.#unavailable) throw unavailable()
    if (this.#store.frozen) {
      if (effect === 'write') this.#store.writeAfterThaw(act)
      await this.#waitFrozen(signal)
    }
    if (this.#delayMs > 0) {
      const timeoutMs = this.#store.requestTimeoutMs
      const isTooSlow = this.#delayMs >= timeoutMs
      await this.#store.clock.sleep(Math.min(this.#delayMs, timeoutMs), signal)
      throwIfAborted(signal)
      if (isTooSlow) {
        if (effect === 'write') act()
        throw timedOut(timeoutMs)
      }
    }
    return act()
  }

  /** A frozen store answers nothing: the request timeout passes, whether it thaws meanwhile or not. */
  async #waitFrozen(signal: AbortSignal | undefined): Promise<never> {
    await this.#store.clock.sleep(this.#store.requestTimeoutMs, signal)
    throwIfAborted(signal)
    throw timedOut(this.#store.requestTimeoutMs)
  }
}

const topOf = (key: Key): Key => directoriesOf(key)[0] ?? key

const onlyTtl = (ttlSeconds: number | undefined): { readonly ttlSeconds?: number } =>
  ttlSeconds === undefined ? {} : { ttlSeconds }

const conflict = (key: Key, found: KvEntry | undefined): Result<Revision, Conflict> =>
  err({ kind: 'conflict', key, found })

/** Hands the event to the watcher if it concerns its prefix, seen from that prefix. */
function tell(watcher: Watcher, event: KvEvent): void {
  if (isBelow(watcher.prefix, event.key)) watcher.pending.push(event)
  else if (event.type !== 'delete-prefix') return
  else if (event.key !== watcher.prefix && !isBelow(event.key, watcher.prefix)) return
  else watcher.pending.push({ ...event, key: watcher.prefix })
  watcher.wake()
}

const unavailable = (): KvError =>
  new KvError('kv/unavailable', 'the model store is cut off', { hint: 'a test asked for this: setUnavailable(false)' })

const timedOut = (timeoutMs: number): KvError =>
  new KvError('kv/timeout', `the model store did not answer within ${timeoutMs} ms`, {
    hint: 'a test asked for this: setSlow(0) or thaw()',
  })

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new KvError('kv/aborted', 'the caller gave up the request')
}
