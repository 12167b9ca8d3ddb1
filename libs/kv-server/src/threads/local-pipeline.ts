/**
 * All parts in this thread: the same code as with threads, one part after the other. For tests, simulated disks, and
 * programs that cannot start threads; a flush stops the event loop while it lasts.
 */
import type { Log, Recovered } from '@cluster/wal'
import { createConsensusPart } from './consensus-part.ts'
import { createLogPart } from './log-part.ts'
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
import type { Wake } from './wake.ts'

/** Runs a callback in a later turn, and gives a way to call it off. */
export type Schedule = (callback: () => void, afterMs: number) => () => void

export type LocalPipelineOptions = {
  /** An open log and what was found in it. The pipeline closes it. */
  readonly opened: { readonly log: Log; readonly recovered: Recovered }
  /** Unsigned 32-bit, another one in each life of the member. */
  readonly origin: number
  readonly monotonicMs: () => number
  /** Default: `setImmediate`, and timers that keep no process alive. */
  readonly schedule?: Schedule
  readonly sizes?: PipelineSizes
}

/** The pipeline over an open log. */
export function createLocalPipeline({
  opened,
  origin,
  monotonicMs,
  schedule = scheduleTurn,
  sizes = defaultPipelineSizes,
}: LocalPipelineOptions): Pipeline {
  const memory = createPipelineMemory(sizes, 'local')
  const figures = new Int32Array(memory.figures)
  let cancelTurn: (() => void) | undefined
  let isTurnSoon = false
  let waiting: (() => void) | undefined
  let failure: Error | undefined
  let onFatal: ((error: Error) => void) | undefined

  const storeWake: Wake = {
    signal: () => {
      const callback = waiting
      waiting = undefined
      if (callback !== undefined) schedule(callback, 0)
    },
  }
  const soon = (): void => {
    if (isTurnSoon || failure !== undefined) return
    cancelTurn?.()
    isTurnSoon = true
    cancelTurn = schedule(turn, 0)
  }
  const wake: Wake = { signal: soon }
  const wakes = { store: storeWake, consensus: wake, log: wake }
  const consensus = createConsensusPart({ memory, origin, wakes })
  const log = createLogPart({ memory, wakes, monotonicMs, ...opened })

  const turn = (): void => {
    isTurnSoon = false
    cancelTurn = undefined
    try {
      for (;;) {
        // Both, one after the other: what one did may be work for the other.
        const didConsensus = consensus.step()
        const didLog = log.step()
        if (!didConsensus && !didLog) break
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      onFatal?.(failure)
      storeWake.signal()
      return
    }
    if (log.isOver || isTurnSoon) return
    const restMs = log.sleepMs()
    if (Number.isFinite(restMs)) cancelTurn = schedule(turn, restMs)
  }
  soon()

  const proposals = new RingWriter(memory.proposals, wake)
  const committed = new MessageReceiver(new RingReader(memory.committed, wake))
  return {
    origin,
    proposals,
    sender: new MessageSender(proposals),
    committed,
    get hasRoom() {
      return Atomics.load(figures, figureWord.hasRoom) === 1
    },
    takeFlushes: createFlushReader(memory),
    expectEnd: () => undefined,
    whenWork: (callback) => {
      if (committed.reader.hasNext() || proposals.hasRoomAgain()) schedule(callback, 0)
      else waiting = callback
    },
    onFatal: (callback) => {
      onFatal = callback
      if (failure !== undefined) callback(failure)
    },
    end: async () => {
      cancelTurn?.()
      if (failure !== undefined || log.isOver) return
      Atomics.store(figures, figureWord.stop, 1)
      for (let turns = 0; turns < 3 && !log.isOver; turns++) log.step()
    },
  }
}

const scheduleTurn: Schedule = (callback, afterMs) => {
  if (afterMs === 0) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
  const timer = setTimeout(callback, afterMs)
  timer.unref()
  return () => clearTimeout(timer)
}
