/**
 * One HTTP request through a unix socket: how the lab talks to the store and to a machine's fleetd from the host.
 * Deliberately not our own HTTP library, so that a scenario does not check the code with itself.
 */
import { request } from 'node:http'

export type UnixResponse = {
  readonly status: number
  readonly text: string
  readonly headers: NodeJS.Dict<string | string[]>
}

/** Sends one request and reads the whole answer; rejects with the system's error when nobody answers in time. */
export function unixRequest(
  socketPath: string,
  options: {
    readonly method?: string
    readonly path: string
    readonly body?: string | undefined
    readonly type?: string | undefined
    readonly timeoutMs?: number
  },
): Promise<UnixResponse> {
  const { method = 'GET', path, body, type, timeoutMs = 5000 } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath,
        method,
        path,
        agent: false,
        headers: {
          host: 'lab',
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...(type === undefined ? {} : { 'content-type': type }),
        },
        timeout: timeoutMs,
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            headers: incoming.headers,
          }),
        )
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${socketPath} within ${timeoutMs} ms`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
