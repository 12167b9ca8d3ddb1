/** The process of a machine of the measurements, and how it is asked. */
import { type ChildProcess, spawn } from 'node:child_process'
import { BenchError } from '../errors.ts'
import type { MachineAnswer, MachineRequest } from './machine.ts'

export type MachineProcess = AsyncDisposable & {
  /** One request at a time. Error: `bench/machine-ended`. */
  readonly ask: (request: MachineRequest) => Promise<MachineAnswer>
}

/** Starts it; the command is the machine's program behind what puts it into its namespace. */
export function openMachineProcess(command: readonly [file: string, args: readonly string[]]): MachineProcess {
  const child = spawn(...command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return {
    ask: (request) => ask(child, request),
    async [Symbol.asyncDispose]() {
      if (!child.connected) return
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.disconnect()
      await ended
    },
  }
}

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
