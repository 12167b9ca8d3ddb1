/** What the service tells about itself: one function per event, log line and figures together. */
import { describeError, isClusterError, type Logger, type Meter } from '@cluster/prelude'
import type { UdpTunnelFigures } from './udp-tunnel.ts'

export type FlannelEvents = {
  readonly configFound: (fields: {
    readonly network: string
    readonly subnetLength: number
    readonly backend: string
    readonly subnetMin: string
    readonly subnetMax: string
  }) => void
  readonly configWarning: (warning: string) => void
  readonly configProblem: (fields: { readonly key: string; readonly problem: string }) => void
  readonly configChanged: (fields: { readonly key: string }) => void
  readonly externalFound: (fields: ExternalFields) => void
  readonly externalChanged: (fields: ExternalFields) => void
  readonly externalMissing: (error: unknown) => void
  readonly allocation: (fields: { readonly step: string; readonly reason: string }) => void
  readonly leaseAcquired: (fields: {
    readonly subnet: string
    readonly publicIp: string
    readonly how: string
    readonly attempts: number
  }) => void
  readonly leaseRenewed: (fields: { readonly subnet: string; readonly ttlSeconds?: number }) => void
  readonly leaseRenews: (fields: { readonly subnet: string; readonly inSeconds: number }) => void
  readonly leaseRecreated: (fields: { readonly subnet: string }) => void
  readonly leaseTaken: (fields: { readonly subnet: string; readonly by: string }) => void
  readonly leaseRewritten: (fields: { readonly subnet: string; readonly found: string; readonly ours: string }) => void
  readonly leaseWriteFailed: (error: unknown, fields: { readonly subnet: string; readonly retryInMs: number }) => void
  readonly storeWriteFailed: (error: unknown, fields: { readonly retryInMs: number }) => void
  readonly junkKey: (fields: { readonly key: string; readonly reason: string }) => void
  /** The store lost leases that their machines may still hold. */
  readonly leasesLost: (fields: { readonly count: number; readonly keptSeconds: number }) => void
  readonly peerRefused: (fields: {
    readonly subnet: string
    readonly publicIp: string
    readonly reason: string
  }) => void
  readonly peerIgnored: (fields: {
    readonly subnet: string
    readonly publicIp: string
    readonly reason: string
  }) => void
  readonly peers: (fields: { readonly usable: number; readonly known: number }) => void
  readonly programmed: (fields: {
    readonly seconds: number
    readonly commands: number
    readonly why: 'leases' | 'look'
  }) => void
  readonly repaired: (fields: { readonly commands: readonly string[]; readonly count: number }) => void
  readonly kernelRefused: (fields: { readonly command: string; readonly reason: string }) => void
  readonly lookFailed: (error: unknown) => void
  readonly filterSet: (fields: { readonly why: 'start' | 'repair' | 'change' }) => void
  readonly filterFailed: (error: unknown) => void
  readonly subnetFileWritten: (fields: { readonly subnet: string; readonly mtu: number }) => void
  readonly subnetFileUnreadable: (error: unknown) => void
  readonly subnetFileFailed: (error: unknown) => void
  readonly mtuSmall: (fields: { readonly mtu: number }) => void
  readonly tunnelEnded: (error: unknown, fields: { readonly retryInMs: number }) => void
  readonly tunnelFigures: (counters: UdpTunnelFigures) => void
  readonly ready: (fields: { readonly peers: number }) => void
  readonly stopped: (fields: { readonly end: string }) => void
}

type ExternalFields = {
  readonly device: string
  readonly mtu: number
  readonly interfaceAddress: string
  readonly publicIp: string
}

const errorFields = (error: unknown) => ({
  error: describeError(error).join(': '),
  ...(isClusterError(error) ? { code: error.code } : {}),
})

