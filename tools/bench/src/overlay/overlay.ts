/** What the overlay costs: each backend beside the bare link, between two network namespaces. */
import { fileURLToPath } from 'node:url'
import type { BenchContext } from '../bench.ts'
import { openTwoMachines } from './namespaces.ts'
import { benchUdp, type OverlayOptions } from './udp.ts'

export const overlayParts = ['udp'] as const

/** Runs the parts; gives the report as Markdown. Needs root, `ip` and flanneld as it was built. */
export async function benchOverlay(options: OverlayOptions, context: BenchContext): Promise<string> {
  // Bundled, the machines' program lies beside this one.
  await using machines = openTwoMachines(fileURLToPath(new URL('./overlay-machine.js', import.meta.url)))
  return await benchUdp(options, machines, context)
}
