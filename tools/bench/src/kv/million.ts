/**
 * Claim: a million keys cost no more memory than in etcd, a restart takes no longer, and no request waits for 100 ms
 * while snapshots are taken. A probe asks for one small key all the time; its longest wait is the longest stall.
 */
import { processFigures } from '../process-figures.ts'
import { openWire, percentile, runLoad } from './load.ts'
import { type Peer, type PeerCommand, probeKey, startPeer } from './peer.ts'
import { fillRequests, getRequests, type KeySpace } from './requests.ts'

export type MillionResult = {
  readonly peer: string
  readonly keys: number
  readonly fillPerSecond: number
  readonly rssBytes: number
  readonly rssAfterRestartBytes: number
  readonly restartSeconds: number
  /** Of the probe while the keys were written, snapshots included. */
  readonly stallMs: number
  readonly probeP99Ms: number
  readonly failures: number
}

export async function measureMillion(
  command: PeerCommand,
  folder: string,
  space: KeySpace,
  say: (line: string) => void,
): Promise<MillionResult> {
  const first = await startPeer(command, folder)
  const probe = probeWhile(first)
  const fill = await runLoad({
    target: first.target,
    connections: 64,
    make: fillRequests(first.target, space),
    seconds: 1800,
    requestsMax: space.keys,
  })
  const waits = await probe.stop()
  const { rssBytes } = processFigures(first.pid)
  say(`${command.name}: ${space.keys} keys in ${fill.seconds.toFixed(0)} s, ${Math.round(rssBytes / 1e6)} MB`)
  await first.stop()
  const startMs = performance.now()
  const second = await startPeer(command, folder)
  const restartSeconds = (performance.now() - startMs) / 1000
  const check = await runLoad({
    target: second.target,
    connections: 8,
    make: getRequests(second.target, space),
    seconds: 60,
    requestsMax: 10_000,
  })
  const after = processFigures(second.pid).rssBytes
  await second.stop()
  return {
    peer: command.name,
    keys: space.keys,
    fillPerSecond: fill.requests / fill.seconds,
    rssBytes,
    rssAfterRestartBytes: after,
    restartSeconds,
    stallMs: waits.at(-1) ?? 0,
    probeP99Ms: percentile(waits, 0.99),
    failures: fill.failures + check.failures,
  }
}

/** Asks for one key, again and again, on a connection of its own. */
function probeWhile({ target }: Peer): { readonly stop: () => Promise<Float64Array> } {
  let isOn = true
  const request = Buffer.from(`GET /v2/keys${probeKey} HTTP/1.1\r\nHost: ${target.host}\r\n\r\n`, 'latin1')
  const asked = (async () => {
    const wire = await openWire(target)
    const waits: number[] = []
    while (isOn) {
      const beganMs = performance.now()
      if ((await wire.ask(request)) === 0) break
      waits.push(performance.now() - beganMs)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    wire.close()
    return Float64Array.from(waits).sort()
  })()
  return {
    stop: () => {
      isOn = false
      return asked
    },
  }
}
