/**
 * Claim: between containers on two hosts, vxlan and host-gw of flanneld carry at least 0.97 of what the same device and
 * routes carry that were made by hand. Beside each other in the same run, in labs of the same shape; the bare link tells
 * what the measuring program itself can reach.
 */
import { addressOf, type HostNumber, type Namespace, type OverlayLab } from '@cluster/lab/overlay'
import type { BenchContext } from '../bench.ts'
import { BenchError } from '../errors.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { type BackendName, backendNames, openLab } from './lab.ts'
import { type MachineProcess, openMachineProcess } from './machine-process.ts'
import { type Ends, gigabits, measureTraffic, type Traffic } from './traffic.ts'

export type ThroughputOptions = {
  readonly rounds: number
  readonly seconds: number
  /** The program of the machines' processes. */
  readonly machineFile: string
}

type Contender = {
  readonly name: string
  readonly ends: Ends
  /** Of the second end. */
  readonly address: string
}

const hostNumbers = [1, 2] as const
const bareName = 'bare link'
const network = '10.5.0.0/16'
const roundTrips = 500
const turnsPerRound = 4

/** Measures all contenders in turns; gives the report as Markdown. */
export async function benchThroughput(
  { rounds, seconds, machineFile }: ThroughputOptions,
  { root, say }: BenchContext,
): Promise<string> {
  const opened: AsyncDisposable[] = []
  const keep = <Opened extends AsyncDisposable>(one: Opened): Opened => {
    opened.push(one)
    return one
  }
  const endIn = ({ inside }: Namespace): MachineProcess =>
    keep(openMachineProcess(inside([process.execPath, machineFile])))
  const containersOf = (lab: OverlayLab): Ends => ({
    first: endIn(lab.host(1).container),
    second: endIn(lab.host(2).container),
  })
  try {
    const contenders: Contender[] = []
    for (const backend of backendNames) {
      const [byHand, ours] = [keep(await openLab(root, [1, 2])), keep(await openLab(root, [1, 2]))]
      if (contenders.length === 0) {
        const ends = { first: endIn(byHand.host(1).network), second: endIn(byHand.host(2).network) }
        contenders.push({ name: bareName, ends, address: addressOf(2) })
      }
      await setUpByHand(byHand, backend)
      await setUpByFlanneld(ours, backend)
      contenders.push(
        { name: `${backend} by hand`, ends: containersOf(byHand), address: '10.5.2.2' },
        { name: `${backend} by flanneld`, ends: containersOf(ours), address: ours.host(2).containerAddress() },
      )
    }
    const results = new Map<string, Traffic[]>(contenders.map(({ name }) => [name, []]))
    for (let round = 1; round <= rounds; round += 1) {
      // Short turns there and back, so that a machine that slows down in between favours nobody.
      const turns = Array.from({ length: turnsPerRound }, (_, at) =>
        at % 2 === 0 ? contenders : contenders.toReversed(),
      )
      const parts = new Map<string, Traffic[]>(contenders.map(({ name }) => [name, []]))
      for (const { name, ends, address } of turns.flat()) {
        const options = { address, seconds: seconds / turnsPerRound, roundTrips }
        parts.get(name)?.push(await measureTraffic(ends, options))
      }
      for (const [name, several] of parts) results.get(name)?.push(meanOf(several))
      say(
        `round ${round}: ${[...results].map(([name, all]) => `${name} ${gigabits(all.at(-1)?.bytesPerSecond ?? 0)}`).join(', ')} Gbit/s`,
      )
    }
    return throughputReport(results, rounds, seconds)
  } finally {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]()
  }
}

