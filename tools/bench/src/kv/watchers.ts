/** Claim: ten thousand idle watchers cost less memory than in etcd, and the last has the event as soon. */
import { connect, type Socket } from 'node:net'
import { processFigures } from '../process-figures.ts'
import { openWire } from './load.ts'
import type { Peer } from './peer.ts'

export type WatchersResult = {
  readonly peer: string
  readonly watchers: number
  readonly bytesEach: number
  readonly firstMs: number
  readonly lastMs: number
}

/** Opens the watchers on one key, lets them settle, writes the key once and waits for the last answer. */
export async function measureWatchers(peer: Peer, watchers: number): Promise<WatchersResult> {
  const { target, pid, name } = peer
  const before = processFigures(pid).rssBytes
  const request = Buffer.from(`GET /v2/keys/bench-watched?wait=true HTTP/1.1\r\nHost: ${target.host}\r\n\r\n`, 'latin1')
  const sockets: Socket[] = []
  const heard: Promise<number>[] = []
  for (let opened = 0; opened < watchers; opened += 200) {
    const group = Array.from({ length: Math.min(200, watchers - opened) }, () => openWatcher(target, request))
    for (const one of await Promise.all(group)) {
      sockets.push(one.socket)
      heard.push(one.heard)
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const bytesEach = (processFigures(pid).rssBytes - before) / watchers
  const wire = await openWire(target)
  const startMs = performance.now()
  await wire.ask(
    Buffer.from(
      `PUT /v2/keys/bench-watched HTTP/1.1\r\nHost: ${target.host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\nvalue=1`,
      'latin1',
    ),
  )
  const times = (await Promise.all(heard)).map((timeMs) => timeMs - startMs).sort((one, other) => one - other)
  wire.close()
  for (const socket of sockets) socket.destroy()
  return { peer: name, watchers, bytesEach, firstMs: times[0] ?? Number.NaN, lastMs: times.at(-1) ?? Number.NaN }
}

/** Resolves when the head of the answer is there: the watcher is registered. `heard`: when its event came. */
function openWatcher(
  { host, port }: Peer['target'],
  request: Buffer,
): Promise<{ readonly socket: Socket; readonly heard: Promise<number> }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => socket.write(request))
    socket.once('data', (head) => {
      if (!String(head).startsWith('HTTP/1.1 200')) {
        reject(new Error(`a watch was refused: ${String(head).slice(0, 100)}`))
        return
      }
      const heard = new Promise<number>((hear) => {
        socket.once('data', () => hear(performance.now()))
      })
      resolve({ socket, heard })
    })
  })
}
