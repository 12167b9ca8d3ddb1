/** A v2 server that answers as it is told to and remembers what it was asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export type Asked = {
  readonly method: string
  readonly target: string
  readonly body: string
  readonly authorization: string | undefined
}

export type V2Server = AsyncDisposable & { readonly url: string; readonly asked: readonly Asked[] }

/** Starts one on a free port of this machine. `answer` gets the request and how many came before it. */
export async function startV2Server(
  answer: (asked: Asked, response: ServerResponse, turn: number) => void,
): Promise<V2Server> {
  const asked: Asked[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const { method = '', url: target = '' } = request
      const one = {
        method,
        target,
        body: Buffer.concat(parts).toString(),
        authorization: request.headers.authorization,
      }
      answer(one, response, asked.push(one) - 1)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An event as the server writes it. */
export function sendEvent(response: ServerResponse, event: object, { index = 7, status = 200 } = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'X-Etcd-Index': index })
  response.end(`${JSON.stringify(event)}\n`)
}
