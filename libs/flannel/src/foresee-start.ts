/** What a start of the service would do on this machine, while none runs: the kernel's changes, and the subnet it asks for. */
import type { Random } from '@cluster/prelude'
import { describeSubnet, formatNet4, parseIp4, planAllocation, sameSubnet, toIp4 } from '@cluster/subnet'
import { listingOf } from './acquire-lease.ts'
import { checkExternal } from './await-start.ts'
import { createBackend } from './backends/create-backend.ts'
import { networkProblem } from './judge-peers.ts'
import { type Overlay, planOf } from './overlay.ts'
import type { Plan } from './plan.ts'
import { configIn, type NetworkReading, type ReadOverlayOptions, readNetwork } from './read-network.ts'
import { overlayWith } from './read-overlay.ts'

/**
 * As `planOf`, also for a machine without a lease: the notes say which it would ask for. Nothing is taken or changed.
 *
 * @throws FlannelError `flannel/not-running` without a configuration, `flannel/unknown-backend`; KvError; what
 *   `findExternal` and the kernel port throw
 */
export async function foreseeStart(
  options: ReadOverlayOptions & { readonly random: Random },
  signal: AbortSignal,
): Promise<Plan> {
  const [reading, found] = await Promise.all([readNetwork(options, signal), options.findExternal(signal)])
  const external = checkExternal(found)
  const unusable = createBackend(configIn(reading)).problemWith(external)
  if (unusable !== undefined) return { lines: [], notes: [failure(unusable)] }
  const request = requestOf(reading, external.publicIp, options.random)
  if (request.kind === 'refused') return { lines: [], notes: [failure({ text: request.text })] }
  const { own, ownKey, notes } = request
  // As at a start: a device that is there keeps its hardware address, whatever the lease tells.
  const overlay = await overlayWith(options, reading, { external, own, ownKey }, signal)
  const problem = networkProblem(overlay.observed, overlay.standpoint, options.storeAddresses ?? [])
  if (problem !== undefined) return { lines: [], notes: [failure(problem)] }
  const plan = planOf(overlay)
  return { lines: plan.lines, notes: [...notes, ...tunnelNotes(overlay), ...plan.notes] }
}

const failure = ({ text, hint }: { readonly text: string; readonly hint?: string }): string =>
  `a start would fail: ${text}${hint === undefined ? '' : ` (${hint})`}`

/** The subnet that a start would ask for first, and what it would say about that; no note where the lease is there. */
function requestOf(reading: NetworkReading, publicIpText: string, random: Random) {
  const { entries, keyspace, previous } = reading
  const config = configIn(reading)
  const applicant = {
    config,
    publicIp: parseIp4(publicIpText) ?? toIp4(0),
    ...(previous.subnet === undefined ? {} : { previous: previous.subnet }),
  }
  const { deletions, outcome } = planAllocation(applicant, listingOf(entries, keyspace), random)
  if (outcome.kind === 'out-of-subnets' || outcome.kind === 'taken') {
    return { kind: 'refused', text: outcome.reason } as const
  }
  const { subnet, key } = outcome.kind === 'adopt' ? outcome.lease : outcome
  if (subnet.v4 === undefined) return { kind: 'refused', text: `${key} has no IPv4 subnet` } as const
  const isSettled = previous.subnet !== undefined && sameSubnet(subnet, previous.subnet)
  const choice = isSettled ? 'that of the last run' : 'drawn now: a start draws anew among the free ones'
  const asking = `${publicIpText} has no lease; a start would ask for ${describeSubnet(subnet)}, ${choice}`
  return {
    kind: 'asked',
    own: subnet.v4,
    ownKey: key,
    notes: [
      ...deletions.map(({ lease }) => `a start would give back ${describeSubnet(lease.subnet)}, which is of no use`),
      ...(outcome.kind === 'adopt' ? [] : [asking]),
    ],
  } as const
}

/** The udp backend's device is made by opening it, which is no command. */
const tunnelNotes = ({ backend, surroundings: { device, network } }: Overlay): readonly string[] =>
  backend.udpPort === undefined || device !== undefined
    ? []
    : [`a start would open a tunnel device for ${formatNet4(network)}, which ends with it`]
