/** The log part in a thread of its own, which opens the log, writes synchronously and lets go of it at the end. */
import { randomBytes } from 'node:crypto'
import { createNodeDisk, openLog } from '@cluster/wal'
import { runPart } from './consensus-worker.ts'
import { createLogPart } from './log-part.ts'
import type { PipelineMemory } from './pipeline-memory.ts'
import { createWake } from './wake.ts'

export type LogWorkerData = {
  readonly role: 'log'
  readonly memory: PipelineMemory
  readonly log: LogLocation
}

/** Which log to open, or to make. */
export type LogLocation = {
  readonly directory: string
  /** For a fresh log; one that exists keeps its own. */
  readonly identity: { readonly clusterId: string; readonly memberId: string; readonly extra: string }
  readonly segmentSizeBytes?: number
}

/**
 * Runs until the pipeline is closed. Blocks its thread.
 *
 * @throws WalError when the log cannot be opened, or is broken
 */
export function runLogWorker({ memory, log: location }: LogWorkerData): void {
  const opened = openLog({ disk: createNodeDisk(), randomBytes, ...location })
  const part = createLogPart({
    memory,
    wakes: { consensus: createWake(memory.consensusWord) },
    monotonicMs: () => performance.now(),
    ...opened,
  })
  runPart(part, memory.logWord)
}
