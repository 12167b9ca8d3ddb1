/** The consensus part in a thread of its own. */
import { createConsensusPart, type Part } from './consensus-part.ts'
import type { PipelineMemory } from './pipeline-memory.ts'
import { createWake, sleep } from './wake.ts'

export type ConsensusWorkerData = {
  readonly role: 'consensus'
  readonly memory: PipelineMemory
  readonly origin: number
}

/** Runs until the pipeline is closed. Blocks its thread. */
export function runConsensusWorker({ memory, origin }: ConsensusWorkerData): void {
  const part = createConsensusPart({
    memory,
    origin,
    wakes: { store: createWake(memory.storeWord), log: createWake(memory.logWord) },
  })
  runPart(part, memory.consensusWord)
}

/** Drives a part that has a thread to itself: works while there is work, sleeps when there is none. */
export function runPart(part: Part, wordMemory: SharedArrayBuffer): void {
  const word = new Int32Array(wordMemory)
  while (!part.isOver) {
    if (!part.step()) sleep(word, part.hasWork, part.sleepMs())
  }
}
