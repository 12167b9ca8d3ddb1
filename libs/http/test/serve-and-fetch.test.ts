import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isClusterError } from '@cluster/prelude'
import { build } from 'tsup'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createHttpClient,
  emptyResponse,
  type FetchRequest,
  type Handler,
  type HttpClientOptions,
  HttpError,
  headerOf,
  jsonResponse,
  type ListenAddress,
  readJson,
  readText,
  type ServeOptions,
  serve,
  textResponse,
  wasNotSent,
} from '../src/index.ts'

const toStop: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

const loopback: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 }

async function listen(handler: Handler, options: Partial<ServeOptions> = {}) {
  const listener = await serve(handler, { listen: loopback, ...options })
  toStop.push(() => listener.close(0))
  return listener
}

function client(options: HttpClientOptions = {}) {
  const made = createHttpClient(options)
  toStop.push(() => made[Symbol.asyncDispose]())
  return made
}

async function ask(request: FetchRequest) {
  const response = await client().fetch(request)
  return { status: response.status, headers: response.headers, text: await readText(response.body) }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error) => (isClusterError(error) ? error.code : String(error)),
  )

function portOf(server: Server): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** The descriptor behind a listening server, which node shows only to itself. */
function descriptorOf(server: object): number {
  const handle: unknown = '_handle' in server ? server._handle : undefined
  const fd: unknown = typeof handle === 'object' && handle !== null && 'fd' in handle ? handle.fd : undefined
  if (typeof fd !== 'number') throw new Error('node hides the descriptor of a server')
  return fd
}

/** A TCP server that does with each connection what the test says. */
async function rawServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
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
  return `http://127.0.0.1:${portOf(server)}`
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
async function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  toStop.push(() => socket.destroy())
  socket.end(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-http-'))
  toStop.push(() => rm(folder, { recursive: true }))
  return folder
}

describe('a request that is answered', () => {
  it('arrives as a value and comes back as one', async () => {
    const { url } = await listen(async (request) =>
      jsonResponse(
        201,
        {
          method: request.method,
          path: request.path,
          query: [...request.query],
          tags: request.headers.filter(([name]) => name === 'X-Tag').map(([, value]) => value),
          body: await readJson(request.body),
          peer: request.peer.kind,
        },
        [
          ['X-Many', 'a'],
          ['X-Many', 'b'],
        ],
      ),
    )
    const answer = await ask({
      url: `${url}/a%20b/c%40d?x=1&y=%26`,
      method: 'PUT',
      headers: [
        ['X-Tag', 'one'],
        ['X-Tag', 'two'],
      ],
      body: '{"ä":1}',
    })
    expect(answer.status).toBe(201)
    expect(JSON.parse(answer.text)).toEqual({
      method: 'PUT',
      path: '/a%20b/c%40d',
      query: [
        ['x', '1'],
        ['y', '&'],
      ],
      tags: ['one', 'two'],
      body: { ä: 1 },
      peer: 'tcp',
    })
    expect(answer.headers.filter(([name]) => name === 'X-Many')).toHaveLength(2)
  })

  it('uses one connection for requests that follow each other', async () => {
    const ports = new Set<number>()
    const { url } = await listen((request) => {
      if (request.peer.kind === 'tcp') ports.add(request.peer.port)
      return textResponse(200, 'ok')
    })
    const one = client()
    for (let count = 0; count < 3; count++) {
      const method = count === 1 ? 'POST' : 'GET'
      await readText((await one.fetch({ url, method, ...(count === 1 ? { body: 'unread' } : {}) })).body)
    }
    expect(ports.size).toBe(1)
  })

  it('has no body for HEAD, and the length that GET would have', async () => {
    const { url } = await listen(() => textResponse(200, 'four'))
    const answer = await ask({ url, method: 'HEAD' })
    expect([answer.text, headerOf(answer.headers, 'content-length')]).toEqual(['', '5'])
  })

  it('streams: the head comes before the body is known', async () => {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const { url } = await listen(() => ({
      status: 200,
      body: (async function* () {
        await released
        yield 'one '
        yield new TextEncoder().encode('two')
      })(),
    }))
    const response = await client().fetch({ url })
    expect(response.status).toBe(200)
    release()
    expect(await readText(response.body)).toBe('one two')
  })

  it('tells the handler when the client goes away', async () => {
    let gone = (): void => undefined
    const isGone = new Promise<void>((resolve) => {
      gone = resolve
    })
    const { url } = await listen((request) => {
      request.signal.addEventListener('abort', gone)
      return {
        status: 200,
        body: (async function* () {
          yield 'x'
          await isGone
        })(),
      }
    })
    const response = await client().fetch({ url })
    response.discard()
    await isGone
  })
})

