/** The memory that the three parts share: four rings, a word to sleep on for each thread, and a few figures. */
import { createRingMemory, type RingMemory } from './ring.ts'
import { createWakeMemory } from './wake.ts'

/** Sizes of the rings, powers of two. What does not fit waits in the store part, up to the limit of proposals. */
export type PipelineSizes = {
  /** Proposals until they are committed. */
  readonly proposalsBytes: number
  /** Entries until the log has taken them. */
  readonly appendsBytes: number
  /** Entries on their way back, when they are not answered by number; at start the whole log passes. */
  readonly committedBytes: number
}

export const defaultPipelineSizes: PipelineSizes = {
  proposalsBytes: 8 * 1024 * 1024,
  appendsBytes: 8 * 1024 * 1024,
  committedBytes: 1024 * 1024,
}

/** Can be posted to a worker as it is, when it is shared. */
export type PipelineMemory = {
  /** store → consensus */
  readonly proposals: RingMemory
  /** consensus → log */
  readonly appends: RingMemory
  /** log → consensus */
  readonly recovered: RingMemory
  /** consensus → store */
  readonly committed: RingMemory
  readonly storeWord: SharedArrayBuffer
  readonly consensusWord: SharedArrayBuffer
  readonly logWord: SharedArrayBuffer
  /** See `figureWord`. */
  readonly figures: SharedArrayBuffer
  readonly flushes: SharedArrayBuffer
}

/** Where what stands in the words of `PipelineMemory.figures`, a cache line apart. */
export const figureWord = {
  /** Entries made durable since the start, modulo 2^32. The log's; the consensus part counts along. */
  durableCount: 0,
  /** 1: the disk has room for client writes. */
  hasRoom: 16,
  /** 1: give up what waits, and end. */
  stop: 32,
  /** Flushes measured since the start, modulo 2^32. */
  flushCount: 48,
} as const

/** How many of the last flushes are kept for the one who takes the figures. */
export const flushesKept = 4096

/** Fresh memory; of nothing but zeros, which is where everything begins. */
export function createPipelineMemory(sizes: PipelineSizes, kind: 'shared' | 'local'): PipelineMemory {
  return {
    proposals: createRingMemory(sizes.proposalsBytes, kind),
    appends: createRingMemory(sizes.appendsBytes, kind),
    recovered: createRingMemory(sizes.committedBytes, kind),
    committed: createRingMemory(sizes.committedBytes, kind),
    storeWord: createWakeMemory(),
    consensusWord: createWakeMemory(),
    logWord: createWakeMemory(),
    figures: new SharedArrayBuffer(256),
    flushes: new SharedArrayBuffer(flushesKept * 8),
  }
}

/** One flush of the log: how long the sync took, how many entries it made durable. */
export type Flush = { readonly seconds: number; readonly entries: number }

/** Keeps the figures of a flush where the other side finds them. */
export function writeFlush(flushes: Float32Array, figures: Int32Array, flush: Flush): void {
  const count = Atomics.load(figures, figureWord.flushCount)
  const at = (count & (flushesKept - 1)) * 2
  flushes[at] = flush.seconds
  flushes[at + 1] = flush.entries
  Atomics.store(figures, figureWord.flushCount, (count + 1) | 0)
}

/** Gives each flush since the last call, at most the last `flushesKept`. */
export function createFlushReader({ flushes, figures }: PipelineMemory): (each: (flush: Flush) => void) => void {
  const values = new Float32Array(flushes)
  const words = new Int32Array(figures)
  let taken = 0
  return (each) => {
    const count = Atomics.load(words, figureWord.flushCount)
    const waiting = Math.min((count - taken) >>> 0, flushesKept)
    for (let left = waiting; left > 0; left--) {
      const at = ((count - left) & (flushesKept - 1)) * 2
      each({ seconds: values[at] ?? 0, entries: values[at + 1] ?? 0 })
    }
    taken = count
  }
}
