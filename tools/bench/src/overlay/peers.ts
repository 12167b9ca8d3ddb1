/**
 * Claims: 2,000 peers from the snapshot are in the kernel within 500 ms of the subnet file (aim 150 ms; flannel 0.9.1 on a
 * machine of this kind: vxlan 180 ms, host-gw 3.8 s), and the lease of one more is a route within 20 ms (aim 5 ms; flannel:
 * 1.4 ms), however many there are.
 */
import type { OverlayLab } from '@cluster/lab/overlay'
import type { BenchContext } from '../bench.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { cleanUp, type Seat, startDaemon } from './daemon.ts'
import {
  type BackendName,
  backendNames,
  lengthenLink,
  makeNetwork,
  openLab,
  peerLease,
  roomyNetwork,
  writePeers,
} from './lab.ts'
import { type RouteWatch, watchRoutes } from './route-watch.ts'

export type Programming = {
  readonly startToFileMs: number
  readonly fileToLastMs: number
  readonly cpuMs: number
  readonly rssBytes: number
}

const peerCount = 2000
const eventsPerRound = 60

/** Starts before many leases, again and again; gives the report as Markdown. */
export async function benchPeers(rounds: number, { root, say }: BenchContext): Promise<string> {
  await using lab = await openLab(root, [1])
  await lengthenLink(lab)
  await using watch = await watchRoutes(lab.host(1).network)
  const seats = await seatsWith(lab, root, peerCount)
  const results = new Map<string, Programming[]>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const { backend, seat } of seats) {
      const programmed = watch.whenRoutes(peerCount)
      const daemon = await startDaemon(seat)
      const { startedMs, subnetFileMs } = daemon
      const lastMs = await programmed
      const { cpuSeconds, rssBytes } = daemon.figures()
      await daemon.stop()
      await cleanUp(seat)
      const [startToFileMs, fileToLastMs] = [subnetFileMs - startedMs, lastMs - subnetFileMs]
      say(
        `round ${round}, ${backend}: file ${startToFileMs.toFixed(0)} ms, last route ${fileToLastMs.toFixed(0)} ms later`,
      )
      results.set(backend, [
        ...(results.get(backend) ?? []),
        { startToFileMs, fileToLastMs, cpuMs: cpuSeconds * 1000, rssBytes },
      ])
    }
  }
  return peersReport(results)
}

/** The report of what each backend took. */
export function peersReport(results: ReadonlyMap<string, readonly Programming[]>): string {
  const rows = [...results].map(([name, programmings]) => {
    const middle = (of: (one: Programming) => number): number => median(programmings.map(of))
    return [
      name,
      `${middle((one) => one.fileToLastMs).toFixed(0)} ms`,
      `${Math.min(...programmings.map((one) => one.fileToLastMs)).toFixed(0)} ms`,
      `${middle((one) => one.startToFileMs).toFixed(0)} ms`,
      `${middle((one) => one.cpuMs).toFixed(0)} ms`,
      `${(middle((one) => one.rssBytes) / 1e6).toFixed(0)} MB`,
    ]
  })
  return [
    `**${peerCount} leases in the store when flanneld starts, ${[...results.values()][0]?.length ?? 0} rounds, medians.** From the subnet file to the last route, as \`ip monitor\` in the host's namespace tells it; processor time and memory of flanneld after that, its start included.`,
    '',
    table(['', 'to the last route', 'least', 'start to file', 'CPU', 'memory'], rows),
    '',
    'flannel 0.9.1, recorded on a machine of this kind: vxlan 180 ms, host-gw 3.8 s. Floor 500 ms, aim 150 ms.',
  ].join('\n')
}

export type Following = {
  /** From sending the write to the route. */
  readonly sinceSentMs: readonly number[]
  /** From the store's answer to the route; 0 where the route came first. */
  readonly sinceWrittenMs: readonly number[]
}

