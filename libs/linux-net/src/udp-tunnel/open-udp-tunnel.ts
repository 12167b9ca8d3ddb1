/** Opens the udp backend's tunnel, its data plane in a thread of its own. */
import { closeSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { LinuxNetError } from '../errors.ts'
import { CounterBlock } from './counters.ts'
import {
  stopPlace,
  type TunnelTableMessage,
  type TunnelThreadData,
  type TunnelThreadMessage,
  wishPlace,
} from './messages.ts'
import { buildPeerTable, findBadPeer, parseAddress } from './peer-table.ts'
import type { UdpTunnel, UdpTunnelOptions, UdpTunnelPeer } from './tunnel.ts'

type Opened = Extract<TunnelThreadMessage, { type: 'opened' }>

/**
 * Opens a TUN device and a UDP socket, and moves packets between them in a thread until it is disposed of; then the
 * device and its routes are gone. Needs CAP_NET_ADMIN.
 * Errors: `linux-net/ffi-unavailable`, `linux-net/tun-unavailable`, `linux-net/udp-socket`, `linux-net/bad-tunnel-peer`.
 *
 * @param options with `workerFile`, the built file of `@cluster/linux-net/udp-tunnel-worker`
 */
export async function openUdpTunnel(
  options: UdpTunnelOptions & { readonly workerFile: string | URL },
): Promise<UdpTunnel> {
  const { name = 'flannel%d', bind, peers = [], isSenderChecked = true, isBundling = true, workerFile } = options
  refuseBadPeers(peers)
  const counters = new CounterBlock()
  const controlMemory = new SharedArrayBuffer(8)
  const control = new Int32Array(controlMemory)
  const workerData: TunnelThreadData = {
    name,
    address: checkedAddress(options.address),
    bind: { address: checkedAddress(bind.address), port: bind.port },
    isSenderChecked,
    isBundling,
    counters: counters.memory,
    control: controlMemory,
  }
  const worker = new Worker(workerFile, { workerData, name: 'udp-tunnel', execArgv: [] })
  let isDisposed = false
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  // Resolves once with what ended the thread, and never if it was asked to end.
  const failed = new Promise<Error>((resolve) => {
    worker.on('message', (message: TunnelThreadMessage) => {
      if (message.type === 'failed') resolve(errorOf(message))
    })
    worker.once('error', (cause) => resolve(ended('the thread of the udp tunnel failed', cause)))
    worker.once('exit', () => {
      if (!isDisposed) resolve(ended('the thread of the udp tunnel ended'))
    })
  })
  const { device, port, wake } = await new Promise<Opened>((resolve, reject) => {
    worker.on('message', (message: TunnelThreadMessage) => {
      if (message.type === 'opened') resolve(message)
    })
    void failed.then(reject)
  })

  let isWakeOpen = true
  const wakeThread = (): void => {
    Atomics.add(control, wishPlace, 1)
    if (isWakeOpen) writeSync(wake, wakeBytes)
  }
  const stop = (): void => {
    Atomics.store(control, stopPlace, 1)
    wakeThread()
  }
  // The thread sleeps in the kernel, where the end of the process would wait for it without end.
  process.once('exit', stop)
  const afterExit = exited.then(() => {
    process.off('exit', stop)
    isWakeOpen = false
    closeSync(wake)
  })
  const setPeers = (table: readonly UdpTunnelPeer[]): void => {
    refuseBadPeers(table)
    const message: TunnelTableMessage = { type: 'peers', table: buildPeerTable(table, port) }
    worker.postMessage(message)
    wakeThread()
  }
  setPeers(peers)
  return {
    device,
    port,
    setPeers,
    counters: () => counters.read(),
    failed,
    [Symbol.asyncDispose]: async () => {
      isDisposed = true
      stop()
      await afterExit
    },
  }
}

/** What an eventfd takes: how much to add, as eight bytes. */
const wakeBytes = new Uint8Array(new BigUint64Array([1n]).buffer)

function refuseBadPeers(peers: readonly UdpTunnelPeer[]): void {
  const bad = findBadPeer(peers)
  if (bad === undefined) return
  throw badPeer(`no subnet with the IPv4 address of its machine: ${bad.subnet} at ${bad.publicIp}`)
}

function checkedAddress(text: string): number {
  const address = parseAddress(text)
  if (address === undefined) throw badPeer(`not an IPv4 address: ${text}`)
  return address
}

const badPeer = (message: string): LinuxNetError =>
  new LinuxNetError('linux-net/bad-tunnel-peer', message, {
    hint: 'subnets are written 10.5.34.0/24, addresses 10.78.0.2',
  })

const ended = (message: string, cause?: unknown): LinuxNetError =>
  new LinuxNetError('linux-net/tunnel-ended', message, {
    hint: 'open the tunnel again; a program that ships must have its worker file beside it',
    cause,
  })

const errorOf = ({ code, message, hint, cause }: Extract<TunnelThreadMessage, { type: 'failed' }>): LinuxNetError =>
  new LinuxNetError(code, message, { hint, cause })
