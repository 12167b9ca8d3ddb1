/**
 * The demonstration on real machines: wiring only. `--exit` pulls a plug and ends; without it the cluster stays up until
 * Ctrl-C. `--etcd` takes Debian's etcd for its store instead of ours.
 */
import { once } from 'node:events'
import { exitCodes, ioOf, isInterruption, printError } from '@cluster/cli'
import { demonstrate, tryNext } from './demo.ts'
import { ownerOf, takeDown } from './lab.ts'
import { labNames } from './names.ts'
import { streamProgress } from './progress.ts'
import { programs } from './repository.ts'
import { storeKind } from './store-program.ts'

const io = ioOf(process)
const cutsPower = process.argv.includes('--exit')
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())
process.once('SIGHUP', () => interrupted.abort())
process.exitCode = await run()

async function run(): Promise<number> {
  const names = labNames(process.env, 'demo')
  let isComplete = false
  try {
    const store = process.argv.includes('--etcd') ? 'etcd' : storeKind(process.env)
    await demonstrate({ names, programs, io, signal: interrupted.signal, cutsPower, store })
    isComplete = true
    if (cutsPower) return exitCodes.done
    io.stdout.write(tryNext(names.lab))
    if (!interrupted.signal.aborted) {
      // A pending promise alone does not keep a process alive.
      const alive = setInterval(() => undefined, 60_000)
      await once(interrupted.signal, 'abort')
      clearInterval(alive)
    }
    return exitCodes.done
  } catch (error) {
    if (interrupted.signal.aborted || isInterruption(error)) return isComplete ? exitCodes.done : exitCodes.interrupted
    return printError(io, error)
  } finally {
    if (ownerOf(names) === process.pid) await takeDown(names, streamProgress(process.stderr))
  }
}
