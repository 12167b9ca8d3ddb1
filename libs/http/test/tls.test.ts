import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createHttpClient,
  type HttpClientOptions,
  readText,
  readTlsFiles,
  serve,
  textResponse,
  wasNotSent,
} from '../src/index.ts'
import { selfSigned } from './self-signed.ts'

const toStop: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

const server = selfSigned('server.test')
const visitor = selfSigned('visitor.test')
const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const

async function ask(url: string, options: HttpClientOptions): Promise<string> {
  const client = createHttpClient(options)
  toStop.push(() => client[Symbol.asyncDispose]())
  const response = await client.fetch({ url })
  return readText(response.body)
}

describe('a listener with TLS', () => {
  it('answers those who trust it, on one connection after the other', async () => {
    const listener = await serve(() => textResponse(200, 'safe'), { listen, tls: server })
    toStop.push(() => listener.close(0))
    expect(listener.url).toMatch(/^https:/)
    expect(await ask(listener.url, { tls: { ca: server.cert } })).toBe('safe\n')
  })

  it('is told apart from one that is not trusted: nothing was sent', async () => {
    const listener = await serve(() => textResponse(200, 'safe'), { listen, tls: server })
    toStop.push(() => listener.close(0))
    for (const options of [{}, { tls: { ca: visitor.cert } }]) {
      const error = await ask(listener.url, options).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'http/tls' })
      expect(wasNotSent(error)).toBe(true)
    }
  })

  it('knows who asks when it demands certificates, and refuses others', async () => {
    const say = (request: Parameters<Parameters<typeof serve>[0]>[0]) =>
      textResponse(200, request.peer.kind === 'tcp' ? (request.peer.certificate?.commonName ?? 'nobody') : 'unix')
    const listener = await serve(say, { listen, tls: { ...server, ca: visitor.cert } })
    toStop.push(() => listener.close(0))
    expect(await ask(listener.url, { tls: { ...visitor, ca: server.cert } })).toBe('visitor.test\n')
    await expect(ask(listener.url, { tls: { ca: server.cert } })).rejects.toMatchObject({
      code: expect.stringMatching(/^http\/(tls|connection-reset)$/),
    })
  })

  it('does not answer those who speak plain HTTP', async () => {
    const listener = await serve(() => textResponse(200, 'safe'), { listen, tls: server })
    toStop.push(() => listener.close(0))
    await expect(ask(listener.url.replace('https', 'http'), {})).rejects.toMatchObject({
      code: expect.stringMatching(/^http\/(connection-reset|invalid-answer)$/),
    })
  })

  it('is not there where plain HTTP is spoken', async () => {
    const listener = await serve(() => textResponse(200, 'open'), { listen })
    toStop.push(() => listener.close(0))
    await expect(ask(listener.url.replace('http', 'https'), {})).rejects.toMatchObject({ code: 'http/tls' })
  })
})

describe('readTlsFiles', () => {
  let folder = ''
  const file = (name: string): string => join(folder, name)
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cluster-tls-'))
    toStop.push(() => rm(folder, { recursive: true }))
    await Promise.all(
      Object.entries({
        'server.key': server.key,
        'server.crt': server.cert,
        'other.key': visitor.key,
        'text.pem': 'hello',
      }).map(([name, text]) => writeFile(file(name), text)),
    )
  })

  it('gives what the files hold', async () => {
    const pair = { keyFile: file('server.key'), certFile: file('server.crt') }
    expect(await readTlsFiles({})).toEqual({})
    expect(await readTlsFiles(pair)).toEqual(server)
    expect(await readTlsFiles({ caFile: file('server.crt') })).toEqual({ ca: server.cert })
    expect(await readTlsFiles({ ...pair, caFile: file('server.crt') })).toEqual({ ...server, ca: server.cert })
  })

  it.each<[string, { keyFile?: string; certFile?: string; caFile?: string }, string]>([
    ['a missing file', { caFile: 'none.crt' }, 'none.crt cannot be read'],
    ['what is no certificate', { caFile: 'text.pem' }, 'text.pem holds no certificate'],
    ['what is no key', { keyFile: 'text.pem', certFile: 'server.crt' }, 'text.pem holds no private key'],
    ['a key alone', { keyFile: 'server.key' }, 'server.key is only half of a pair'],
    ['a certificate alone', { certFile: 'server.crt' }, 'server.crt is only half of a pair'],
    ['a pair that is none', { keyFile: 'other.key', certFile: 'server.crt' }, 'does not belong to'],
  ])('names %s', async (_, files, message) => {
    const placed = Object.fromEntries(Object.entries(files).map(([name, value]) => [name, file(value)]))
    await expect(readTlsFiles(placed)).rejects.toMatchObject({
      code: 'http/tls-file',
      message: expect.stringContaining(message),
    })
  })
})
