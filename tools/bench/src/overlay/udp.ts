/**
 * Claim: the udp backend carries at least twice what the original carries, which was 3.4% of the bare link with 250 µs for
 * a round trip (one system call per packet; recorded on a machine of this kind). Beside each other in the same run: the
 * bare link, our tunnel, and our tunnel told to use one system call per packet.
 */
import { join } from 'node:path'
import type { BenchContext } from '../bench.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { type TwoMachines, wireAddresses } from './namespaces.ts'
import { gigabits, measureTraffic, type Traffic } from './traffic.ts'

export type UdpOptions = { readonly rounds: number; readonly seconds: number }

const contenders = ['bare link', 'udp', 'udp, one call per packet'] as const
const roundTripCount = 2000

/** Measures all contenders in turns; gives the report as Markdown. */
export async function benchUdp(
  { rounds, seconds }: UdpOptions,
  machines: TwoMachines,
  { root, say }: BenchContext,
): Promise<string> {
  const through = (address: string): Promise<Traffic> =>
    measureTraffic(machines, { address, seconds, roundTrips: roundTripCount })
  const results = contenders.map((): Traffic[] => [])
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, name] of contenders.entries()) {
      const measured =
        index === 0
          ? await through(wireAddresses[1])
          : await throughTunnel(root, machines, index === 1, () => through('10.5.2.0'))
      results[index]?.push(measured)
      const { bytesPerSecond, roundTrip } = measured
      say(`round ${round}, ${name}: ${gigabits(bytesPerSecond)} Gbit/s, ${roundTrip.toFixed(0)} µs`)
    }
  }
  return report(results, rounds, seconds)
}

/** The report of what was measured, one list for each contender, the bare link first. */
export function report(results: readonly (readonly Traffic[])[], rounds: number, seconds: number): string {
  const middle = (measured: readonly Traffic[], of: (one: Traffic) => number): number => median(measured.map(of))
  const bare = middle(results[0] ?? [], (one) => one.bytesPerSecond)
  const rows = results.map((measured, index) => {
    const speed = middle(measured, (one) => one.bytesPerSecond)
    return [
      contenders[index] ?? '',
      gigabits(speed),
      `${((100 * speed) / bare).toFixed(1)}%`,
      `${middle(measured, (one) => one.roundTrip).toFixed(0)} µs`,
      `${middle(measured, (one) => one.late).toFixed(0)} µs`,
      middle(measured, (one) => one.cpu).toFixed(0),
    ]
  })
  return [
    `**Two network namespaces and a wire between them, ${rounds} rounds of ${seconds} s, medians.** One TCP stream of a program of ours, and ${roundTripCount} round trips of one byte on one connection; processor time is that of both ends and both tunnels together.`,
    '',
    table(['', 'Gbit/s', 'of the bare link', 'round trip p50', 'p99', 'CPU ms per GB'], rows),
    '',
    "flannel's own proxy, recorded on a machine of this kind: 3.4% of the bare link, round trip 250 µs.",
  ].join('\n')
}

async function throughTunnel(
  root: string,
  { first, second }: TwoMachines,
  isBundling: boolean,
  use: () => Promise<Traffic>,
): Promise<Traffic> {
  const workerFile = join(root, 'apps/flanneld/dist/flanneld-udp-worker.cjs')
  const sides = [
    { machine: first, own: 1, other: 2 },
    { machine: second, own: 2, other: 1 },
  ]
  for (const { machine, own, other } of sides) {
    const options = {
      address: `10.5.${own}.0`,
      bind: { address: `10.78.0.${own}`, port: 8285 },
      peers: [{ subnet: `10.5.${other}.0/24`, publicIp: `10.78.0.${other}` }],
      isBundling,
      workerFile,
    }
    const { device = '' } = await machine.ask({ do: 'open-tunnel', options })
    machine.ip(`addr add 10.5.${own}.0/16 dev ${device}`)
    machine.ip(`link set ${device} mtu 1472 up`)
  }
  try {
    return await use()
  } finally {
    for (const { machine } of sides) await machine.ask({ do: 'close-tunnel' })
  }
}
