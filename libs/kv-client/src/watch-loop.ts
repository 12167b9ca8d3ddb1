/**
 * A watch as one long poll after the other. Each asks for what follows the last event, so that a cut loses nothing; a
 * second request now and then finds out whether the server at the other end still lives.
 *
 * The index to ask from moves with events only. It could follow the store's index while a prefix is quiet, so that it
 * never falls out of etcd's thousand events; but no sign on the wire proves that the last event below the prefix had
 * come through before a cut. So history may be gone after a cut, and then the caller reads again.
 *
 * @see spec/etcd-v2.md §2
 */
import { type FetchResponse, readText } from '@cluster/http'
import { type Key, KvError, type KvEvent, type Revision } from '@cluster/kv'
import type { Clock, Random } from '@cluster/prelude'
import type { Endpoint } from './endpoints.ts'
import { type Answer, decodeAnswer, eventOf, indexHeader } from './etcd2-codec.ts'
import { type Connection, clusterIdOf, exchange, fetchFollowing, invalidAnswer, toKvError } from './exchange.ts'

export type WatchOptions = {
  readonly connection: Connection
  readonly clock: Clock
  readonly random: Random
  /** The path of the prefix on the server, escaped: `/v2/keys/a`. */
  readonly path: string
  /** The prefix as the server knows it. */
  readonly prefix: Key
  readonly after: Revision
  /** How often to see whether a quiet server still lives. */
  readonly probeMs: number
  readonly signal: AbortSignal
  /** The cluster that the revision came from, as far as known. */
  readonly clusterId: string | undefined
}

/** More than this between two turns of the caller, and it is told to read again. */
const pendingMax = 100_000
const failuresInRowMax = 5
const backOff = { firstMs: 50, longestMs: 2000 }

/**
 * Events below the prefix, keys as on the wire; returns when the signal fires.
 *
 * @throws KvError `kv/compacted`; `kv/unavailable`, `kv/timeout`, `kv/invalid-answer`, `kv/refused` when no endpoint serves
 */
export async function* watchLoop(options: WatchOptions): AsyncGenerator<readonly KvEvent[], void, undefined> {
  const stopping = new AbortController()
  const onAbort = (): void => stopping.abort()
  if (options.signal.aborted) return
  options.signal.addEventListener('abort', onAbort, { once: true })

  // Polls go on while the caller is busy, so that a burst does not outrun etcd's history.
  const pending: KvEvent[] = []
  let wake = (): void => undefined
  let ended: { readonly error: unknown } | undefined
  const pump = poll({ ...options, signal: stopping.signal }, (event) => {
    pending.push(event)
    if (pending.length > pendingMax) {
      throw new KvError('kv/compacted', `the watcher fell ${pendingMax} events behind`, { hint: 'read again' })
    }
    wake()
  }).catch((error: unknown) => {
    ended = { error }
    wake()
  })
  stopping.signal.addEventListener('abort', () => wake())
  try {
    while (!stopping.signal.aborted) {
      if (pending.length > 0) yield pending.splice(0)
      else if (ended !== undefined) throw ended.error
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    options.signal.removeEventListener('abort', onAbort)
    stopping.abort()
    await pump
  }
}

async function poll(options: WatchOptions, emit: (event: KvEvent) => void): Promise<void> {
  const { connection, clock, random, prefix, signal } = options
  let next = options.after + 1
  let failuresInRow = 0
  while (!signal.aborted) {
    const openedAtMs = clock.monotonicMs()
    const opened = await openPoll(options, next)
    const outcome = await finishPoll(options, opened)
    if (signal.aborted) return
    if (outcome.kind === 'event') {
      connection.endpoints.succeeded(opened.endpoint)
      failuresInRow = 0
      next = outcome.answer.node.modifiedIndex + 1
      const event = eventOf(outcome.answer, prefix)
      if (event !== undefined) emit(event)
      continue
    }
    // A poll that lasted was a good one, whatever ended it.
    if (clock.monotonicMs() - openedAtMs > backOff.longestMs) failuresInRow = 0
    failuresInRow += 1
    connection.endpoints.failed(opened.endpoint)
    connection.log.debug('watch cut', { prefix, endpoint: opened.endpoint, reason: outcome.error.message, next })
    if (failuresInRow >= failuresInRowMax) throw outcome.error
    const longestMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** (failuresInRow - 1))
    await clock.sleep(longestMs * (0.5 + random.next() / 2), signal)
  }
}

type Opened = { readonly endpoint: Endpoint; readonly response: FetchResponse; readonly cut: AbortController }

