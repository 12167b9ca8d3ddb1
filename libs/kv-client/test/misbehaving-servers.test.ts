import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { systemClock } from '@cluster/daemon/system'
import {
  emptyResponse,
  type Handler,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  jsonResponse,
  readText,
  serve,
  textResponse,
} from '@cluster/http'
import { type KvEvent, toRevision } from '@cluster/kv'
import { isClusterError, seededRandom } from '@cluster/prelude'
import { afterEach, describe, expect, it } from 'vitest'
import { connectEtcd2, type Etcd2ConnectOptions } from '../src/index.ts'

const toStop: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

async function listen(handler: Handler): Promise<string> {
  const listener = await serve(handler, { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
  toStop.push(() => listener.close(0))
  return listener.url
}

/** A server below HTTP: does with each connection what the test says. */
async function listenRaw(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  toStop.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
}

async function nobody(): Promise<string> {
  const listener = await serve(() => emptyResponse(204), { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
  await listener.close(0)
  return listener.url
}

function connect(endpoints: readonly string[], options: Partial<Etcd2ConnectOptions> = {}) {
  // The first number decides which endpoint is asked first: here always the first.
  const random = { next: () => 0 }
  const kv = connectEtcd2({ endpoints, requestTimeoutMs: 150, clock: systemClock, random, ...options })
  toStop.push(() => kv[Symbol.asyncDispose]())
  return kv
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error) => (isClusterError(error) ? error.code : String(error)),
  )

const etcdHeaders = (index: number) => [['X-Etcd-Index', String(index)]] as const
const good = (index = 7): HttpResponse =>
  jsonResponse(
    200,
    { action: 'set', node: { key: '/a', value: 'x', modifiedIndex: index, createdIndex: index } },
    etcdHeaders(index),
  )
const refusing = (status: number, errorCode: number, message: string, cause = ''): HttpResponse =>
  jsonResponse(status, { errorCode, message, cause, index: 7 }, etcdHeaders(7))
const frozen = () => listenRaw(() => undefined)

describe('a server that talks nonsense', () => {
  it.each<[string, () => HttpResponse]>([
    ['garbage', () => textResponse(200, 'hello')],
    [
      'a page',
      () => ({ status: 200, headers: [['Content-Type', 'text/html']], body: '<html><body>It works!</body></html>' }),
    ],
    ['a page that is not found', () => textResponse(404, '404 page not found')],
    ['nothing', () => emptyResponse(200)],
    [
      'wrong types',
      () => jsonResponse(200, { action: 'get', node: { key: '/a', value: 5, modifiedIndex: 'x' } }, etcdHeaders(7)),
    ],
    ['no index', () => jsonResponse(200, { action: 'get', node: { key: '/a', value: '', modifiedIndex: 1 } })],
    ['an error without a code', () => jsonResponse(404, { message: 'no' })],
    ['500 in plain text', () => textResponse(500, 'Internal Server Error')],
    ['another protocol version', () => jsonResponse(200, { header: {}, kvs: [] }, etcdHeaders(7))],
  ])('such as %s is named, with what was found', async (_, answer) => {
    const url = await listen(answer)
    const kv = connect([url])
    const reading = kv.range('/').catch((error: unknown) => error)
    const writing = kv.put('/a', 'x').catch((error: unknown) => error)
    const naming = {
      code: 'kv/invalid-answer',
      message: expect.stringContaining(url),
      hint: expect.stringContaining('--enable-v2'),
    }
    expect(await reading).toMatchObject(naming)
    expect(await writing).toMatchObject(naming)
    expect(await codeOf(kv.get('/a'))).toBe('kv/invalid-answer')
    expect(await codeOf(kv.delete('/a'))).toBe('kv/invalid-answer')
    expect(await codeOf(kv.deletePrefix('/a'))).toBe('kv/invalid-answer')
  })

  it.each<[string, (socket: Socket) => void, string]>([
    ['not HTTP', (socket) => socket.end('SSH-2.0\r\n'), 'kv/invalid-answer'],
    ['half a head', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-'), 'kv/timeout'],
    [
      'half a body, then nothing',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"action'),
      'kv/timeout',
    ],
    [
      'half a body, then the end',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"action'),
      'kv/timeout',
    ],
    ['nothing at all', () => undefined, 'kv/timeout'],
    ['a cut', (socket) => socket.destroy(), 'kv/timeout'],
  ])('or sends %s', async (_, behave, code) => {
    const kv = connect([await listenRaw((socket) => socket.on('data', () => behave(socket)))])
    expect(await codeOf(kv.range('/'))).toBe(code)
    expect(await codeOf(kv.put('/a', 'x'))).toBe(code)
  })
})

describe('a server that refuses', () => {
  it.each<[string, HttpResponse, string]>([
    [
      'rights',
      refusing(401, 110, 'The request requires user authentication', 'Insufficient credentials'),
      'kv/refused',
    ],
    ['a field', refusing(400, 209, 'Invalid field'), 'kv/refused'],
    ['a directory', refusing(403, 102, 'Not a file', '/a'), 'kv/invalid-key'],
    ['a value on the way', refusing(400, 104, 'Not a directory', '/a'), 'kv/invalid-key'],
    ['no leader', refusing(500, 300, 'Raft Internal Error', 'etcdserver: request timed out'), 'kv/timeout'],
    ['a proxy with nobody behind', textResponse(503, 'zero endpoints'), 'kv/timeout'],
  ])('%s', async (_, answer, code) => {
    const kv = connect([await listen(() => answer)])
    expect(await codeOf(kv.put('/a', 'x'))).toBe(code)
  })

  it('is not asked to take what it cannot', async () => {
    const kv = connect([await listen(() => good())])
    expect(await codeOf(kv.put('/a', 'x'.repeat(10 * 1024 * 1024 + 1)))).toBe('kv/refused')
  })
})

describe('several endpoints', () => {
  it('are asked in turn until one can be reached, also for writes', async () => {
    const kv = connect([await nobody(), await nobody(), await listen(() => good())])
    expect(await kv.put('/a', 'x', { onlyIf: { kind: 'absent' } })).toEqual({ ok: true, value: 7 })
    expect(await kv.get('/a')).toMatchObject({ value: 'x' })
  })

  it('are asked in turn until one answers with sense, for reads', async () => {
    const endpoints = [await frozen(), await listen(() => textResponse(200, '<html>')), await listen(() => good())]
    expect(await connect(endpoints).get('/a')).toMatchObject({ value: 'x' })
  })

  it('do not hear a write twice that may have arrived', async () => {
    let writes = 0
    const counting = await listen(() => {
      writes += 1
      return good()
    })
    expect(await codeOf(connect([await frozen(), counting]).put('/a', 'x'))).toBe('kv/timeout')
    const nonsense = await listen(() => textResponse(200, '<html>'))
    expect(await codeOf(connect([nonsense, counting]).put('/a', 'x'))).toBe('kv/invalid-answer')
    const failing = await listen(() => refusing(500, 300, 'Raft Internal Error'))
    expect(await codeOf(connect([failing, counting]).put('/a', 'x'))).toBe('kv/timeout')
    expect(writes).toBe(0)
  })

  it('are left alone for a while after they failed', async () => {
    let asked = 0
    const failing = await listen(() => {
      asked += 1
      return textResponse(503, 'later')
    })
    const kv = connect([failing, await listen(() => good())], { random: { next: () => 0.4 } })
    for (let count = 0; count < 5; count++) await kv.get('/a')
    expect(asked).toBe(1)
  })

  it('that all fail are all named', async () => {
    const endpoints = [await nobody(), await nobody()]
    const error = await connect(endpoints)
      .range('/')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'kv/unavailable', hint: expect.stringContaining(endpoints.join(', ')) })
  })
})

describe('redirects', () => {
  it('are followed with method and body', async () => {
    const leader = await listen(async (request) => {
      const body = await readText(request.body)
      return body === 'value=x%20y' && request.method === 'PUT' ? good(9) : textResponse(200, 'lost on the way')
    })
    const follower = await listen((request) => emptyResponse(307, [['Location', leader + request.target]]))
    expect(await connect([follower]).put('/a', 'x y')).toEqual({ ok: true, value: 9 })
  })

  it('take the password to endpoints only', async () => {
    const seen: (string | undefined)[] = []
    const answer = (request: HttpRequest) => {
      seen.push(headerOf(request.headers, 'authorization'))
      return good()
    }
    const known = await listen(answer)
    const stranger = await listen(answer)
    for (const target of [known, stranger]) {
      const redirecting = await listen((request) => emptyResponse(307, [['Location', target + request.target]]))
      await connect([redirecting, known], { username: 'fleet', password: 'pa:ss' }).get('/a')
    }
    expect(seen).toEqual([`Basic ${Buffer.from('fleet:pa:ss').toString('base64')}`, undefined])
  })

  it.each<[string, (request: HttpRequest) => string]>([
    ['in circles', (request) => request.target],
    ['nowhere', () => 'http://'],
  ])('that lead %s end', async (_, location) => {
    const url = await listen((request) => emptyResponse(307, [['Location', location(request)]]))
    expect(await codeOf(connect([url]).get('/a'))).toBe('kv/invalid-answer')
  })
})

describe('a watch', () => {
  type Poll = { readonly waitIndex: number; readonly request: HttpRequest }

  /** A server whose polls are answered by the test; everything else is a read at `index`. */
  async function pollServer(answer: (poll: Poll) => HttpResponse | Promise<HttpResponse>, index = 7): Promise<string> {
    return listen((request) => {
      const waitIndex = request.query.get('waitIndex')
      if (waitIndex === null) {
        const node = { key: '/p', dir: true, modifiedIndex: 1 }
        return jsonResponse(200, { action: 'get', node }, etcdHeaders(index))
      }
      return answer({ waitIndex: Number(waitIndex), request })
    })
  }
  const event = (index: number, storeIndex = index): HttpResponse =>
    jsonResponse(
      200,
      { action: 'set', node: { key: '/p/a', value: String(index), modifiedIndex: index, createdIndex: index } },
      etcdHeaders(storeIndex),
    )
  const quiet = (request: HttpRequest, index: number): HttpResponse => ({
    status: 200,
    headers: etcdHeaders(index),
    body: (async function* () {
      yield ''
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
    })(),
  })
  async function take(batches: AsyncIterable<readonly KvEvent[]>, count: number): Promise<readonly KvEvent[]> {
    const events: KvEvent[] = []
    for await (const batch of batches) {
      events.push(...batch)
      if (events.length >= count) break
    }
    return events
  }
  const forever = new AbortController().signal
  const revisions = (events: readonly KvEvent[]) => events.map(({ revision }) => revision)

  it('goes on after an empty answer, a cut one and nonsense, where it was', async () => {
    const asked: number[] = []
    const url = await pollServer(({ waitIndex }) => {
      asked.push(waitIndex)
      if (asked.length === 1) return event(8)
      if (asked.length === 2) return { status: 200, headers: etcdHeaders(8), body: '' }
      if (asked.length === 3) {
        const broken = async function* () {
          yield '{"action":'
          throw new Error('cut')
        }
        return { status: 200, headers: etcdHeaders(8), body: broken() }
      }
      if (asked.length === 4) return { status: 200, headers: etcdHeaders(8), body: '<html>' }
      return event(9)
    })
    expect(revisions(await take(connect([url]).watch('/p', toRevision(7), forever), 2))).toEqual([8, 9])
    expect(asked.slice(0, 5)).toEqual([8, 9, 9, 9, 9])
  })

  it('moves to another endpoint when the server freezes under it', async () => {
    let isFrozen = false
    const freezing = await listen((request) => {
      if (request.query.has('wait')) {
        isFrozen = true
        return quiet(request, 7)
      }
      // The probe is never answered.
      return isFrozen ? new Promise(() => undefined) : good()
    })
    const other = await pollServer(() => event(8))
    const kv = connect([freezing, other], { probeMs: 20, requestTimeoutMs: 100 })
    expect(revisions(await take(kv.watch('/p', toRevision(7), forever), 1))).toEqual([8])
  })

  it('stays with a quiet server that lives', async () => {
    let polls = 0
    let probes = 0
    let end = (): void => undefined
    const probed = new Promise<void>((resolve) => {
      end = resolve
    })
    const url = await listen(async (request) => {
      if (request.method === 'HEAD') {
        probes += 1
        if (probes === 5) end()
        return emptyResponse(404, etcdHeaders(7))
      }
      polls += 1
      const body = (async function* () {
        await probed
        const answer = event(8).body
        if (typeof answer === 'string') yield answer
      })()
      return polls === 1 ? { status: 200, headers: etcdHeaders(7), body } : quiet(request, 8)
    })
    const kv = connect([url], { probeMs: 10 })
    expect(revisions(await take(kv.watch('/p', toRevision(7), forever), 1))).toEqual([8])
    expect(probes).toBeGreaterThanOrEqual(5)
  })

  it.each<[string, () => Promise<string>, string]>([
    ['nobody is there', nobody, 'kv/unavailable'],
    ['nobody answers', frozen, 'kv/timeout'],
    ['every answer is nonsense', () => listen(() => textResponse(200, 'x')), 'kv/invalid-answer'],
    [
      'rights are missing',
      () => listen(() => refusing(401, 110, 'The request requires user authentication')),
      'kv/refused',
    ],
    [
      'history is gone',
      () =>
        listen(() =>
          refusing(
            400,
            401,
            'The event in requested index is outdated and cleared',
            'the requested history has been cleared [900/8]',
          ),
        ),
      'kv/compacted',
    ],
  ])('ends with an error when %s', async (_, server, code) => {
    expect(await codeOf(take(connect([await server()]).watch('/p', toRevision(7), forever), 1))).toBe(code)
  })

  it('ends with an error when every poll is cut off', async () => {
    let polls = 0
    const url = await pollServer(() => {
      polls += 1
      return { status: 200, headers: etcdHeaders(7), body: '' }
    })
    expect(await codeOf(take(connect([url]).watch('/p', toRevision(7), forever), 1))).toBe('kv/unavailable')
    expect(polls).toBe(5)
  })

  it('takes a store that went back in time for one without history', async () => {
    const url = await pollServer(({ request }) => quiet(request, 3), 3)
    expect(await codeOf(take(connect([url]).watch('/p', toRevision(7), forever), 1))).toBe('kv/compacted')
  })

  it('waits for a member that lags behind', async () => {
    // Its own index is low, but what is read through consensus is up to date.
    const url = await pollServer(() => event(8, 3), 7)
    expect(revisions(await take(connect([url]).watch('/p', toRevision(7), forever), 1))).toEqual([8])
  })

  it('takes another cluster for a store without history', async () => {
    let cluster = 'one'
    const url = await listen((request) => {
      const headers = [...etcdHeaders(7), ['X-Etcd-Cluster-Id', cluster]] as const
      if (request.query.has('wait')) return { ...quiet(request, 9), headers }
      return { ...good(), headers }
    })
    const kv = connect([url])
    await kv.get('/a')
    cluster = 'two'
    expect(await codeOf(take(kv.watch('/p', toRevision(7), forever), 1))).toBe('kv/compacted')
  })

  it('closes its poll when the caller leaves', async () => {
    let opened = (): void => undefined
    const isOpened = new Promise<void>((resolve) => {
      opened = resolve
    })
    let closed = (): void => undefined
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve
    })
    const url = await pollServer(({ waitIndex, request }) => {
      if (waitIndex === 8) return event(8)
      opened()
      request.signal.addEventListener('abort', () => closed())
      return quiet(request, 8)
    })
    for await (const events of connect([url]).watch('/p', toRevision(7), forever)) {
      expect(revisions(events)).toEqual([8])
      await isOpened
      break
    }
    await isClosed
  })
})

it('the caller gives up: while waiting, while watching', async () => {
  const kv = connect([await frozen()], { requestTimeoutMs: 60_000 })
  const stop = new AbortController()
  const reading = codeOf(kv.range('/', stop.signal))
  const writing = codeOf(kv.put('/a', 'x', { signal: stop.signal }))
  const watching = (async () => {
    for await (const _ of kv.watch('/', toRevision(1), stop.signal)) throw new Error('nothing happened')
    return 'returned'
  })()
  stop.abort()
  expect(await Promise.all([reading, writing, watching])).toEqual(['kv/aborted', 'kv/aborted', 'returned'])
})

it('a password is in no error', async () => {
  const kv = connect([await nobody()], { username: 'fleet', password: 'hunter2', random: seededRandom(1) })
  const error = await kv.range('/').catch((thrown: unknown) => thrown)
  const texts: string[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    texts.push(at.message, at.stack ?? '', JSON.stringify(at))
  expect(texts.join()).not.toContain('hunter2')
})
