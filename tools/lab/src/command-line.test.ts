import { memoryIo, runCommandLine } from '@cluster/cli'
import { expect, it } from 'vitest'
import { type LabContext, labCommandLine, splitWords } from './command-line.ts'
import { LabError } from './errors.ts'

it.each([
  [['3'], ['up', '3'], []],
  [
    ['exec', 'm2', '--', 'ls', '-l'],
    ['exec', 'm2'],
    ['ls', '-l'],
  ],
  [
    ['exec', 'm2', 'systemctl', '--failed'],
    ['exec', 'm2'],
    ['systemctl', '--failed'],
  ],
  [['exec', '--help'], ['exec', '--help'], []],
  [['status', '--output', 'json'], ['status', '--output', 'json'], []],
])('%j is split into %j and the command %j', (argv, own, command) => {
  expect(splitWords(argv)).toEqual({ own, command })
})

const attached: string[] = []
const asked: string[] = []
const context = (io: LabContext['io'], commandWords: readonly string[]): LabContext => ({
  io,
  commandWords,
  isInteractive: false,
  up: (machines, store) => {
    asked.push(`${machines} on ${store ?? 'what the environment says'}`)
    return Promise.reject(new LabError('lab/requirements', 'not here'))
  },
  open: () => {
    throw new LabError('lab/not-up', 'there is no lab', { hint: 'start one' })
  },
  down: async () => false,
  attach: async (machine, command) => {
    attached.push([machine, ...command].join(' '))
    return 7
  },
})

const lab = async (...argv: string[]) => {
  const io = memoryIo()
  const { own, command } = splitWords(argv)
  const code = await runCommandLine(labCommandLine, own, io, () => context(io, command))
  return { code, ...io.written }
}

it('gives the exit code of the command that it runs on a machine', async () => {
  expect((await lab('exec', 'm2', '--', 'false')).code).toBe(7)
  expect(attached).toEqual(['m2 false'])
})

it('boots on the store that is asked for', async () => {
  await lab('3')
  await lab('up', '2', '--etcd')
  await lab('4', '--etcd')
  expect(asked).toEqual(['3 on what the environment says', '2 on etcd', '4 on etcd'])
})

it.each([
  [['exec', 'm2'], 'exec needs a command'],
  [['up', 'many'], '"many" is not a count'],
  [['kill'], 'kill needs the name of a machine'],
  [['store', 'burn'], 'freeze, thaw, kill, start'],
  [['sttaus'], 'status'],
])('%j is wrong usage: exit 2, and a way out', async (argv, words) => {
  const { code, stderr } = await lab(...argv)
  expect(code).toBe(2)
  expect(stderr).toContain(words)
  expect(stderr).toContain('lab --help')
})

it('says what to do when there is no lab', async () => {
  expect(await lab('status')).toEqual({ code: 1, stdout: '', stderr: 'there is no lab\nstart one\n' })
})

it('takes down twice without complaint', async () => {
  expect((await lab('down')).code).toBe(0)
})
