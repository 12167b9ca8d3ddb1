/**
 * `npm start`: wiring only. `--exit` loses a machine and ends; without it the cluster stays up until Ctrl-C.
 * `--machine FOLDER lose|return NAME` is what `machine` in a cluster's bin/ calls.
 */
import { once } from 'node:events'
import { exitCodes, ioOf, isInterruption, printError } from '@cluster/cli'
import { LabError } from './errors.ts'
import { loseMachine, makeLocalFolder, openLocal, returnMachine, takeDownLocal } from './local-cluster.ts'
import { demonstrateLocally, tryLocally } from './local-demo.ts'
import { programs } from './repository.ts'

const io = ioOf(process)
const interrupted = new AbortController()
const [, , ...words] = process.argv
process.exitCode = words[0] === '--machine' ? await runMachine(words.slice(1)) : await runDemo(words.includes('--exit'))

async function runDemo(losesMachine: boolean): Promise<number> {
  // Not once: a second Ctrl-C must not end us while we clean up, which takes a moment.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())
  const { signal } = interrupted
  let isComplete = false
  let folder: string | undefined
  try {
    folder = makeLocalFolder()
    const cluster = await demonstrateLocally({ folder, programs, io, signal, losesMachine })
    isComplete = true
    if (losesMachine) return exitCodes.done
    io.stdout.write(tryLocally(cluster))
    if (!signal.aborted) {
      // A pending promise alone does not keep a process alive.
      const alive = setInterval(() => undefined, 60_000)
      await once(signal, 'abort')
      clearInterval(alive)
    }
    return exitCodes.done
  } catch (error) {
    if (signal.aborted || isInterruption(error)) return isComplete ? exitCodes.done : exitCodes.interrupted
    return printError(io, error)
  } finally {
    if (folder !== undefined) await takeDownLocal(folder)
  }
}

async function runMachine([folder = '', verb = '', name = '']: readonly string[]): Promise<number> {
  try {
    const cluster = openLocal(folder)
    const machine = cluster.machines.find((one) => one.name === name)
    if (machine === undefined) {
      throw new LabError('lab/unknown-machine', `there is no machine "${name}"`, {
        hint: `machine lose NAME, or machine return NAME, of ${cluster.machines.map((one) => one.name).join(', ')}`,
      })
    }
    if (verb === 'lose') await loseMachine(machine)
    else if (verb === 'return') returnMachine(cluster, machine, programs)
    else throw new LabError('lab/bad-name', `"${verb}" cannot be done to a machine`, { hint: 'lose or return it' })
    return exitCodes.done
  } catch (error) {
    return printError(io, error)
  }
}
