/** Two machines as network namespaces with one wire between them, and a process in each. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { BenchError } from '../errors.ts'
import type { MachineAnswer, MachineRequest } from './machine.ts'

export type Machine = {
  readonly ask: (request: MachineRequest) => Promise<MachineAnswer>
  /** `ip` inside the namespace, its words in one text. */
  readonly ip: (words: string) => void
}

export type TwoMachines = AsyncDisposable & { readonly first: Machine; readonly second: Machine }

/** The machines' addresses on the wire. */
export const wireAddresses = ['10.78.0.1', '10.78.0.2'] as const

/** Makes them; needs root. `file` is the program of their processes. Error: `bench/no-namespaces`. */
export function openTwoMachines(file: string): TwoMachines {
  const names = [`bench${process.pid}a`, `bench${process.pid}b`] as const
  const ip = (words: string): void => void execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] })
  const children: ChildProcess[] = []
  try {
    for (const name of names) ip(`netns add ${name}`)
    ip(`-n ${names[0]} link add wire type veth peer name wire netns ${names[1]}`)
    for (const [index, name] of names.entries()) {
      ip(`-n ${name} addr add ${wireAddresses[index]}/24 dev wire`)
      for (const link of ['lo', 'wire']) ip(`-n ${name} link set ${link} up`)
    }
  } catch (cause) {
    for (const name of names) spawnSync('ip', ['netns', 'del', name])
    throw new BenchError('bench/no-namespaces', 'two network namespaces could not be made', {
      hint: 'run this as root, on a kernel with veth',
      cause,
    })
  }
  const open = (name: string): Machine => {
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, file], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    children.push(child)
    return { ask: (request) => ask(child, request), ip: (words) => ip(`-n ${name} ${words}`) }
  }
  return {
    first: open(names[0]),
    second: open(names[1]),
    [Symbol.asyncDispose]: async () => {
      for (const child of children.filter(({ connected }) => connected)) {
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
        child.disconnect()
        await ended
      }
      for (const name of names) ip(`netns del ${name}`)
    },
  }
}

/** One request at a time. */
const ask = (child: ChildProcess, request: MachineRequest): Promise<MachineAnswer> =>
  new Promise((resolve, reject) => {
    const onExit = (): void => reject(new BenchError('bench/machine-ended', 'the process of a machine ended'))
    child.once('exit', onExit)
    child.once('message', (answer: MachineAnswer) => {
      child.off('exit', onExit)
      if (answer.error === undefined) resolve(answer)
      else reject(new BenchError('bench/machine-ended', answer.error))
    })
    child.send(request)
  })
