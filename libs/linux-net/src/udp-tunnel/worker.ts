/**
 * The thread that moves a tunnel's packets; a program bundles it as a file beside itself. It opens the device and the
 * socket, says so, and from then on never returns to its event loop: it sleeps in the kernel, and an eventfd wakes it.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { LinuxNetError } from '../errors.ts'
import { CounterBlock } from './counters.ts'
import { DataPlane } from './data-plane.ts'
import {
  stopPlace,
  type TunnelTableMessage,
  type TunnelThreadData,
  type TunnelThreadMessage,
  wishPlace,
} from './messages.ts'
import { buildPeerTable, type PeerTable } from './peer-table.ts'
import { loadSystem } from './system.ts'

async function runThread(data: TunnelThreadData, say: (message: TunnelThreadMessage) => void): Promise<void> {
  const system = await loadSystem()
  const { isBundling, isSenderChecked, address } = data
  const socket = system.openSocket(data.bind.address, data.bind.port, isBundling)
  try {
    const device = system.openDevice(data.name, isBundling)
    try {
      const wake = system.createWake()
      const plane = new DataPlane(system, new CounterBlock(data.counters), buildPeerTable([], 0), {
        device: device.descriptor,
        socket: socket.descriptor,
        wake,
        address,
        isSenderChecked,
        isBundling,
        isUdpBundled: device.isUdpBundled,
      })
      const control = new Int32Array(data.control)
      let table = buildPeerTable([], 0)
      // The main thread closes the eventfd: it is the one that may still write to it.
      say({ type: 'opened', device: device.name, port: socket.port, wake })
      plane.run({
        generation: () => Atomics.load(control, wishPlace),
        isStopped: () => Atomics.load(control, stopPlace) === 1,
        table: () => {
          table = lastTable() ?? table
          return table
        },
      })
    } finally {
      system.close(device.descriptor)
    }
  } finally {
    system.close(socket.descriptor)
  }
}

/** The newest table that waits; the ones before it are of no use any more. */
function lastTable(): PeerTable | undefined {
  let table: PeerTable | undefined
  for (;;) {
    const received: { message: TunnelTableMessage } | undefined =
      parentPort === null ? undefined : receiveMessageOnPort(parentPort)
    if (received === undefined) return table
    table = received.message.table
  }
}

function failureOf(error: unknown): TunnelThreadMessage {
  if (!(error instanceof LinuxNetError)) {
    return { type: 'failed', code: 'linux-net/tunnel-ended', message: 'the udp tunnel ended', cause: error }
  }
  const { code, message, hint, cause } = error
  return { type: 'failed', code, message, ...(hint === undefined ? {} : { hint }), cause }
}

const say = (message: TunnelThreadMessage): void => parentPort?.postMessage(message)
const data: TunnelThreadData = workerData
runThread(data, say).catch((error: unknown) => say(failureOf(error)))
