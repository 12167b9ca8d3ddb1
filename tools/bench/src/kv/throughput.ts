/**
 * Claim: PUT at least 1.2 times, GET at least 1.0 times what etcd 3.4 does, on the same disk with the same client.
 * Rounds are interleaved, so that what else the machine does meets both; medians are compared.
 */

import { processFigures } from '../process-figures.ts'
import { median } from '../statistics.ts'
import { type LoadResult, percentile, type RequestMaker, runLoad } from './load.ts'
import type { Peer, PeerName } from './peer.ts'
import { fillRequests, getRequests, type KeySpace, prepared, putRequests } from './requests.ts'

export type Round = {
  readonly peer: PeerName
  readonly operation: 'put' | 'get'
  readonly connections: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly cpuMicros: number
  readonly mainMicros: number
  readonly rssBytes: number
  readonly failures: number
}

export type ThroughputOptions = {
  readonly peers: readonly Peer[]
  readonly space: KeySpace
  readonly connections: number
  readonly seconds: number
  readonly rounds: number
  readonly say: (line: string) => void
}

/** Fills the key space, warms both up, then measures PUT and GET in interleaved rounds. */
export async function measureThroughput(options: ThroughputOptions): Promise<readonly Round[]> {
  const { peers, space, connections, seconds, rounds, say } = options
  for (const { name, target } of peers) {
    say(`${name}: ${space.keys} keys`)
    await runLoad({
      target,
      connections: 64,
      make: fillRequests(target, space),
      seconds: 600,
      requestsMax: space.keys,
    })
    await runLoad({ target, connections, make: putRequests(target, space), seconds: 2 })
    await runLoad({ target, connections, make: getRequests(target, space), seconds: 2 })
  }
  const found: Round[] = []
  for (let round = 1; round <= rounds; round += 1) {
    for (const operation of ['put', 'get'] as const) {
      for (const peer of peers) {
        const requests = operation === 'put' ? putRequests(peer.target, space) : getRequests(peer.target, space)
        const make = prepared(requests, space)
        const one = await measureRound(peer, operation, make, connections, seconds)
        found.push(one)
        say(`round ${round} ${operation} ${peer.name}: ${Math.round(one.perSecond)}/s, p99 ${one.p99Ms.toFixed(2)} ms`)
      }
    }
  }
  return found
}

async function measureRound(
  { name, pid, target }: Peer,
  operation: 'put' | 'get',
  make: RequestMaker,
  connections: number,
  seconds: number,
): Promise<Round> {
  const before = processFigures(pid)
  const result: LoadResult = await runLoad({ target, connections, make, seconds })
  const after = processFigures(pid)
  return {
    peer: name,
    operation,
    connections,
    perSecond: result.requests / result.seconds,
    p50Ms: percentile(result.latenciesMs, 0.5),
    p99Ms: percentile(result.latenciesMs, 0.99),
    p999Ms: percentile(result.latenciesMs, 0.999),
    cpuMicros: ((after.cpuSeconds - before.cpuSeconds) / result.requests) * 1e6,
    mainMicros: ((after.mainThreadSeconds - before.mainThreadSeconds) / result.requests) * 1e6,
    rssBytes: after.rssBytes,
    failures: result.failures,
  }
}

/** The medians of the rounds of one peer and operation. */
export function medianRound(
  rounds: readonly Round[],
  peer: PeerName,
  operation: 'put' | 'get',
): Omit<Round, 'failures'> {
  const own = rounds.filter((one) => one.peer === peer && one.operation === operation)
  const of = (pick: (round: Round) => number): number => median(own.map(pick))
  return {
    peer,
    operation,
    connections: own[0]?.connections ?? 0,
    perSecond: of((one) => one.perSecond),
    p50Ms: of((one) => one.p50Ms),
    p99Ms: of((one) => one.p99Ms),
    p999Ms: of((one) => one.p999Ms),
    cpuMicros: of((one) => one.cpuMicros),
    mainMicros: of((one) => one.mainMicros),
    rssBytes: of((one) => one.rssBytes),
  }
}