/** A poll that some server has taken up: its head has come. Asks all endpoints once. */
async function openPoll(options: WatchOptions, next: number): Promise<Opened> {
  const { connection, path, signal, clusterId } = options
  const target = `${path}?wait=true&recursive=true&waitIndex=${next}`
  let failure: KvError | undefined
  for (const endpoint of connection.endpoints.inOrder()) {
    const cut = new AbortController()
    const onAbort = (): void => cut.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    cut.signal.addEventListener('abort', () => signal.removeEventListener('abort', onAbort), { once: true })
    try {
      const request = { method: 'GET', target, signal: cut.signal, idleTimeoutMs: Number.POSITIVE_INFINITY } as const
      const response = await fetchFollowing(connection, endpoint, request)
      if (response.status !== 200) throw await refusal(endpoint, response)
      const answering = clusterIdOf(response.headers)
      if (clusterId !== undefined && answering !== undefined && answering !== clusterId) {
        throw new KvError('kv/compacted', `${endpoint} belongs to another cluster than the revision ${next - 1}`)
      }
      const index = indexHeader(response.headers)
      if (index === undefined) throw invalidAnswer(endpoint, 'a watch without a valid X-Etcd-Index')
      if (index < next - 1) await checkNotRewound(options, next - 1)
      return { endpoint, response, cut }
    } catch (error) {
      cut.abort()
      const failed = toKvError(error, endpoint)
      if (failed.code === 'kv/aborted' || failed.code === 'kv/compacted' || failed.code === 'kv/refused') throw failed
      connection.endpoints.failed(endpoint)
      failure = worse(failure, failed)
    }
  }
  throw failure ?? new KvError('kv/unavailable', 'there is no endpoint')
}

/** Of two failures the one that tells more: nonsense, then silence, then absence. */
function worse(one: KvError | undefined, other: KvError): KvError {
  const rank = (error: KvError): number => ['kv/unavailable', 'kv/timeout', 'kv/invalid-answer'].indexOf(error.code)
  return one === undefined || rank(other) > rank(one) ? other : one
}

async function refusal(endpoint: Endpoint, response: FetchResponse): Promise<KvError> {
  const text = await readText(response.body, { sizeBytesMax: 1024 * 1024 })
  const decoded = decodeAnswer(response.status, response.headers, text)
  if (!decoded.ok) return invalidAnswer(endpoint, decoded.error.found)
  const answer = decoded.value
  if (answer.kind === 'done') return invalidAnswer(endpoint, `status ${response.status} to a watch`)
  if (answer.errorCode === 401)
    return new KvError('kv/compacted', `${endpoint}: ${answer.cause}`, { hint: 'read again' })
  if (response.status >= 500) return new KvError('kv/unavailable', `${endpoint} could not watch: ${answer.reason}`)
  return new KvError('kv/refused', `${endpoint} refused to watch: ${answer.reason}`, {
    hint: 'check user, password and rights',
  })
}

/**
 * A server whose index is below what was seen elsewhere either lags behind, and will come to it, or its store was
 * replaced by an older or empty one. A read through consensus tells: it cannot lag.
 */
async function checkNotRewound({ connection, path, signal }: WatchOptions, seen: number): Promise<void> {
  const { answer, endpoint } = await exchange(connection, { method: 'GET', target: `${path}?quorum=true`, signal })
  if (answer.index >= seen) return
  throw new KvError('kv/compacted', `${endpoint} is at index ${answer.index}, before ${seen} that was seen already`, {
    hint: 'the store was restored or replaced; read again',
  })
}

type PollOutcome =
  | { readonly kind: 'event'; readonly answer: Answer & { kind: 'done' } }
  | { readonly kind: 'cut'; readonly error: KvError }

/** Waits for the event of an open poll, as long as its server lives. */
async function finishPoll(options: WatchOptions, { endpoint, response, cut }: Opened): Promise<PollOutcome> {
  let dead: KvError | undefined
  const done = new AbortController()
  const probing = probe(options, endpoint, done.signal).then((error) => {
    dead = error
    if (error !== undefined) cut.abort()
  })
  try {
    const text = await readText(response.body, { sizeBytesMax: 64 * 1024 * 1024 })
    // A server that ends closes its polls with nothing in them.
    if (text === '') return { kind: 'cut', error: new KvError('kv/unavailable', `${endpoint} ended the watch`) }
    const decoded = decodeAnswer(response.status, response.headers, text)
    if (!decoded.ok) return { kind: 'cut', error: invalidAnswer(endpoint, decoded.error.found) }
    if (decoded.value.kind === 'done') return { kind: 'event', answer: decoded.value }
    return { kind: 'cut', error: invalidAnswer(endpoint, decoded.value.reason) }
  } catch (error) {
    return { kind: 'cut', error: dead ?? toKvError(error, endpoint) }
  } finally {
    done.abort()
    cut.abort()
    await probing
  }
}

/** Returns why the server counts as dead, or nothing when the signal fires. */
async function probe(options: WatchOptions, endpoint: Endpoint, signal: AbortSignal): Promise<KvError | undefined> {
  const { connection, clock, path, probeMs } = options
  for (;;) {
    await clock.sleep(probeMs, signal)
    if (signal.aborted) return undefined
    try {
      const { requestTimeoutMs } = connection
      const request = { method: 'HEAD', target: path, signal, idleTimeoutMs: requestTimeoutMs } as const
      const response = await fetchFollowing(connection, endpoint, request)
      await readText(response.body)
    } catch (error) {
      return signal.aborted ? undefined : toKvError(error, endpoint)
    }
  }
}