describe('a handler that fails', () => {
  it.each([
    [new Error('secret'), 500, 'internal error\n'],
    [new HttpError('http/bad-request', 'no such field'), 400, 'no such field\n'],
  ])('becomes a status: %s', async (error, status, text) => {
    const { url } = await listen(() => {
      throw error
    })
    expect(await ask({ url })).toMatchObject({ status, text })
  })

  it('cuts the connection when a stream breaks off, so that a part is not taken for the whole', async () => {
    const { url } = await listen(() => ({
      status: 200,
      body: (async function* () {
        yield 'a part'
        throw new Error('broken')
      })(),
    }))
    expect(await codeOf(ask({ url }))).toBe('http/connection-reset')
  })
})

describe('limits', () => {
  it.each([
    ['with its length', 'length'],
    ['in chunks', 'chunked'],
  ])('a body that is too large, sent %s, is answered with 413', async (_, way) => {
    const { url } = await listen(async (request) => textResponse(200, await readText(request.body)), {
      limits: { bodySizeBytesMax: 1000 },
    })
    const body = 'x'.repeat(5_000_000)
    const answer =
      way === 'chunked'
        ? await sendRaw(
            url,
            `PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
          ).then((text) => Number(text.split(' ')[1]))
        : await ask({ url, method: 'PUT', body }).then(({ status }) => status)
    expect(answer).toBe(413)
  })

  it('a head that is too long is answered with 431', async () => {
    const { url } = await listen(() => textResponse(200, 'ok'))
    expect(await sendRaw(url, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    )
  })
})

describe('requests that are none', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n'],
    ['a bad escape', 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['no path', 'GET nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['two lengths', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    [
      'length and chunks',
      'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s is answered with 400', async (_, text) => {
    const { url } = await listen(() => textResponse(200, 'ok'))
    expect(await sendRaw(url, text)).toMatch(/^HTTP\/1.1 400 /)
  })

  it('are not asked for twice: the next client is served', async () => {
    const { url } = await listen(() => textResponse(200, 'ok'))
    await sendRaw(url, 'hello\r\n\r\n')
    expect((await ask({ url })).status).toBe(200)
  })
})

describe('unix sockets', () => {
  it('serve under the mode asked for, and vanish when closed', async () => {
    const path = join(await temporaryFolder(), 'a.sock')
    const listener = await listen((request) => textResponse(200, request.peer.kind), {
      listen: { kind: 'unix', path, mode: 0o600 },
    })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await ask({ url: 'http://any/x', socketPath: path })).text).toBe('unix\n')
    await listener.close(0)
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('replace one that nobody answers on', async () => {
    const path = join(await temporaryFolder(), 'a.sock')
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
    ])
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect((await stat(path)).isSocket()).toBe(true)
    await listen(() => textResponse(200, 'new'), { listen: { kind: 'unix', path } })
    expect((await ask({ url: 'http://any/', socketPath: path })).text).toBe('new\n')
  })

  it('leave alone one that somebody answers on, and a file', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a.sock')
    await listen(() => textResponse(200, 'first'), { listen: { kind: 'unix', path } })
    expect(await codeOf(listen(() => emptyResponse(204), { listen: { kind: 'unix', path } }))).toBe(
      'http/address-in-use',
    )
    expect((await ask({ url: 'http://any/', socketPath: path })).text).toBe('first\n')
    const file = join(folder, 'file')
    await writeFile(file, 'mine')
    expect(await codeOf(listen(() => emptyResponse(204), { listen: { kind: 'unix', path: file } }))).toBe(
      'http/address-in-use',
    )
  })

  it('name what is wrong when there is none', async () => {
    const path = join(await temporaryFolder(), 'none.sock')
    expect(await codeOf(ask({ url: 'http://any/', socketPath: path }))).toBe('http/no-such-socket')
  })
})

describe('an inherited socket', () => {
  it('is served by its number', async () => {
    const folder = await temporaryFolder()
    const entry = join(folder, 'child.ts')
    await writeFile(
      entry,
      `import { inheritedSockets, serve, textResponse } from ${JSON.stringify(join(import.meta.dirname, '../src/index.ts'))}
       const [listen] = inheritedSockets({ ...process.env, LISTEN_PID: String(process.pid) }, process.pid)
       await serve(() => textResponse(200, 'inherited ' + listen.name), { listen })`,
    )
    await build({
      entry: { child: entry },
      outDir: folder,
      format: 'esm',
      platform: 'node',
      config: false,
      silent: true,
      clean: false,
      outExtension: () => ({ js: '.mjs' }),
      noExternal: [/./],
      esbuildOptions: (options) => {
        options.conditions = ['@cluster/source']
      },
    })
    const opened = createServer()
    opened.listen(0, '127.0.0.1')
    await once(opened, 'listening')
    const url = `http://127.0.0.1:${portOf(opened)}/`
    const child = spawn(process.execPath, [join(folder, 'child.mjs')], {
      stdio: ['ignore', 'inherit', 'inherit', descriptorOf(opened)],
      env: { ...process.env, LISTEN_FDS: '1', LISTEN_FDNAMES: 'api' },
    })
    toStop.push(() => child.kill('SIGKILL'))
    // From here on only the child accepts what arrives there.
    opened.close()
    expect((await ask({ url, timeToHeadersMs: 20_000 })).text).toBe('inherited api\n')
  })
})

describe('closing', () => {
  it('lets a request at work finish within the grace', async () => {
    let begun = (): void => undefined
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    let finish = (): void => undefined
    const mayFinish = new Promise<void>((resolve) => {
      finish = resolve
    })
    const listener = await listen(async () => {
      begun()
      await mayFinish
      return textResponse(200, 'done')
    })
    const answer = ask({ url: listener.url })
    await hasBegun
    const closed = listener.close(60_000)
    finish()
    expect((await answer).text).toBe('done\n')
    await closed
    expect(await codeOf(ask({ url: listener.url }))).toBe('http/connection-refused')
  })

  it('cuts off what does not finish', async () => {
    const listener = await listen(
      (request) =>
        new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(emptyResponse(204)))),
    )
    const answer = codeOf(ask({ url: listener.url }))
    await listener.close(50)
    expect(['http/connection-reset', 'http/connection-refused']).toContain(await answer)
  })

  it('says when the address is taken', async () => {
    const { address } = await listen(() => emptyResponse(204))
    expect(await codeOf(listen(() => emptyResponse(204), { listen: address }))).toBe('http/address-in-use')
  })
})

