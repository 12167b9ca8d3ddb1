/** `flanneld plan`: what would change in the kernel. */
import { outputForm, printJson } from '@cluster/cli'
import type { Plan } from '@cluster/flannel'
import type { Run } from '../command.ts'
import { FlanneldError } from '../errors.ts'
import { askOrRead } from '../without-daemon.ts'

type PlanAnswer = { readonly networks: readonly Plan[] }

export const plan: Run = async (context, { flags }) => {
  const { io, signal } = context
  const answer = await askOrRead(context, flags, '/v1/plan', async (networks) => {
    const { foreseeStart } = await import('@cluster/flannel')
    return { networks: await Promise.all(networks.map((network) => foreseeStart(network, signal))) }
  })
  if (!isPlanAnswer(answer)) {
    throw new FlanneldError('flanneld/bad-answer', 'flanneld answered with what is no plan', {
      hint: 'is the daemon of the same release as this command?',
    })
  }
  if (outputForm(flags.text('output')) === 'json') {
    printJson(io, answer)
    return 0
  }
  const [lines, notes] = [answer.networks.flatMap((one) => one.lines), answer.networks.flatMap((one) => one.notes)]
  for (const line of lines) io.stdout.write(`${line}\n`)
  for (const note of notes) io.stderr.write(`${note}\n`)
  if (lines.length === 0) io.stderr.write('nothing would change\n')
  return 0
}

const isPlanAnswer = (value: unknown): value is PlanAnswer =>
  typeof value === 'object' &&
  value !== null &&
  'networks' in value &&
  Array.isArray(value.networks) &&
  value.networks.every((one: unknown) => typeof one === 'object' && one !== null && 'lines' in one && 'notes' in one)
