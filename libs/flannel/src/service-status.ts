/** The status of a service, from what it holds. Pure. */
import { formatNet4 } from '@cluster/subnet'
import type { Judgement } from './judge-peers.ts'
import { expiresInSeconds, type LeaseBook } from './known-lease.ts'
import type { NetworkView } from './network-view.ts'
import type { Membership, Service } from './serve-lease.ts'
import type { FlannelPhase, FlannelStatus, PeerStatus } from './status.ts'

type Held = {
  readonly phase: FlannelPhase
  readonly name: string | undefined
  readonly view: NetworkView
  readonly service: Service | undefined
  readonly membership: Membership | undefined
  readonly isConfigStale: boolean
  readonly nowMs: number
}

/** What is told when somebody asks. */
export function statusOf({ phase, name, view, service, membership, isConfigStale, nowMs }: Held): FlannelStatus {
  const awaySinceMs = view.unreachableSinceMs()
  const lookMs = service?.keeper.lastLookMs()
  return {
    phase,
    ready: phase === 'running' && service?.isReady() === true,
    ...(name === undefined ? {} : { name }),
    ...(membership === undefined
      ? {}
      : { network: formatNet4(membership.config.network), backend: membership.config.backendType }),
    ...(service === undefined ? {} : serviceFields(service, nowMs)),
    store: {
      reachable: view.isKnown() && awaySinceMs === undefined,
      ...(awaySinceMs === undefined ? {} : { unreachableSeconds: seconds(nowMs - awaySinceMs) }),
    },
    kernel: {
      ...(lookMs === undefined ? {} : { lastLookSeconds: seconds(nowMs - lookMs) }),
      repairs: service?.keeper.repairs() ?? 0,
      failures: service?.keeper.failures() ?? [],
    },
    peers: service?.judgements().map((judgement) => peerStatus(judgement, nowMs)) ?? [],
    problems: [
      ...(service?.filterProblem() === undefined ? [] : [`filter rules: ${service.filterProblem()}`]),
      ...junkProblems(view.book),
      ...(isConfigStale ? ['the network configuration was changed: restart to use it'] : []),
      ...(service?.holder.isContested() === true
        ? ['another machine writes our lease under our public address: give each machine its own']
        : []),
    ],
  }
}

/** The keys that tell of no lease. */
export const junkProblems = ({ junk }: Pick<LeaseBook, 'junk'>): readonly string[] =>
  [...junk.values()].map(({ key, reason }) => `${key} is ignored: ${reason}`)

function serviceFields(service: Service, nowMs: number): Partial<FlannelStatus> {
  const { holder, tunnel } = service
  const lease = holder.lease()
  const { device: link, mtu: linkMtu, interfaceAddress, publicIp } = service.external()
  const device = service.device()
  const renewsInSeconds = holder.renewsInSeconds()
  const left = expiresInSeconds({ ...lease, readMonotonicMs: lease.atMonotonicMs }, nowMs)
  const figures = tunnel?.counters()
  return {
    ...(device === undefined ? {} : { device }),
    external: { device: link, mtu: linkMtu, interfaceAddress },
    publicIp,
    mtu: service.mtu(),
    lease: {
      subnet: lease.subnet.v4 === undefined ? '' : formatNet4(lease.subnet.v4),
      key: lease.key,
      ...(left === undefined ? {} : { expiresInSeconds: Math.round(left) }),
      ...(renewsInSeconds === undefined ? {} : { renewsInSeconds: Math.round(renewsInSeconds) }),
    },
    ...(figures === undefined ? {} : { drops: figures.drops }),
  }
}

/** Another machine, as judged. */
export function peerStatus(judgement: Judgement, nowMs: number): PeerStatus {
  const { lease } = judgement
  const left = expiresInSeconds(lease, nowMs)
  return {
    subnet: lease.subnetText,
    publicIp: lease.publicIpText,
    backendType: lease.attributes.backendType,
    path: judgement.kind !== 'peer' ? 'none' : judgement.peer.direct === undefined ? 'tunnel' : 'direct',
    ...(judgement.kind === 'peer' ? {} : { reason: judgement.reason }),
    lastSeenSeconds: seconds(nowMs - lease.readMonotonicMs),
    ...(left === undefined ? {} : { expiresInSeconds: Math.round(left) }),
  }
}

const seconds = (ms: number): number => Math.round(ms / 1000)
