/** One machine of the overlay's measurements: a process in a network namespace, told what to do by its parent. */
import { connect, createServer, type Server } from 'node:net'
import { openUdpTunnel, type UdpTunnel, type UdpTunnelOptions } from '@cluster/linux-net'

export type MachineRequest =
  | { readonly do: 'open-tunnel'; readonly options: UdpTunnelOptions & { readonly workerFile: string } }
  | { readonly do: 'close-tunnel' }
  /** Serves streams and round trips until the next `listen`. */
  | { readonly do: 'listen'; readonly address: string }
  | { readonly do: 'stream'; readonly address: string; readonly port: number; readonly seconds: number }
  | { readonly do: 'round-trips'; readonly address: string; readonly port: number; readonly count: number }
  /** The processor time of all threads since the start. */
  | { readonly do: 'processor-time' }

export type MachineAnswer = {
  readonly device?: string
  readonly port?: number
  readonly bytesPerSecond?: number
  /** All that came, the first fifth of the time too. */
  readonly bytes?: number
  /** Of each round trip, in microseconds. */
  readonly roundTrips?: readonly number[]
  readonly processorMs?: number
  readonly error?: string
}

/** The first byte of a connection says what the other side wants. */
const wantsStream = 0x53
const streamChunk = Buffer.alloc(2 ** 18, 7)

let tunnel: UdpTunnel | undefined
let server: Server | undefined

async function take(request: MachineRequest): Promise<MachineAnswer> {
  switch (request.do) {
    case 'open-tunnel':
      tunnel = await openUdpTunnel(request.options)
      return { device: tunnel.device }
    case 'close-tunnel':
      await tunnel?.[Symbol.asyncDispose]()
      tunnel = undefined
      return {}
    case 'listen':
      server?.close()
      return { port: await listen(request.address) }
    case 'stream':
      return receiveStream(request.address, request.port, request.seconds)
    case 'round-trips':
      return { roundTrips: await makeRoundTrips(request.address, request.port, request.count) }
    case 'processor-time': {
      const { user, system } = process.cpuUsage()
      return { processorMs: (user + system) / 1000 }
    }
    default:
      return request satisfies never
  }
}

const listen = (address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const started = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      socket.once('data', (wish) => {
        if (wish[0] !== wantsStream) {
          socket.write(wish)
          socket.on('data', (bytes) => socket.write(bytes))
          return
        }
        const fill = (): void => {
          while (!socket.destroyed && socket.write(streamChunk));
        }
        socket.on('drain', fill)
        fill()
      })
    })
    server = started
    started.once('error', reject)
    started.listen(0, address, () => {
      const bound = started.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0)
    })
  })

/** What arrives in `seconds`, after a fifth of them for the connection to find its pace. */
const receiveStream = (host: string, port: number, seconds: number): Promise<MachineAnswer> =>
  new Promise((resolve, reject) => {
    let bytes = 0
    let bytesBefore = 0
    let startedMs = 0
    const warmUpEndsMs = performance.now() + (seconds * 1000) / 5
    const socket = connect({
      host,
      port,
      onread: {
        buffer: Buffer.alloc(2 ** 18),
        callback: (count) => {
          const nowMs = performance.now()
          bytes += count
          if (startedMs === 0) {
            if (nowMs < warmUpEndsMs) return true
            startedMs = nowMs
            bytesBefore = bytes
            return true
          }
          if (nowMs - startedMs < seconds * 1000) return true
          socket.destroy()
          resolve({ bytes, bytesPerSecond: ((bytes - bytesBefore) * 1000) / (nowMs - startedMs) })
          return false
        },
      },
    })
    socket.once('error', reject)
    socket.once('connect', () => socket.write(Uint8Array.of(wantsStream)))
  })

/** One byte there and back, again and again; the first half only warms up. */
const makeRoundTrips = (host: string, port: number, count: number): Promise<readonly number[]> =>
  new Promise((resolve, reject) => {
    const took: number[] = []
    const socket = connect({ host, port, noDelay: true })
    let sentMs = 0
    const send = (): void => {
      sentMs = performance.now()
      socket.write('x')
    }
    socket.once('error', reject)
    socket.once('connect', send)
    socket.on('data', () => {
      took.push((performance.now() - sentMs) * 1000)
      if (took.length < 2 * count) {
        send()
        return
      }
      socket.destroy()
      resolve(took.slice(count))
    })
  })

process.on('message', (request: MachineRequest) => {
  take(request).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