/** @param network the name in multi-network mode, `''` for the only one: a label of every figure */
export function createEvents(log: Logger, meter: Meter, network: string): FlannelEvents {
  const labels = { network }
  const names = ['network']
  const peersGauge = meter.gauge('flannel_peers', 'Machines that packets can be sent to', names)
  const leasesGauge = meter.gauge('flannel_leases', 'Leases of other machines that were read', names)
  const readyGauge = meter.gauge('flannel_ready', 'Whether the overlay works here, as far as known', names)
  const renewals = meter.counter('flannel_lease_renewals_total', 'Times that the lease was renewed', names)
  const lost = meter.counter('flannel_lease_lost_total', 'Times that the lease had vanished or was taken', names)
  const failedWrites = meter.counter('flannel_store_write_failures_total', 'Writes the store did not take', names)
  const junk = meter.counter('flannel_ignored_keys_total', 'Keys that are no usable leases', names)
  const seconds = meter.histogram('flannel_program_seconds', 'From a reason to the changed kernel', [...names, 'why'])
  const repairs = meter.counter('flannel_repairs_total', 'Objects of ours put back into the kernel', names)
  const refusals = meter.counter('flannel_kernel_failures_total', 'Commands that the kernel refused', names)
  const drops = meter.gauge('flannel_udp_dropped_packets', 'Packets dropped by the udp data plane', [
    ...names,
    'reason',
  ])
  const sent = meter.gauge('flannel_udp_sent_packets', 'Packets sent by the udp data plane', names)
  const received = meter.gauge('flannel_udp_received_packets', 'Packets received by the udp data plane', names)

  return {
    configFound: (fields) => log.info('network configuration found', fields),
    configWarning: (warning) => log.warn('network configuration', { warning }),
    configProblem: (fields) =>
      log.warn('no usable network configuration, waiting for one', {
        ...fields,
        hint: `write it: etcdctl set ${fields.key} '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}'`,
      }),
    configChanged: (fields) =>
      log.warn('the network configuration was changed; this machine goes on with the one it started with', {
        ...fields,
        hint: 'restart flanneld on one machine after the other to use it',
      }),
    externalFound: (fields) => log.info('using external interface', fields),
    externalChanged: (fields) => log.warn('the external interface has changed, following it', fields),
    externalMissing: (error) =>
      log.warn('no external interface can be used now, going on with what was set up', errorFields(error)),
    allocation: (fields) => log.info('subnet', fields),
    leaseAcquired: (fields) => log.info('lease acquired', fields),
    leaseRenewed(fields) {
      renewals.add(labels)
      log.info('lease renewed', fields)
    },
    leaseRenews: (fields) => log.debug('lease will be renewed', fields),
    leaseRecreated(fields) {
      lost.add(labels)
      log.warn('our lease had vanished from the store and was made again', fields)
    },
    leaseTaken(fields) {
      lost.add(labels)
      log.error('another machine has our lease', {
        ...fields,
        hint: 'containers of this machine must move to a new subnet: restart flanneld, then what hands out their addresses',
      })
    },
    leaseRewritten: (fields) =>
      log.warn('somebody else writes our lease under our public address; it is written back', {
        ...fields,
        hint: 'no two machines may have one public address: give each its own with --public-ip or --iface',
      }),
    leaseWriteFailed(error, fields) {
      failedWrites.add(labels)
      log.warn('the lease could not be written, the overlay goes on meanwhile', { ...fields, ...errorFields(error) })
    },
    storeWriteFailed(error, fields) {
      failedWrites.add(labels)
      log.warn('the store did not answer', { ...fields, ...errorFields(error) })
    },
    junkKey(fields) {
      junk.add(labels)
      log.warn('key below subnets is no usable lease, ignored', fields)
    },
    leasesLost: (fields) =>
      log.warn('the store has lost leases; their machines have a while to write them again', fields),
    peerRefused: (fields) => log.warn('lease refused', fields),
    peerIgnored: (fields) => log.info('lease without a path from here', fields),
    peers({ usable, known }) {
      peersGauge.set(usable, labels)
      leasesGauge.set(known, labels)
    },
    programmed(fields) {
      seconds.observe(fields.seconds, { ...labels, why: fields.why })
      if (fields.commands > 0) log.debug('kernel programmed', fields)
    },
    repaired(fields) {
      repairs.add(labels, fields.count)
      log.warn('what is ours in the kernel was changed behind our back, repaired', fields)
    },
    kernelRefused(fields) {
      refusals.add(labels)
      log.warn('the kernel refused a command, it is tried again', fields)
    },
    lookFailed: (error) => log.warn('the kernel could not be looked at, it is tried again', errorFields(error)),
    filterSet: (fields) =>
      fields.why === 'repair'
        ? log.warn('filter rules of ours were missing or changed, written again', fields)
        : log.info('filter rules written', fields),
    filterFailed: (error) => log.warn('filter rules could not be written, it is tried again', errorFields(error)),
    subnetFileWritten: (fields) => log.info('subnet file written', fields),
    subnetFileUnreadable: (error) =>
      log.warn('the subnet file is not readable, going on without a previous subnet', errorFields(error)),
    subnetFileFailed: (error) =>
      log.warn('the subnet file could not be rewritten, it is tried again', errorFields(error)),
    mtuSmall: (fields) =>
      log.warn('the MTU left for containers is very small', {
        ...fields,
        hint: 'IPv4 asks for 576; raise the MTU of the external interface',
      }),
    tunnelEnded: (error, fields) =>
      log.error('the udp tunnel ended, opening it again', { ...fields, ...errorFields(error) }),
    tunnelFigures(counters) {
      sent.set(counters.sentPackets, labels)
      received.set(counters.receivedPackets, labels)
      for (const [reason, count] of Object.entries(counters.drops)) drops.set(count, { ...labels, reason })
    },
    ready(fields) {
      readyGauge.set(1, labels)
      log.info('overlay ready', fields)
    },
    stopped(fields) {
      readyGauge.set(0, labels)
      log.info('overlay stopped, what was set up in the kernel stays', fields)
    },
  }
}
