/** Consensus and log each in a worker thread; the store part stays in this one, with its event loop. */
import { Worker } from 'node:worker_threads'
import { ClusterError } from '@cluster/prelude'
import { KvServerError } from '../errors.ts'
import type { ConsensusWorkerData } from './consensus-worker.ts'
import type { WorkerFailure } from './failure.ts'
import type { LogLocation, LogWorkerData } from './log-worker.ts'
import type { Pipeline } from './pipeline.ts'
import {
  createFlushReader,
  createPipelineMemory,
  defaultPipelineSizes,
  figureWord,
  type PipelineSizes,
} from './pipeline-memory.ts'
import { MessageReceiver, MessageSender } from './records.ts'
import { RingReader, RingWriter } from './ring.ts'
import { createWake, sleepAsync } from './wake.ts'

export type WorkerPipelineOptions = {
  /** The built file of `src/worker.ts`. */
  readonly workerFile: string | URL
  readonly log: LogLocation
  /** Unsigned 32-bit, another one in each life of the member. */
  readonly origin: number
  readonly sizes?: PipelineSizes
}

/** Starts the two threads. What fails later, opening the log included, comes through `onFatal`. */
export function startWorkerPipeline({
  workerFile,
  log,
  origin,
  sizes = defaultPipelineSizes,
}: WorkerPipelineOptions): Pipeline {
  const memory = createPipelineMemory(sizes, 'shared')
  const figures = new Int32Array(memory.figures)
  const storeWord = new Int32Array(memory.storeWord)
  const consensusWake = createWake(memory.consensusWord)
  const logWake = createWake(memory.logWord)

  let failure: Error | undefined
  let onFatal: ((error: Error) => void) | undefined
  let isClosing = false
  let isEnded = false
  const fail = (error: Error): void => {
    if (failure !== undefined || isEnded) return
    failure = error
    onFatal?.(error)
  }

  const start = (name: string, workerData: ConsensusWorkerData | LogWorkerData): RunningWorker => {
    const worker = new Worker(workerFile, { workerData, name, execArgv: [] })
    worker.on('message', (said: WorkerFailure) => fail(fromFailure(name, said)))
    worker.on('error', (cause) => fail(threadDied(name, cause)))
    const exited = new Promise<void>((resolve) => {
      worker.on('exit', () => {
        if (!isClosing) fail(threadDied(name))
        resolve()
      })
    })
    return { worker, exited }
  }
  const workers = [
    start('consensus', { role: 'consensus', memory, origin }),
    start('log', { role: 'log', memory, log }),
  ]

  const proposals = new RingWriter(memory.proposals, consensusWake)
  const committed = new MessageReceiver(new RingReader(memory.committed, consensusWake))
  const hasWork = (): boolean => committed.reader.hasNext() || proposals.hasRoomAgain()
  return {
    origin,
    proposals,
    sender: new MessageSender(proposals),
    committed,
    get hasRoom() {
      return Atomics.load(figures, figureWord.hasRoom) === 1
    },
    takeFlushes: createFlushReader(memory),
    expectEnd: () => {
      isClosing = true
    },
    whenWork: (callback) => sleepAsync(storeWord, hasWork, callback),
    onFatal: (callback) => {
      onFatal = callback
      if (failure !== undefined) callback(failure)
    },
    end: async () => {
      isClosing = true
      isEnded = true
      Atomics.store(figures, figureWord.stop, 1)
      consensusWake.signal()
      logWake.signal()
      const ended = Promise.all(workers.map(({ exited }) => exited))
      // A thread that hangs in the disk cannot hear; the lock of the log goes with the process.
      const timer = setTimeout(() => {
        for (const { worker } of workers) void worker.terminate()
      }, 2000)
      await ended
      clearTimeout(timer)
    },
  }
}

type RunningWorker = { readonly worker: Worker; readonly exited: Promise<void> }

function fromFailure(name: string, { code, message, hint, cause }: WorkerFailure): Error {
  const because = cause === undefined ? undefined : new Error(cause)
  if (code !== undefined) return new ClusterError(code, message, { hint, cause: because })
  return threadDied(name, new Error(message))
}

const threadDied = (name: string, cause?: Error): KvServerError =>
  new KvServerError('kv-server/thread-died', `the ${name} thread of the store ended`, {
    hint: 'end the process and start it again: what was acknowledged is in the log',
    cause,
  })