/** The report of what went through each contender, one value for each round. */
export function throughputReport(
  results: ReadonlyMap<string, readonly Traffic[]>,
  rounds: number,
  seconds: number,
): string {
  const rows = [...results].map(([name, traffic]) => {
    const middle = (of: (one: Traffic) => number): number => median(traffic.map(of))
    const byHand = results.get(name.replace('by flanneld', 'by hand'))
    const ratios = traffic.map(
      ({ bytesPerSecond }, at) => bytesPerSecond / (byHand?.[at]?.bytesPerSecond ?? Number.NaN),
    )
    return [
      name,
      gigabits(middle((one) => one.bytesPerSecond)),
      gigabits(Math.max(...traffic.map((one) => one.bytesPerSecond))),
      name.endsWith('by flanneld') ? median(ratios).toFixed(3) : '',
      `${middle((one) => one.roundTrip).toFixed(0)} µs`,
      middle((one) => one.cpu).toFixed(0),
    ]
  })
  return [
    `**Between containers on two hosts, ${rounds} rounds of ${seconds} s in ${turnsPerRound} turns, medians.** One TCP stream of a program of ours, which reaches on the bare link what the first row says; ${roundTrips * turnsPerRound} round trips of one byte; the ratio is the median of the rounds' ratios.`,
    '',
    table(['', 'Gbit/s', 'most', 'of by hand', 'round trip p50', 'CPU ms per GB'], rows),
    '',
    'Floor 0.97 of the same device made by hand.',
  ].join('\n')
}

const meanOf = (parts: readonly Traffic[]): Traffic => {
  const mean = (of: (one: Traffic) => number): number => parts.reduce((sum, one) => sum + of(one), 0) / parts.length
  return {
    bytesPerSecond: mean((one) => one.bytesPerSecond),
    roundTrip: mean((one) => one.roundTrip),
    late: mean((one) => one.late),
    cpu: mean((one) => one.cpu),
  }
}

async function setUpByFlanneld(lab: OverlayLab, backend: BackendName): Promise<void> {
  await lab.store.put('/coreos.com/network/config', JSON.stringify({ Network: network, Backend: { Type: backend } }))
  for (const number of hostNumbers) await lab.host(number).start()
  // The second knows of the first; that the first knows of the second, an answer tells.
  for (let tries = 0; tries < 20; tries += 1) {
    if ((await lab.host(1).ping(lab.host(2).containerAddress())).ok) return
  }
  throw new BenchError('bench/machine-ended', `the containers do not reach each other through ${backend}`)
}

/** What a person would type on each host, with subnet 10.5.1.0/24 on the first and 10.5.2.0/24 on the second. */
async function setUpByHand(lab: OverlayLab, backend: BackendName): Promise<void> {
  const mtu = backend === 'vxlan' ? 1450 : 1500
  for (const [own, other] of [hostNumbers, hostNumbers.toReversed()] as const) {
    if (own === undefined || other === undefined) continue
    const { network: host, container } = lab.host(own)
    await host.ip([
      ...(backend === 'vxlan' ? vxlanLines(own, other) : [`route add 10.5.${other}.0/24 via ${addressOf(other)}`]),
      'link add docker0 type bridge',
      `link set docker0 mtu ${mtu} up`,
      `addr add 10.5.${own}.1/24 dev docker0`,
      `link add c0 mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${container.pid}`,
      'link set c0 master docker0 up',
    ])
    if (backend === 'vxlan') {
      const entry = `${macOf(other)} dev flannel.1 dst ${addressOf(other)} self permanent`
      await host.run(['bridge', 'fdb', 'add', ...entry.split(' ')])
    }
    await container.ip([
      'link set lo up',
      `addr add 10.5.${own}.2/24 dev eth0`,
      'link set eth0 up',
      `route add default via 10.5.${own}.1`,
    ])
  }
}

const macOf = (number: number): string => `02:00:00:00:00:0${number}`

const vxlanLines = (own: HostNumber, other: HostNumber): readonly string[] => [
  `link add flannel.1 mtu 1450 address ${macOf(own)} type vxlan id 1 dev eth0 local ${addressOf(own)} dstport 8472 nolearning`,
  'link set flannel.1 up',
  `addr add 10.5.${own}.0/32 dev flannel.1`,
  `neigh add 10.5.${other}.0 lladdr ${macOf(other)} dev flannel.1 nud permanent`,
  `route add 10.5.${other}.0/24 via 10.5.${other}.0 dev flannel.1 onlink`,
]
