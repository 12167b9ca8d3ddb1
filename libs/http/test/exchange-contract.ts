/** What every listener for exchanges does, seen from the wire; run by exchange-contract.test.ts for each of them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import type { AnswerStream, Exchange, ExchangeHandler, ExchangeServeOptions, HttpListener } from '../src/index.ts'
import { RawClient } from './raw-client.ts'
import { selfSigned } from './self-signed.ts'

export type ServeExchanges = (handler: ExchangeHandler, options: ExchangeServeOptions) => Promise<HttpListener>

/** Where a listener is known to do less. */
export type ContractGaps = {
  /** Raw bytes from 0x80 on in a target and methods of any name are refused. */
  readonly refusesWhatEtcdTakes: boolean
  /** A client that closes its side counts as gone at once. */
  readonly needsOpenClient: boolean
  /** Connections beyond the limit end without a word. */
  readonly dropsWithoutWord: boolean
  /** Nobody is cut off for not reading, and requests that arrived together are all handed out. */
  readonly waitsForReaders: boolean
  /** More than one space between the words of a request line is taken. */
  readonly skipsSpaces: boolean
}

const toStop: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
const plain = 'Content-Type: text/plain\r\n'

/** Says what was asked. */
const echo: ExchangeHandler = (exchange) =>
  exchange.respond(
    200,
    plain,
    `${exchange.method} ${exchange.target} ${Buffer.from(exchange.body).toString('latin1')}${exchange.isBodyCut ? '...' : ''}`,
  )

/** Writes as fast as the client reads, and never ends. */
const writeOn = (stream: AnswerStream, chunk: string): void => {
  while (stream.write(chunk));
  stream.onDrain(() => writeOn(stream, chunk))
}

const get = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

