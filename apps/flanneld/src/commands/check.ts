/** `flanneld check PEER`: the first broken hop. */
import { outputForm, printTable } from '@cluster/cli'
import type { CheckReport, Hop } from '@cluster/flannel'
import { askDaemon } from '../ask-daemon.ts'
import type { Run } from '../command.ts'
import { FlanneldError } from '../errors.ts'

export const check: Run = async ({ io, networks, signal }, { flags, args }) => {
  const [peer, ...more] = args
  if (peer === undefined || more.length > 0) {
    io.stderr.write('flanneld check takes one peer\nits subnet, an address in it, or its public address\n')
    return 2
  }
  const answer = await askDaemon(networks, `/v1/check?peer=${encodeURIComponent(peer)}`, signal)
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

/** What is broken, and what to do. */
export function complaints({ subnet, publicIp, hops, broken }: CheckReport): readonly string[] {
  const hop = hops.find(({ name }) => name === broken)
  if (hop === undefined) return []
  return [`packets to ${subnet} (${publicIp}) do not get past: ${hop.name}: ${hop.found}`, ...remedy(hop)]
}

const remedy = (hop: Hop): readonly string[] => (hop.remedy === undefined ? [] : [hop.remedy])

const isCheckReport = (value: unknown): value is CheckReport =>
  typeof value === 'object' && value !== null && 'subnet' in value && 'hops' in value && Array.isArray(value.hops)
