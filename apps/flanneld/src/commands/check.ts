/** `flanneld check PEER`: the first broken hop. */
import { outputForm, printTable } from '@cluster/cli'
import type { CheckReport, Hop } from '@cluster/flannel'
import { isClusterError } from '@cluster/prelude'
import type { Run } from '../command.ts'
import { FlanneldError } from '../errors.ts'
import { askOrRead, type NetworkToRead } from '../without-daemon.ts'

export const check: Run = async (context, { flags, args }) => {
  const { io, signal } = context
  const [peer, ...more] = args
  if (peer === undefined || more.length > 0) {
    io.stderr.write('flanneld check takes one peer\nits subnet, an address in it, or its public address\n')
    return 2
  }
  const answer = await askOrRead(context, flags, `/v1/check?peer=${encodeURIComponent(peer)}`, (networks) =>
    checkDirectly(networks, peer, signal),
  )
  if (!isCheckReport(answer)) {
    throw new FlanneldError('flanneld/bad-answer', 'flanneld answered with what is no report', {
      hint: 'is the daemon of the same release as this command?',
    })
  }
  printTable(io, outputForm(flags.text('output')), {
    heading: ['HOP', 'STATE', 'FOUND'],
    rows: answer.hops.map(({ name, state, found }) => [name, state, found]),
    json: answer,
  })
  if (answer.broken === undefined) return 0
  for (const complaint of complaints(answer)) io.stderr.write(`${complaint}\n`)
  return 1
}

/** In the first network that knows the peer; the last one's refusal stands when none does. */
async function checkDirectly(
  [network, ...others]: readonly NetworkToRead[],
  peer: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (network === undefined) return undefined
  const { checkPeer, readOverlay } = await import('@cluster/flannel')
  try {
    return checkPeer(await readOverlay(network, signal), peer)
  } catch (error) {
    if (others.length === 0 || !isClusterError(error, 'flannel/unknown-peer')) throw error
    return checkDirectly(others, peer, signal)
  }
}

/** What is broken, and what to do. */
export function complaints({ subnet, publicIp, hops, broken }: CheckReport): readonly string[] {
  const hop = hops.find(({ name }) => name === broken)
  if (hop === undefined) return []
  return [`packets to ${subnet} (${publicIp}) do not get past: ${hop.name}: ${hop.found}`, ...remedy(hop)]
}

const remedy = (hop: Hop): readonly string[] => (hop.remedy === undefined ? [] : [hop.remedy])

const isCheckReport = (value: unknown): value is CheckReport =>
  typeof value === 'object' && value !== null && 'subnet' in value && 'hops' in value && Array.isArray(value.hops)
