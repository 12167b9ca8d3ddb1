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
export function runLoad({ target, connections, make, seconds, requestsMax }: LoadOptions): Promise<LoadResult> {
  const limit = requestsMax ?? Number.POSITIVE_INFINITY
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  let latencies = new Float64Array(1 << 16)
  let sent = 0
  let answered = 0
  let failures = 0
  const keep = (latencyMs: number): void => {
    if (answered === latencies.length) {
      const longer = new Float64Array(answered * 2)
      longer.set(latencies)
      latencies = longer
    }
    latencies[answered++] = latencyMs
  }
  return new Promise((resolve, reject) => {
    let open = connections
    const leave = (): void => {
      open -= 1
      if (open > 0) return
      const latenciesMs = latencies.slice(0, answered).sort()
      resolve({ requests: answered, seconds: (performance.now() - startMs) / 1000, failures, latenciesMs })
    }
    for (let one = 0; one < connections; one += 1) {
      let beganMs = 0
      // Callbacks, no promises: every microsecond of the client is one that the server does not have.
      connectWire(target, {
        onOpen: (wire) => next(wire),
        onAnswer: (wire, status) => {
          keep(performance.now() - beganMs)
          if (status >= 400) failures += 1
          next(wire)
        },
        onBroken: (error) => {
          if (answered === 0) return reject(error)
          failures += 1
          leave()
        },
      })
      const next = (wire: Socket): void => {
        beganMs = performance.now()
        if (sent >= limit || beganMs >= endMs) {
          wire.removeAllListeners('close')
          wire.destroy()
          leave()
          return
        }
        wire.write(make(sent++))
      }
    }
  })
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

export function openWire(target: Target): Promise<Wire> {
  return new Promise((resolve, reject) => {
    let settle: (status: number) => void = () => undefined
    connectWire(target, {
      onOpen: (socket) =>
        resolve({
          ask: (request) =>
            new Promise((answer) => {
              settle = answer
              socket.write(request)
            }),
          close: () => socket.destroy(),
        }),
      onAnswer: (_, status) => settle(status),
      onBroken: (error) => {
        reject(error)
        settle(0)
      },
    })
  })
}

type WireEvents = {
  readonly onOpen: (socket: Socket) => void
  /** The status of an answer that is complete. */
  readonly onAnswer: (socket: Socket, status: number) => void
  readonly onBroken: (error: Error) => void
}

const headEnd = Buffer.from('\r\n\r\n')

function connectWire({ host, port }: Target, { onOpen, onAnswer, onBroken }: WireEvents): void {
  const socket = connect({ host, port, noDelay: true })
  let pending: Buffer | undefined
  let broken = new Error(`${host}:${port} closed the connection`)
  socket.on('error', (error) => {
    broken = error
  })
  socket.on('close', () => onBroken(broken))
  socket.once('connect', () => onOpen(socket))
  socket.on('data', (chunk: Buffer) => {
    const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    const end = bytes.indexOf(headEnd)
    if (end === -1 || bytes.length < end + 4 + lengthOf(bytes, end)) {
      pending = bytes
      return
    }
    pending = undefined
    onAnswer(socket, statusOf(bytes))
  })
}

/** `HTTP/1.1 200`: the status stands at a fixed place. */
const statusOf = (bytes: Buffer): number =>
  ((bytes[9] ?? 48) - 48) * 100 + ((bytes[10] ?? 48) - 48) * 10 + ((bytes[11] ?? 48) - 48)

const lengthName = Buffer.from('Content-Length: ')

/** Content-Length, which both servers send with short answers; chunked answers are not asked for here. */
function lengthOf(bytes: Buffer, end: number): number {
  const at = bytes.indexOf(lengthName)
  if (at === -1 || at > end) return 0
  let length = 0
  for (let index = at + lengthName.length; ; index += 1) {
    const digit = (bytes[index] ?? 0) - 48
    if (digit < 0 || digit > 9) return length
    length = length * 10 + digit
  }
}
