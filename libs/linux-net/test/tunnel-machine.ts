/** One machine of the tunnel's tests: a process in a network namespace, told what to do by its parent. */
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { openUdpTunnel } from '../src/udp-tunnel/open-udp-tunnel.ts'
import type { UdpTunnel, UdpTunnelCounters, UdpTunnelOptions, UdpTunnelPeer } from '../src/udp-tunnel/tunnel.ts'

export type MachineRequest =
  | { readonly do: 'open'; readonly options: UdpTunnelOptions & { readonly workerFile: string } }
  | { readonly do: 'peers'; readonly peers: readonly UdpTunnelPeer[] }
  | { readonly do: 'counters' }
  | { readonly do: 'listen' }
  | { readonly do: 'received' }
  | { readonly do: 'transfer'; readonly host: string; readonly port: number; readonly bytes: number }
  /** Sends datagrams, each given as hexadecimal text. */
  | {
      readonly do: 'datagrams'
      readonly from: string
      readonly to: string
      readonly port: number
      readonly hex: readonly string[]
    }
  /** Answers pings inside datagrams as a proxy that knows no bundles would. */
  | { readonly do: 'answer-pings'; readonly address: string; readonly port: number }
  | { readonly do: 'end-reason' }
  | { readonly do: 'close' }

/** What each request is answered with. */
export type MachineAnswer = {
  readonly device?: string
  readonly port?: number
  readonly counters?: UdpTunnelCounters
  readonly hash?: string
  readonly sizes?: readonly number[]
  readonly code?: string
  readonly error?: string
}

let tunnel: UdpTunnel | undefined
let received: Promise<string> | undefined
let sizes: number[] = []

const take = async (request: MachineRequest): Promise<MachineAnswer> => {
  switch (request.do) {
    case 'open':
      tunnel = await openUdpTunnel(request.options)
      return { device: tunnel.device, port: tunnel.port }
    case 'peers':
      tunnel?.setPeers(request.peers)
      return {}
    case 'counters':
      return tunnel === undefined ? { sizes } : { counters: tunnel.counters(), sizes }
    case 'listen':
      return { port: await listen() }
    case 'received':
      return { hash: (await received) ?? '' }
    case 'transfer':
      return { hash: await transfer(request.host, request.port, request.bytes) }
    case 'datagrams':
      await sendDatagrams(request.from, request.to, request.port, request.hex)
      return {}
    case 'answer-pings':
      return { port: await answerPings(request.address, request.port) }
    case 'end-reason': {
      const error = await tunnel?.failed
      return { code: error !== undefined && 'code' in error ? String(error.code) : '' }
    }
    case 'close':
      await tunnel?.[Symbol.asyncDispose]()
      tunnel = undefined
      return {}
    default:
      return request satisfies never
  }
}

const listen = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      const hash = createHash('sha256')
      received = new Promise((done) => {
        socket.on('data', (chunk) => hash.update(chunk)).on('end', () => done(hash.digest('hex')))
      })
      socket.once('close', () => server.close())
    })
    server.listen(0, '0.0.0.0', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })

const transfer = (host: string, port: number, bytes: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const content = Buffer.alloc(bytes)
    for (let at = 0; at + 4 <= bytes; at += 4) content.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
    const socket = connect({ host, port }, () => socket.end(content))
    socket.once('error', reject)
    socket.once('close', () => resolve(createHash('sha256').update(content).digest('hex')))
  })

const sendDatagrams = async (from: string, to: string, port: number, hex: readonly string[]): Promise<void> => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, from, resolve))
  for (const text of hex) {
    await new Promise<void>((resolve) => socket.send(Buffer.from(text, 'hex'), port, to, () => resolve()))
  }
  socket.close()
}

const answerPings = (address: string, port: number): Promise<number> =>
  new Promise((resolve) => {
    sizes = []
    const socket = createSocket('udp4')
    socket.on('message', (packet, sender) => {
      sizes.push(packet.length)
      if (packet.readUInt8(9) !== 1 || packet.readUInt8(20) !== 8) return
      const answer = Buffer.from(packet)
      packet.copy(answer, 12, 16, 20)
      packet.copy(answer, 16, 12, 16)
      // Type 8 becomes 0: the checksum grows by what the sum lost.
      answer.writeUInt8(0, 20)
      const checksum = packet.readUInt16BE(22) + 0x800
      answer.writeUInt16BE((checksum + (checksum > 0xffff ? 1 : 0)) & 0xffff, 22)
      // From a port of its own: a peer may send from anywhere.
      second.send(answer, port, sender.address)
    })
    const second = createSocket('udp4')
    second.bind(0, address, () => socket.bind(port, address, () => resolve(socket.address().port)))
  })

process.on('message', (request: MachineRequest) => {
  take(request).then(
    (answer) => process.send?.(answer),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? error.message : String(error), code: codeOf(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
