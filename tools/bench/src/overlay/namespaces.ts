/** Two machines as network namespaces with one wire between them, and a process in each. */
import { execFileSync, spawnSync } from 'node:child_process'
import { BenchError } from '../errors.ts'
import { type MachineProcess, openMachineProcess } from './machine-process.ts'

export type Machine = Pick<MachineProcess, 'ask'> & {
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
  const processes: MachineProcess[] = []
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
    const opened = openMachineProcess(['ip', ['netns', 'exec', name, process.execPath, file]])
    processes.push(opened)
    return { ask: opened.ask, ip: (words) => ip(`-n ${name} ${words}`) }
  }
  return {
    first: open(names[0]),
    second: open(names[1]),
    [Symbol.asyncDispose]: async () => {
      for (const one of processes) await one[Symbol.asyncDispose]()
      for (const name of names) ip(`netns del ${name}`)
    },
  }
}
