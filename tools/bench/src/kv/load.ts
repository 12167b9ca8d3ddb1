/**
 * A lean HTTP/1.1 client: as little of its own as possible stands beside what is measured. Each connection has one
 * request in flight; the same code asks both servers.
 */
import { connect, type Socket } from 'node:net'

export type Target = { readonly host: string; readonly port: number }

/** Makes the bytes of the n-th request. */
export type RequestMaker = (n: number) => Buffer

export type LoadResult = {
  readonly requests: number
  readonly seconds: number
  /** Answers with a status of 400 or more, and broken connections. */
  readonly failures: number
  /** Every latency in ms, ascending. */
  readonly latenciesMs: Float64Array
}

export type LoadOptions = {
  readonly target: Target
  readonly connections: number
  readonly make: RequestMaker
  /** Ends after this many seconds, or after `requestsMax` requests. */
  readonly seconds: number
  readonly requestsMax?: number
}

/** Sends requests over all connections until the time or the number is over. */
export async function runLoad({ target, connections, make, seconds, requestsMax }: LoadOptions): Promise<LoadResult> {
  const limit = requestsMax ?? Number.POSITIVE_INFINITY
  const latencies: number[] = []
  let sent = 0
  let failures = 0
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const wire = await openWire(target)
      while (sent < limit) {
        const beganMs = performance.now()
        if (beganMs >= endMs) break
        const status = await wire.ask(make(sent++))
        latencies.push(performance.now() - beganMs)
        if (status >= 400 || status === 0) failures += 1
        if (status === 0) break
      }
      wire.close()
    }),
  )
  const latenciesMs = Float64Array.from(latencies).sort()
  return { requests: latencies.length, seconds: (performance.now() - startMs) / 1000, failures, latenciesMs }
}

/** The value below which this share of the (ascending) values lies. */
export function percentile(ascending: Float64Array, share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
}

/** One keep-alive connection. */
export type Wire = {
  /** The status of the answer, once it is complete; 0 when the connection broke. */
  readonly ask: (request: Buffer) => Promise<number>
  readonly close: () => void
}

export function openWire({ host, port }: Target): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(wireOver(socket))
    })
  })
}

const headEnd = Buffer.from('\r\n\r\n')

function wireOver(socket: Socket): Wire {
  let pending: Buffer | undefined
  let settle: (status: number) => void = () => undefined
  const fail = (): void => settle(0)
  socket.on('error', fail)
  socket.on('close', fail)
  socket.on('data', (chunk: Buffer) => {
    const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    const end = bytes.indexOf(headEnd)
    if (end === -1 || bytes.length < end + 4 + lengthOf(bytes, end)) {
      pending = bytes
      return
    }
    pending = undefined
    // HTTP/1.1 200: the status stands at a fixed place.
    settle(Number(bytes.toString('latin1', 9, 12)))
  })
  return {
    ask: (request) =>
      new Promise((resolve) => {
        settle = resolve
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}

/** Content-Length, which both servers send with short answers; chunked answers are not asked for here. */
function lengthOf(bytes: Buffer, end: number): number {
  const head = bytes.toString('latin1', 0, end)
  const at = head.indexOf('Content-Length: ')
  return at === -1 ? 0 : Number.parseInt(head.slice(at + 16, at + 28), 10)
}