describe('a server that misbehaves', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    ['answers nothing', () => undefined, 'http/timeout'],
    ['cuts at once', (socket) => socket.on('data', () => socket.destroy()), 'http/connection-reset'],
    ['speaks something else', (socket) => socket.on('data', () => socket.end('220 smtp\r\n')), 'http/invalid-answer'],
    [
      'cuts in the middle',
      (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')),
      'http/connection-reset',
    ],
    [
      'cuts between chunks',
      (socket) =>
        socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n')),
      'http/connection-reset',
    ],
    [
      'falls silent in the middle',
      (socket) => socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')),
      'http/timeout',
    ],
  ])('%s', async (_, behave, code) => {
    const url = await rawServer(behave)
    const error = await ask({ url, timeToHeadersMs: 100, idleTimeoutMs: 100 }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code })
    expect(wasNotSent(error)).toBe(false)
  })

  it('is asked again when it closed a kept connection, but only for reads', async () => {
    let answers = 0
    const url = await rawServer((socket) => {
      let requests = 0
      socket.on('data', () => {
        requests += 1
        // The second request on a connection meets a server that has just closed it.
        if (requests > 1) socket.destroy()
        else {
          answers += 1
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        }
      })
    })
    const one = client()
    const read = async (method: string) => readText((await one.fetch({ url, method })).body)
    expect(await read('GET')).toBe('ok')
    expect(await read('GET')).toBe('ok')
    expect(answers).toBe(2)
    expect(await codeOf(read('PUT'))).toBe('http/connection-reset')
  })
})

describe('errors of a client', () => {
  it('say that a request was not sent', async () => {
    const listener = await listen(() => emptyResponse(204))
    await listener.close(0)
    const error = await ask({ url: listener.url }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'http/connection-refused' })
    expect(wasNotSent(error)).toBe(true)
  })

  it.each<[string, (socket: Socket) => void, string]>([
    ['falls silent', () => undefined, 'http/connect-timeout'],
    ['is cut', (socket) => socket.destroy(), 'http/unreachable'],
    ['is answered in another tongue', (socket) => socket.end('220 smtp\r\n'), 'http/tls'],
  ])('say that a request was not sent when the handshake of TLS %s', async (_, behave, code) => {
    const url = await rawServer((socket) => socket.once('data', () => behave(socket)))
    const request = { url: url.replace('http:', 'https:'), method: 'PUT', timeToHeadersMs: 100 }
    const error = await ask(request).catch((thrown) => thrown)
    expect(error).toMatchObject({ code })
    expect(wasNotSent(error)).toBe(true)
  })

  it.each(['not a url', 'ftp://a/', 'http://'])('name what is no URL: %s', async (url) => {
    expect(await codeOf(ask({ url }))).toBe('http/invalid-address')
  })

  it('end with the signal: before, while waiting for the head, and inside the body', async () => {
    const url = await rawServer((socket) =>
      socket.on('data', (data) => {
        if (String(data).startsWith('GET /body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
      }),
    )
    expect(await codeOf(ask({ url, signal: AbortSignal.abort() }))).toBe('http/aborted')
    const head = new AbortController()
    const waiting = codeOf(ask({ url, signal: head.signal }))
    head.abort()
    expect(await waiting).toBe('http/aborted')
    const inside = new AbortController()
    const response = await client().fetch({ url: `${url}/body`, signal: inside.signal })
    const reading = codeOf(readText(response.body))
    inside.abort()
    expect(await reading).toBe('http/aborted')
  })
})