/** Writes leases one by one; gives the report as Markdown. */
export async function benchEvents(rounds: number, { root, say }: BenchContext): Promise<string> {
  await using lab = await openLab(root, [1])
  await lengthenLink(lab)
  await using watch = await watchRoutes(lab.host(1).network)
  const results = new Map<string, Following>()
  for (const before of [0, peerCount]) {
    const seats = await seatsWith(lab, root, before)
    for (let round = 1; round <= rounds; round += 1) {
      for (const { backend, seat } of seats) {
        const name = `${backend}, ${before} peers before`
        const more = await followOneByOne({ lab, watch, seat, backend, before })
        const sofar = results.get(name) ?? { sinceSentMs: [], sinceWrittenMs: [] }
        results.set(name, {
          sinceSentMs: [...sofar.sinceSentMs, ...more.sinceSentMs],
          sinceWrittenMs: [...sofar.sinceWrittenMs, ...more.sinceWrittenMs],
        })
        say(
          `round ${round}, ${name}: ${median(more.sinceSentMs).toFixed(2)} ms, of these ${median(more.sinceWrittenMs).toFixed(2)} after the answer`,
        )
      }
    }
  }
  return eventsReport(results)
}

/** The report of what each situation took. */
export function eventsReport(results: ReadonlyMap<string, Following>): string {
  const rows = [...results].map(([name, { sinceSentMs, sinceWrittenMs }]) => [
    name,
    milliseconds(median(sinceSentMs)),
    milliseconds(late(sinceSentMs)),
    milliseconds(median(sinceWrittenMs)),
    milliseconds(late(sinceWrittenMs)),
  ])
  const [first] = results.values()
  return [
    `**From a peer's lease to the route in another host's kernel, ${first?.sinceSentMs.length ?? 0} leases one after the other.** Since the write was sent to the store (durable, on a new connection), and since its answer; the route as \`ip monitor\` in the host's namespace tells it.`,
    '',
    table(['', 'since sent, p50', 'p99', 'since answered, p50', 'p99'], rows),
    '',
    'flannel 0.9.1, recorded on a machine of this kind: 1.4 ms. Floor 20 ms, aim 5 ms.',
  ].join('\n')
}

const milliseconds = (ms: number): string => `${ms.toFixed(2)} ms`

const late = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? Number.NaN

/** For each backend a network with so many leases. */
async function seatsWith(
  lab: OverlayLab,
  root: string,
  count: number,
): Promise<readonly { readonly backend: BackendName; readonly seat: Seat }[]> {
  const seats: { readonly backend: BackendName; readonly seat: Seat }[] = []
  for (const backend of backendNames) {
    const seat = await makeNetwork(lab, root, { name: `${backend}-${count}`, network: roomyNetwork, backend })
    const leases = Array.from({ length: count }, (_, at) => peerLease(seat.prefix, at + 1, backend))
    await writePeers(lab, leases)
    seats.push({ backend, seat })
  }
  return seats
}

type Follow = {
  readonly lab: OverlayLab
  readonly watch: RouteWatch
  readonly seat: Seat
  readonly backend: BackendName
  /** How many leases are there at the start. */
  readonly before: number
}

/** Far from the subnets among which flanneld chooses its own. */
const firstNewcomer = 3500
/** The first few only warm up. */
const warmUp = 10

async function followOneByOne({ lab, watch, seat, backend, before }: Follow): Promise<Following> {
  const [sinceSentMs, sinceWrittenMs]: [number[], number[]] = [[], []]
  const leases = Array.from({ length: eventsPerRound + warmUp }, (_, at) =>
    peerLease(seat.prefix, firstNewcomer + at, backend),
  )
  const all = before === 0 ? Promise.resolve(0) : watch.whenRoutes(before)
  const daemon = await startDaemon(seat)
  try {
    await all
    for (const [at, { key, value, subnet }] of leases.entries()) {
      const routed = watch.whenRoute(subnet)
      const sentMs = performance.now()
      await lab.store.put(key, value, 86_400)
      const writtenMs = performance.now()
      const routedMs = await routed
      if (at < warmUp) continue
      sinceSentMs.push(routedMs - sentMs)
      sinceWrittenMs.push(Math.max(0, routedMs - writtenMs))
    }
    for (const { key } of leases) await lab.store.remove(key)
  } finally {
    await daemon.stop()
  }
  await cleanUp(seat)
  return { sinceSentMs, sinceWrittenMs }
}
