/** `flanneld status`: the own lease, the peers and their state. */
import { outputForm, printJson, printTable } from '@cluster/cli'
import type { FlannelStatus, PeerStatus } from '@cluster/flannel'
import type { Run } from '../command.ts'
import { FlanneldError } from '../errors.ts'
import { goDuration } from '../flannel-words.ts'
import { version } from '../version.ts'
import { askOrRead } from '../without-daemon.ts'

type StatusAnswer = { readonly version: string; readonly networks: readonly FlannelStatus[] }

export const status: Run = async (context, { flags }) => {
  const { io, signal } = context
  const answer = await askOrRead(context, flags, '/v1/status', async (networks) => {
    const { readStatus } = await import('@cluster/flannel')
    return { version, networks: await Promise.all(networks.map((network) => readStatus(network, signal))) }
  })
  if (!isStatusAnswer(answer)) {
    throw new FlanneldError('flanneld/bad-answer', 'flanneld answered with what is no status', {
      hint: 'is the daemon of the same release as this command?',
    })
  }
  const form = outputForm(flags.text('output'))
  if (form === 'json') printJson(io, answer)
  else {
    for (const network of answer.networks) {
      if (form === 'table') io.stdout.write(`${statusLines(network).join('\n')}\n\n`)
      printTable(io, form, { heading: peerHeading, rows: network.peers.map(peerRow), json: network.peers })
    }
  }
  return answer.networks.every(({ ready }) => ready) ? 0 : 1
}

/** Only the daemon answers at its socket, so that the outer form is proof enough. */
const isStatusAnswer = (value: unknown): value is StatusAnswer =>
  typeof value === 'object' &&
  value !== null &&
  'networks' in value &&
  Array.isArray(value.networks) &&
  value.networks.every((one: unknown) => typeof one === 'object' && one !== null && 'phase' in one && 'peers' in one)

/** What a person wants to know first, one thing a line. */
export function statusLines(status: FlannelStatus): readonly string[] {
  const { name, network, backend, lease, external, publicIp, device, mtu, store, kernel, drops, problems } = status
  const overlay = [
    ...(name === undefined ? [] : [`${name}:`]),
    network ?? 'no configuration yet',
    ...(backend === undefined ? [] : [`by ${backend}`]),
  ].join(' ')
  return [
    line('overlay', `${overlay}, ${status.ready ? 'ready' : 'not ready'} (${status.phase})`),
    line('subnet', lease === undefined ? 'none yet' : `${lease.subnet}${leaseEnd(lease)}`),
    line(
      'link',
      external === undefined
        ? 'none'
        : `${external.device} (${external.interfaceAddress}, MTU ${external.mtu}), known as ${publicIp ?? 'nobody'}`,
    ),
    ...(mtu === undefined
      ? []
      : [line('containers', `MTU ${mtu}${device === undefined ? '' : `, through ${device}`}`)]),
    line('store', store.reachable ? 'answers' : `away for ${goDuration(store.unreachableSeconds ?? 0)}`),
    line('kernel', kernelText(kernel)),
    ...kernel.failures.map((failure) => line('refused', failure)),
    ...Object.entries(drops ?? {}).flatMap(([reason, count]) =>
      count === 0 ? [] : [line('dropped', `${count} packets: ${reason}`)],
    ),
    ...problems.map((problem) => line('problem', problem)),
  ]
}

const line = (what: string, text: string): string => `${what.padEnd(12)}${text}`

function leaseEnd({ expiresInSeconds, renewsInSeconds }: NonNullable<FlannelStatus['lease']>): string {
  if (expiresInSeconds === undefined) return ', reserved'
  if (expiresInSeconds < 0) return `, ended ${goDuration(-expiresInSeconds)} ago`
  const renewal = renewsInSeconds === undefined ? '' : `, renewed in ${goDuration(renewsInSeconds)}`
  return `, ends in ${goDuration(expiresInSeconds)}${renewal}`
}

function kernelText({ lastLookSeconds, repairs }: FlannelStatus['kernel']): string {
  const look = lastLookSeconds === undefined ? 'not looked at yet' : `looked at ${goDuration(lastLookSeconds)} ago`
  return `${look}, ${repairs} repairs`
}

const peerHeading = ['SUBNET', 'PUBLIC IP', 'BACKEND', 'PATH', 'LAST SEEN', 'ENDS IN']

const peerRow = (peer: PeerStatus): readonly string[] => [
  peer.subnet,
  peer.publicIp,
  peer.backendType === '' ? '-' : peer.backendType,
  peer.reason === undefined ? peer.path : `${peer.path}: ${peer.reason}`,
  `${goDuration(peer.lastSeenSeconds)} ago`,
  peer.expiresInSeconds === undefined ? 'never' : goDuration(peer.expiresInSeconds),
]
