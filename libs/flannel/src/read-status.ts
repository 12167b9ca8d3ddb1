/** The status of a machine on which no service runs, from the store, the link and the kernel. */
import { isClusterError } from '@cluster/prelude'
import { formatNet4 } from '@cluster/subnet'
import { checkExternal } from './await-start.ts'
import { createBackend } from './backends/create-backend.ts'
import type { ExternalInterface } from './external.ts'
import { expiresInSeconds } from './known-lease.ts'
import { planOf } from './overlay.ts'
import { leaseOf, type NetworkReading, type ReadOverlayOptions, readNetwork } from './read-network.ts'
import { overlayWith } from './read-overlay.ts'
import { junkProblems, peerStatus } from './service-status.ts'
import type { FlannelStatus } from './status.ts'

/**
 * As the status of a service that is stopped, with what its leases and the kernel say now. It is never ready: nobody
 * renews the lease. Changes nothing.
 *
 * @throws FlannelError `flannel/unknown-backend`; KvError; what the kernel port throws
 */
export async function readStatus(options: ReadOverlayOptions, signal: AbortSignal): Promise<FlannelStatus> {
  const [reading, link] = await Promise.all([readNetwork(options, signal), findLink(options, signal)])
  const { book, finding, keyspace } = reading
  const known =
    finding.kind === 'config' && link.external !== undefined
      ? await machineFields(options, reading, link.external, signal)
      : { problems: [] }
  return {
    phase: 'stopped',
    ready: false,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(finding.kind === 'config'
      ? { network: formatNet4(finding.config.network), backend: finding.config.backendType }
      : {}),
    store: { reachable: true },
    kernel: { repairs: 0, failures: [] },
    peers: [],
    ...known,
    problems: [
      ...link.problems,
      ...(finding.kind === 'config' ? [] : [`${keyspace.config}: ${finding.problem}`]),
      ...known.problems,
      ...junkProblems(book),
    ],
  }
}

type Found = { readonly external?: ExternalInterface; readonly problems: readonly string[] }

/** A link that is missing is a part of the answer. */
async function findLink({ findExternal }: ReadOverlayOptions, signal: AbortSignal): Promise<Found> {
  try {
    return { external: checkExternal(await findExternal(signal)), problems: [] }
  } catch (error) {
    if (!isClusterError(error)) throw error
    return { problems: [error.message] }
  }
}

async function machineFields(
  options: ReadOverlayOptions,
  reading: NetworkReading,
  external: ExternalInterface,
  signal: AbortSignal,
): Promise<Partial<FlannelStatus> & Pick<FlannelStatus, 'problems'>> {
  const { finding, keyspace, atMs } = reading
  if (finding.kind !== 'config') return { problems: [] }
  const { device, mtu, interfaceAddress, publicIp } = external
  const link = {
    external: { device, mtu, interfaceAddress },
    publicIp,
    mtu: createBackend(finding.config).mtu(mtu),
  }
  const lease = leaseOf(reading, publicIp)
  const own = lease?.subnet.v4
  if (lease === undefined || own === undefined) return { ...link, problems: [`no lease belongs to ${publicIp}`] }
  const data = lease.attributes.backendData
  const overlay = await overlayWith(options, reading, { external, own, ownKey: lease.key, data }, signal)
  const changes = planOf(overlay).lines.length
  const left = expiresInSeconds(lease, atMs)
  const present = overlay.observed.links.find(({ name }) => name === overlay.surroundings.device)
  return {
    ...link,
    ...(present === undefined ? {} : { device: present.name }),
    lease: {
      subnet: formatNet4(own),
      key: `${keyspace.subnets}/${lease.key}`,
      ...(left === undefined ? {} : { expiresInSeconds: Math.round(left) }),
    },
    kernel: { lastLookSeconds: 0, repairs: 0, failures: [] },
    peers: overlay.judgements.map((judgement) => peerStatus(judgement, atMs)),
    problems: changes === 0 ? [] : [`the kernel is not as the leases ask for: ${changes} changes, see plan`],
  }
}
