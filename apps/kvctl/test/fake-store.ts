/**
 * A v2 server in a few lines: a flat map of keys, watches that answer with the next write, members, users and roles as
 * they are set. What is asked is kept. It is no model of etcd; how etcd answers is recorded in the vectors.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export type Asked = { readonly method: string; readonly target: string; readonly body: string }

export type FakeStore = AsyncDisposable & {
  readonly url: string
  readonly asked: readonly Asked[]
  /** Answers to exactly this method and target in place of what the store says: status and body. */
  readonly answers: Map<string, readonly [status: number, body: string]>
  /** Resolves when a watch waits. */
  readonly watched: () => Promise<void>
}

/** Starts one on a free port of this machine. */
export async function startFakeStore(): Promise<FakeStore> {
  const asked: Asked[] = []
  const answers: FakeStore['answers'] = new Map()
  const values = new Map<string, { value: string; created: number; modified: number }>()
  const waiting: ((body: string) => void)[] = []
  const onWatch: (() => void)[] = []
  let index = 3

  const nodeOf = (key: string, value: string | undefined, created: number, modified: number): object => ({
    key,
    ...(value === undefined ? {} : { value }),
    modifiedIndex: modified,
    createdIndex: created,
  })
  const send = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'Content-Type': 'application/json', 'X-Etcd-Index': String(index) })
    response.end(`${JSON.stringify(body)}\n`)
  }
  const change = (response: ServerResponse, action: string, key: string, value: string | undefined): void => {
    const before = values.get(key)
    index++
    const created = value === undefined ? (before?.created ?? index) : index
    if (value === undefined) values.delete(key)
    else values.set(key, { value, created, modified: index })
    const prevNode = before === undefined ? undefined : nodeOf(key, before.value, before.created, before.modified)
    const event = { action, node: nodeOf(key, value, created, index), ...(prevNode === undefined ? {} : { prevNode }) }
    send(response, before === undefined ? 201 : 200, event)
    for (const tell of waiting.splice(0)) tell(`${JSON.stringify(event)}\n`)
  }
  const answer = ({ method, target, body }: Asked, response: ServerResponse): void => {
    const given = answers.get(`${method} ${target}`)
    const { pathname, searchParams } = new URL(target, 'http://store')
    const key = decodeURIComponent(pathname.slice('/v2/keys'.length)) || '/'
    const found = values.get(key)
    if (given !== undefined) response.writeHead(given[0]).end(given[1])
    else if (pathname === '/v2/members') send(response, 200, { members: [member] })
    else if (!pathname.startsWith('/v2/keys')) response.writeHead(404).end('404 page not found\n')
    else if (searchParams.get('wait') === 'true') {
      response.writeHead(200, { 'X-Etcd-Index': String(index) }).flushHeaders()
      waiting.push((event) => response.end(event))
      for (const tell of onWatch.splice(0)) tell()
    } else if (method === 'PUT') change(response, 'set', key, new URLSearchParams(body).get('value') ?? '')
    else if (found === undefined) send(response, 404, { errorCode: 100, message: 'Key not found', cause: key, index })
    else if (method === 'DELETE') change(response, 'delete', key, undefined)
    else send(response, 200, { action: 'get', node: nodeOf(key, found.value, found.created, found.modified) })
  }

  const server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const one = { method: request.method ?? '', target: request.url ?? '', body: Buffer.concat(parts).toString() }
      asked.push(one)
      answer(one, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const member = { id: 'a1', name: 'n0', peerURLs: ['http://p:1'], clientURLs: [url] }
  return {
    url,
    asked,
    answers,
    watched: () =>
      new Promise((resolve) => {
        if (waiting.length > 0) resolve()
        else onWatch.push(resolve)
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