export function describeExchangeListener(name: string, serveExchanges: ServeExchanges, gaps: ContractGaps): void {
  const start = async (
    handler: ExchangeHandler,
    options: Partial<ExchangeServeOptions> = {},
  ): Promise<HttpListener> => {
    const listener = await serveExchanges(handler, { listen, ...options })
    toStop.push(() => listener.close(0))
    return listener
  }
  const open = ({ address }: HttpListener, tls?: ConnectionOptions): RawClient => {
    const client = new RawClient(address, tls)
    toStop.push(() => client.stop())
    return client
  }
  const ask = async (text: string, handler = echo, options: Partial<ExchangeServeOptions> = {}) => {
    const [answer] = await open(await start(handler, options))
      .send(text)
      .answers(1)
    return answer
  }
  /** A handler that keeps its exchanges for the test to answer. */
  const keep = () => {
    const exchanges: Exchange[] = []
    const wake: (() => void)[] = []
    const handler: ExchangeHandler = (exchange) => {
      exchanges.push(exchange)
      for (const resolve of wake.splice(0)) resolve()
    }
    const next = async (at: number): Promise<Exchange> => {
      for (;;) {
        const exchange = exchanges[at]
        if (exchange !== undefined) return exchange
        await new Promise<void>((resolve) => wake.push(resolve))
      }
    }
    return { handler, next }
  }

  describe(`${name}: an answer`, () => {
    it('has the head that was given, the length and the date', async () => {
      const answer = await ask(get('/a?b=c'), (exchange) => exchange.respond(201, 'X-One: 1\r\nX-Two: 2\r\n', 'text'))
      expect(answer).toMatchObject({ status: 201, reason: 'Created', body: 'text', end: 'length' })
      expect(answer?.headers.get('x-two')).toBe('2')
      expect(Date.parse(answer?.headers.get('date') ?? '')).not.toBeNaN()
      expect(answer?.headers.has('connection') && answer.headers.get('connection') !== 'keep-alive').toBe(false)
    })

    it.each([0, 1, 20_000, 300_000, 3_000_000])('may have %i bytes, as text and as bytes', async (size) => {
      const bytes = Uint8Array.from({ length: size }, (_, at) => at * 7)
      const text = Buffer.from(bytes).toString('latin1')
      const client = open(
        await start((exchange) => exchange.respond(200, plain, exchange.target === '/t' ? text : bytes)),
      )
      const answers = await client.send(get('/t') + get('/b') + get('/t')).answers(3)
      expect(answers.map(({ body }) => body === text)).toEqual([true, true, true])
    })

    it.each([204, 304])('with status %i has no body and no length', async (status) => {
      const client = open(await start((exchange) => exchange.respond(status, '', '')))
      const [answer] = await client.send(get('/')).answers(1)
      expect([answer?.status, answer?.headers.has('content-length')]).toEqual([status, false])
    })

    it('to HEAD is the head of GET', async () => {
      const client = open(await start(echo))
      const [answer, next] = await client.send(`HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n${get('/b')}`).answers(2, ['HEAD'])
      expect([answer?.headers.get('content-length'), next?.body]).toEqual(['8', 'GET /b '])
    })

    it('may be given later', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/a'))
      const exchange = await next(0)
      await Promise.resolve()
      exchange.respond(200, plain, 'late')
      expect(await client.answers(1)).toMatchObject([{ body: 'late' }])
    })

    it('is 500 without a word about why when the handler throws', async () => {
      const answer = await ask(get('/'), () => {
        throw new Error('secret')
      })
      expect(answer).toMatchObject({ status: 500, body: 'internal error\n' })
    })

    it('cannot be given twice', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/'))
      const exchange = await next(0)
      exchange.respond(200, plain, 'one')
      expect(() => exchange.respond(200, plain, 'two')).toThrow('once')
      expect(() => exchange.stream(200, plain)).toThrow('once')
      expect(await client.answers(1)).toMatchObject([{ body: 'one' }])
    })
  })

  describe(`${name}: a request`, () => {
    it('is told as sent', async () => {
      const seen: unknown[] = []
      const text =
        'PATCH /a%2Fb//..?x=%zz&&y HTTP/1.1\r\nhOST: a\r\nX-A: \t one  two\t \r\nx-a: 2\r\nX-Raw: \xe4\r\n\r\n'
      await ask(text, (exchange) => {
        seen.push(exchange.method, exchange.target, exchange.body.length, exchange.isBodyCut)
        seen.push(...['host', 'x-a', 'x-raw', 'x-none'].map((field) => exchange.header(field)))
        exchange.respond(200, '', '')
      })
      expect(seen).toEqual(['PATCH', '/a%2Fb//..?x=%zz&&y', 0, false, 'a', 'one  two', '\xe4', undefined])
    })

    it.each([
      ['GET http://h/a?b HTTP/1.1', 'GET /a?b '],
      ['GET http://h:1?b HTTP/1.1', 'GET /?b '],
      ['GET http://h HTTP/1.1', 'GET / '],
      ['GET //h/a HTTP/1.1', 'GET //h/a '],
    ])('may name its target in any form: %s', async (line, expected) => {
      expect(await ask(`${line}\r\nHost: a\r\n\r\n`)).toMatchObject({ status: 200, body: expected })
    })

    it.each([
      ['get / HTTP/1.1', 'get / '],
      ['UNHEARD-OF / HTTP/1.1', 'UNHEARD-OF / '],
      ['GET /\xc3\xa4\xff?\x80 HTTP/1.1', 'GET /\xc3\xa4\xff?\x80 '],
    ])('may be what node refuses: %s', async (line, expected) => {
      const answer = await ask(`${line}\r\nHost: a\r\n\r\n`)
      expect(answer).toMatchObject(gaps.refusesWhatEtcdTakes ? { status: 400 } : { status: 200, body: expected })
    })

    it.each<[string, string]>([
      ['by length', 'Content-Length: 5\r\n\r\nhello'],
      ['by chunks', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'],
      [
        'by chunks with extensions and trailers',
        'Transfer-Encoding: Chunked\r\n\r\n05;a=b\r\nhello\r\n0;c\r\nX-T: 1\r\n\r\n',
      ],
    ])('may have a body %s, split anywhere', async (_, rest) => {
      const listener = await start(echo)
      const text = `PUT /a HTTP/1.1\r\nHost: a\r\n${rest}`
      const slow = open(listener)
      await slow.sendSlowly(text + text)
      expect(await slow.answers(2)).toMatchObject([{ body: 'PUT /a hello' }, { body: 'PUT /a hello' }])
      const quick = open(listener).send(text + text)
      expect(await quick.answers(2)).toMatchObject([{ body: 'PUT /a hello' }, { body: 'PUT /a hello' }])
    })

    it('may have a megabyte of headers that come in pieces', async () => {
      const many = Array.from({ length: 900 }, (_, at) => `X-${at}: ${'v'.repeat(1000)}\r\n`).join('')
      const answer = await ask(get('/', many), (exchange) => exchange.respond(200, '', exchange.header('x-899') ?? ''))
      expect(answer?.body.length).toBe(1000)
    })

    it('is asked for its body when it waits to be', async () => {
      const client = open(await start(echo))
      client.send('PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n')
      expect(await client.answers(1)).toMatchObject([{ status: 100 }])
      expect((await client.send('ok').answers(2))[1]).toMatchObject({ status: 200, body: 'PUT /a ok' })
    })

    it('may come with others: all are answered one at a time and in order', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/1') + get('/2') + get('/3'))
      const first = await next(0)
      await new Promise((resolve) => setImmediate(resolve))
      first.respond(200, '', first.target)
      for (const at of [1, 2]) {
        const exchange = await next(at)
        exchange.respond(200, '', exchange.target)
      }
      expect((await client.answers(3)).map(({ body }) => body)).toEqual(['/1', '/2', '/3'])
    })

    it.each<[string, string]>([
      ['by length', `Content-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`],
      ['by chunks', `Transfer-Encoding: chunked\r\n\r\n${`3e8\r\n${'x'.repeat(1000)}\r\n`.repeat(100)}0\r\n\r\n`],
    ])('whose body %s is too long is cut, and the connection closes after the answer', async (_, rest) => {
      const listener = await start(echo, { limits: { bodySizeBytesMax: 10 } })
      const client = open(listener).send(`PUT / HTTP/1.1\r\nHost: a\r\n${rest}`)
      const answers = await client.over()
      expect(answers).toMatchObject([{ status: 200, body: 'PUT / xxxxxxxxxx...' }])
      expect(answers[0]?.headers.get('connection')).toBe('close')
    })

    it('whose body would be too long is told before it is sent', async () => {
      const listener = await start(echo, { limits: { bodySizeBytesMax: 10 } })
      const client = open(listener).send(
        'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n',
      )
      expect(await client.over()).toMatchObject([{ status: 200, body: 'PUT / ...' }])
    })

    it('of HTTP/1.0 ends the connection', async () => {
      const client = open(await start(echo)).send('GET / HTTP/1.0\r\n\r\n')
      const [answer] = await client.over()
      expect([answer?.body, answer?.headers.get('connection')]).toEqual(['GET / ', 'close'])
    })

    it('of HTTP/1.0 may keep the connection', async () => {
      const client = open(await start(echo)).send('GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
      const [answer] = await client.answers(1)
      expect(answer?.headers.get('connection')).toBe('keep-alive')
      expect(await client.send('GET /2 HTTP/1.0\r\n\r\n').over()).toMatchObject([
        { body: 'GET /1 ' },
        { body: 'GET /2 ' },
      ])
    })

    it('may be the last one', async () => {
      const client = open(await start(echo)).send(get('/1', 'Connection: Close\r\n') + get('/2'))
      const answers = await client.over()
      expect(answers).toMatchObject([{ body: 'GET /1 ' }])
      expect(answers[0]?.headers.get('connection')).toBe('close')
    })

    it.each(['now', 'later'])('followed by the end of the client is answered %s', async (when) => {
      if (when === 'later' && gaps.needsOpenClient) return
      const handler: ExchangeHandler = (exchange) =>
        when === 'now' ? echo(exchange) : void setImmediate(() => setImmediate(() => echo(exchange)))
      const client = open(await start(handler)).send(get('/1') + get('/2'))
      client.socket.end()
      const answers = await client.over()
      expect(answers.at(0)).toMatchObject({ body: 'GET /1 ', end: 'length' })
      if (!gaps.needsOpenClient) expect(answers.at(1)).toMatchObject({ body: 'GET /2 ' })
    })
  })

  describe(`${name}: a request that cannot be read`, () => {
    const refused: readonly [what: string, text: string][] = [
      ['no HTTP', 'hello\r\n\r\n'],
      ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      ['no version', 'GET /\r\nHost: a\r\n\r\n'],
      ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a control character in the target', 'GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a bad escape in the path', 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a cut escape in the path', 'GET /a%2?%41 HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['no path', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
      ['a length that is none', get('/', 'Content-Length: 1x\r\n')],
      ['a negative length', get('/', 'Content-Length: -1\r\n')],
      ['two lengths', get('/', 'Content-Length: 1\r\nContent-Length: 2\r\n')],
      ['the same length twice', get('/', 'Content-Length: 1\r\nContent-Length: 1\r\n')],
      ['length and chunks', get('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n')],
      ['a folded line', get('/', 'X-A: 1\r\n 2\r\n')],
      ['a space before the colon', get('/', 'X-A : 1\r\n')],
      ['no colon', get('/', 'X-A\r\n')],
      ['an empty name', get('/', ': 1\r\n')],
      ['a NUL in a value', get('/', 'X-A: \0\r\n')],
      ['a bare CR in a value', get('/', 'X-A: a\rb\r\n')],
      ['a chunk size that is none', get('/', 'Transfer-Encoding: chunked\r\n').concat('x\r\n')],
      ['a chunk that is too long', get('/', 'Transfer-Encoding: chunked\r\n').concat('1\r\nab\r\n')],
    ]
    it.each(refused.filter(([what]) => !(gaps.skipsSpaces && what === 'two spaces')))(
      'is refused, and the connection closes: %s',
      async (_, text) => {
        let asked = 0
        const listener = await start((exchange) => {
          asked++
          echo(exchange)
        })
        const answers = await open(listener).send(text).over()
        expect([answers.length, answers[0]?.status, asked]).toEqual([1, 400, 0])
      },
    )

    it('is refused in its turn', async () => {
      const answers = await open(await start(echo))
        .send(`${get('/1')}hello\r\n\r\n`)
        .over()
      expect(answers.map(({ status }) => status)).toEqual([200, 400])
    })

    it('is refused when its head is too long', async () => {
      const listener = await start(echo, { limits: { headSizeBytesMax: 8192 } })
      const [answer] = await open(listener)
        .send(get('/', `X-A: ${'a'.repeat(70_000)}\r\n`))
        .over()
      expect(answer?.status).toBe(431)
    })

    it.each([
      ['head', 'GET / HTTP/1.1\r\nHo'],
      ['body', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe'],
      ['body by chunks', 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe'],
    ])('is refused when its %s does not come', async (_, text) => {
      const listener = await start(echo, { limits: { headTimeoutMs: 40, bodyTimeoutMs: 40 } })
      const [answer] = await open(listener).send(text).over()
      expect(answer?.status).toBe(408)
    })
  })

  describe(`${name}: a streamed answer`, () => {
    it('has its head before anything else, then chunks as they come', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/') + get('/2'))
      const stream = (await next(0)).stream(200, plain)
      await client.until(({ received }) => received.endsWith('\r\n\r\n'))
      stream.write('one')
      await client.until(({ received }) => received.endsWith('3\r\none\r\n'))
      stream.write('')
      stream.write(Uint8Array.of(0x80, 0xff))
      stream.end()
      ;(await next(1)).respond(200, plain, 'next')
      expect(await client.answers(2)).toMatchObject([{ body: 'one\x80\xff', end: 'chunked' }, { body: 'next' }])
    })

    it.each([
      ['text', 'last', 'last'],
      ['bytes', Uint8Array.of(0x80, 0xff), '\x80\xff'],
      ['nothing', '', ''],
      ['much text', 'x'.repeat(300_000), 'x'.repeat(300_000)],
    ])('may end with %s', async (_, last, shown) => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/') + get('/2'))
      const stream = (await next(0)).stream(200, plain)
      stream.write('one,')
      stream.end(last)
      ;(await next(1)).respond(200, plain, 'next')
      expect(await client.answers(2)).toMatchObject([{ body: `one,${shown}`, end: 'chunked' }, { body: 'next' }])
    })

    it('may end with text for HTTP/1.0 and HEAD', async () => {
      const url = await start((exchange) => exchange.stream(200, plain).end('last'))
      const plainly = open(url).send('GET / HTTP/1.0\r\n\r\n')
      expect(await plainly.over()).toMatchObject([{ body: 'last', end: 'close' }])
      const head = open(url).send('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect((await head.over()).map(({ body }) => body)).toEqual([''])
    })

    it('goes to the end of the connection for HTTP/1.0', async () => {
      const client = open(
        await start((exchange) => {
          const stream = exchange.stream(200, plain)
          stream.write('all')
          stream.end()
        }),
      ).send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
      expect(await client.over()).toMatchObject([{ body: 'all', end: 'close' }])
    })

    it('to HEAD is the head alone', async () => {
      const client = open(
        await start((exchange) => {
          const stream = exchange.stream(200, plain)
          stream.write('all')
          stream.end()
        }),
      ).send(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get('/')}`)
      expect(await client.answers(2, ['HEAD'])).toMatchObject([{ end: 'none' }, { body: 'all' }])
    })

    it('that is cut has no proper end', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/'))
      const stream = (await next(0)).stream(200, plain)
      stream.write('part')
      await client.until(({ received }) => received.includes('part'))
      stream.abort()
      expect(await client.over()).toMatchObject([{ body: 'part', end: 'cut' }])
    })

    it('tells when the client does not keep up, and when it has', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/'))
      client.socket.pause()
      const stream = (await next(0)).stream(200, plain)
      const chunk = 'x'.repeat(65_536)
      let sent = 1
      while (stream.write(chunk)) sent++
      const drained = new Promise<void>((resolve) => stream.onDrain(resolve))
      client.socket.resume()
      await drained
      stream.end()
      const [answer] = await client.answers(1)
      expect(answer?.body.length).toBe(sent * chunk.length)
    })
  })

  describe(`${name}: a client that goes away`, () => {
    it('is noticed while it waits for an answer', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/'))
      const exchange = await next(0)
      const gone = new Promise<void>((resolve) => exchange.onGone(resolve))
      client.stop()
      await gone
      exchange.respond(200, '', 'nobody reads this')
    })

    it('is noticed while it is sent a stream', async () => {
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/'))
      const exchange = await next(0)
      const stream: AnswerStream = exchange.stream(200, '')
      const gone = new Promise<void>((resolve) => exchange.onGone(resolve))
      client.stop()
      await gone
      expect(stream.write('x')).toBe(false)
      stream.end()
    })

    it('is told to those who ask late', async () => {
      const { handler, next } = keep()
      const listener = await start(handler)
      const client = open(listener).send(get('/'))
      const exchange = await next(0)
      await new Promise<void>((resolve) => {
        exchange.onGone(resolve)
        client.stop()
      })
      await new Promise<void>((resolve) => exchange.onGone(resolve))
    })

    it('may still be answered where it only closed its side', async () => {
      if (gaps.needsOpenClient) return
      const { handler, next } = keep()
      const client = open(await start(handler)).send(get('/1') + get('/2'))
      const first = await next(0)
      first.onGone(() => first.respond(200, '', 'last words'))
      client.socket.end()
      const second = await next(1)
      second.onGone(() => undefined)
      expect(await client.over()).toMatchObject([{ body: 'last words' }])
    })

    it('in the middle of a body never reaches the handler', async () => {
      const { handler, next } = keep()
      const listener = await start(handler)
      const client = open(listener).send('PUT /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe')
      client.socket.end()
      await client.over()
      const whole = open(listener).send(get('/whole'))
      const exchange = await next(0)
      exchange.respond(200, '', '')
      await whole.answers(1)
      expect(exchange.target).toBe('/whole')
    })

    it('after the answer is nobody to tell', async () => {
      const { handler, next } = keep()
      const listener = await start(handler)
      const client = open(listener).send(get('/'))
      const exchange = await next(0)
      let isTold = false
      exchange.onGone(() => {
        isTold = true
      })
      exchange.respond(200, '', '')
      await client.answers(1)
      client.stop()
      await listener.close(1000)
      expect(isTold).toBe(false)
    })

    it('is told apart from one that does not read: requests wait until answers are read', async () => {
      const body = 'x'.repeat(1024 * 1024)
      let asked = 0
      const listener = await start((exchange) => {
        const isLong = exchange.target === '/long'
        if (isLong) asked++
        exchange.respond(200, '', isLong ? body : '')
      })
      const lazy = open(listener)
      lazy.socket.pause()
      lazy.send(get('/long').repeat(50))
      const other = open(listener)
      for (let turn = 1; asked === 0; turn++) await other.send(get('/')).answers(turn)
      // The kernel takes a few of them.
      if (!gaps.waitsForReaders) expect(asked).toBeLessThan(40)
      lazy.socket.resume()
      await lazy.until(({ received }) => received.length > 50 * body.length)
      expect((await lazy.answers(50)).filter((answer) => answer.body.length === body.length)).toHaveLength(50)
    })

    it('counts as gone when it does not read for long', async () => {
      if (gaps.waitsForReaders) return
      const { handler, next } = keep()
      const listener = await start(handler, { limits: { stallTimeoutMs: 40 } })
      const lazy = open(listener).send(get('/'))
      lazy.socket.pause()
      const exchange = await next(0)
      const gone = new Promise<void>((resolve) => exchange.onGone(resolve))
      writeOn(exchange.stream(200, ''), 'x'.repeat(65_536))
      await gone
    })
  })

  describe(`${name}: the end`, () => {
    it('closes idle connections at once and lets those at work finish', async () => {
      const { handler, next } = keep()
      const listener = await start(handler)
      const idle = open(listener).send(get('/idle'))
      ;(await next(0)).respond(200, '', '')
      await idle.answers(1)
      const busy = open(listener).send(get('/busy'))
      const exchange = await next(1)
      const closed = listener.close(60_000)
      await idle.over()
      exchange.respond(200, '', 'last')
      const answers = await busy.over()
      expect(answers).toMatchObject([{ body: 'last' }])
      expect(answers[0]?.headers.get('connection')).toBe('close')
      await closed
    })

    it('cuts off what is not finished in time, and tells', async () => {
      const { handler, next } = keep()
      const listener = await start(handler)
      const client = open(listener).send(get('/'))
      const exchange = await next(0)
      exchange.stream(200, '').write('part')
      await client.until(({ received }) => received.includes('part'))
      const gone = new Promise<void>((resolve) => exchange.onGone(resolve))
      await listener.close(0)
      await gone
      expect(await client.over()).toMatchObject([{ body: 'part', end: 'cut' }])
    })

    it('is the same for connections that are too many', async () => {
      const listener = await start(echo, { limits: { connectionsMax: 1 } })
      const first = open(listener).send(get('/1'))
      await first.answers(1)
      const answers = await open(listener).over()
      expect(answers.map(({ status }) => status)).toEqual(gaps.dropsWithoutWord ? [] : [503])
      expect(await first.send(get('/2')).answers(2)).toHaveLength(2)
    })
  })

  describe(`${name}: who asks`, () => {
    const who: ExchangeHandler = (exchange) => exchange.respond(200, '', JSON.stringify(exchange.peer))

    it('has an address', async () => {
      const client = open(await start(who)).send(get('/'))
      const [answer] = await client.answers(1)
      expect(JSON.parse(answer?.body ?? '')).toEqual({
        kind: 'tcp',
        address: '127.0.0.1',
        port: client.socket.localPort,
      })
    })

    it('has none on a unix socket', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'cluster-exchange-'))
      toStop.push(() => rm(folder, { recursive: true }))
      const listener = await start(who, { listen: { kind: 'unix', path: join(folder, 'a.sock') } })
      expect(await open(listener).send(get('/')).answers(1)).toMatchObject([{ body: '{"kind":"unix"}' }])
    })

    it('is known by a certificate where one is demanded', async () => {
      const server = selfSigned('server.test')
      const visitor = selfSigned('visitor.test')
      const listener = await start(who, { tls: { ...server, ca: visitor.cert } })
      expect(listener.url).toMatch(/^https:/)
      const [answer] = await open(listener, { ...visitor, ca: server.cert, servername: 'server.test' })
        .send(get('/'))
        .answers(1)
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({ certificate: { commonName: 'visitor.test' } })
      const stranger = open(listener, { ca: server.cert, servername: 'server.test' }).send(get('/'))
      expect(await stranger.over()).toEqual([])
      const wrong = open(listener).send(get('/'))
      expect(await wrong.over()).toEqual([])
    })

    it('gets long answers over TLS, too', async () => {
      const server = selfSigned('server.test')
      const listener = await start((exchange) => exchange.respond(200, '', 'x'.repeat(3_000_000)), { tls: server })
      const client = open(listener, { ca: server.cert, servername: 'server.test' }).send(get('/') + get('/'))
      expect((await client.answers(2)).map(({ body }) => body.length)).toEqual([3_000_000, 3_000_000])
    })
  })
}
