/**
 * The entry of the store's worker threads: which of them it is says `workerData.role`. Build it as a file of its own
 * beside the program and pass its path where it is not beside the index.
 * @packageDocumentation
 */
import { parentPort, workerData } from 'node:worker_threads'
import { runConsensusWorker } from './threads/consensus-worker.ts'
import { describeFailure } from './threads/failure.ts'
import { runLogWorker } from './threads/log-worker.ts'
import { runPasswordsWorker } from './threads/passwords-worker.ts'

const port = parentPort
if (port !== null) {
  try {
    switch (workerData.role) {
      case 'consensus':
        runConsensusWorker(workerData)
        break
      case 'log':
        runLogWorker(workerData)
        break
      case 'passwords':
        runPasswordsWorker(port)
        break
      default:
        throw new Error(`no worker has the role ${JSON.stringify(workerData.role)}`)
    }
  } catch (error) {
    port.postMessage(describeFailure(error))
  }
}
