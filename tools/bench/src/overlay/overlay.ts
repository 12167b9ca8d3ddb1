/** What the overlay costs: packets on each backend, the start, the leases of others; in network namespaces. */
import { fileURLToPath } from 'node:url'
import type { BenchContext } from '../bench.ts'
import { openTwoMachines } from './namespaces.ts'
import { benchEvents, benchPeers } from './peers.ts'
import { benchStart } from './start.ts'
import { benchThroughput } from './throughput.ts'
import { benchUdp } from './udp.ts'

export const overlayParts = ['throughput', 'udp', 'start', 'lease', 'peers'] as const

export type OverlayOptions = {
  readonly parts: readonly (typeof overlayParts)[number][]
  readonly rounds: number
  readonly seconds: number
}

/** Runs the parts; gives the report as Markdown. Needs root, `ip`, and flanneld and kvd as they were built. */
export async function benchOverlay({ parts, rounds, seconds }: OverlayOptions, context: BenchContext): Promise<string> {
  // Bundled, the machines' program lies beside this one.
  const machineFile = fileURLToPath(new URL('./overlay-machine.js', import.meta.url))
  const run: Readonly<Record<(typeof overlayParts)[number], () => Promise<string>>> = {
    throughput: () => benchThroughput({ rounds, seconds, machineFile }, context),
    udp: async () => {
      await using machines = openTwoMachines(machineFile)
      return await benchUdp({ rounds, seconds }, machines, context)
    },
    start: () => benchStart(rounds, context),
    lease: () => benchEvents(rounds, context),
    peers: () => benchPeers(rounds, context),
  }
  const reports: string[] = []
  for (const part of parts) reports.push(await run[part]())
  return reports.join('\n\n')
}
