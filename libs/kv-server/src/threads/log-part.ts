/**
 * The part at the disk: everything that came while the last flush ran is one batch, one write and one sync. Then it
 * says how far the log is durable. What the log held at the start it sends up first.
 */
import { assert, isClusterError } from '@cluster/prelude'
import type { HardState, Log, LogEntry, Recovered } from '@cluster/wal'
import type { Part } from './consensus-part.ts'
import type { Opened, Release } from './opened.ts'
import { figureWord, type PipelineMemory, writeFlush } from './pipeline-memory.ts'
import { decodeText, encodeText, entryHeadBytes, MessageReceiver, MessageSender, recordKind } from './records.ts'
import { RingReader, RingWriter } from './ring.ts'
import type { Wake } from './wake.ts'

export type LogPartOptions = {
  readonly memory: PipelineMemory
  readonly wakes: { readonly consensus: Wake }
  readonly log: Log
  readonly recovered: Recovered
  /** Milliseconds that only grow. */
  readonly monotonicMs: () => number
}

const batchEntriesMax = 8192
const batchBytesMax = 4 * 1024 * 1024
/** While writes come the housekeeping gets a turn this often; a slice of it delays a flush by about a millisecond. */
const tendEveryMs = 20
/** And without writes. */
const idleTendEveryMs = 5
/** How often a disk without room is looked at when nobody writes. */
const roomCheckEveryMs = 1000
/** How long a batch that found no room waits before it tries again. */
const noSpaceRetryMs = 100
const recoveredPerStep = 512

/**
 * The part over an open log.
 *
 * @throws (from `step`) WalError `wal/broken`: the thread must end; what it did not report as durable is not
 */
export function createLogPart({ memory, wakes, log, recovered, monotonicMs }: LogPartOptions): Part {
  const appends = new MessageReceiver(new RingReader(memory.appends, wakes.consensus))
  const recoveredRing = new RingWriter(memory.recovered, wakes.consensus)
  const toConsensus = new MessageSender(recoveredRing)
  const figures = new Int32Array(memory.figures)
  const flushes = new Float32Array(memory.flushes)

  const past = recovered.entries[Symbol.iterator]()
  /** Of the recovered entries: the one that found no room yet. */
  let unsent: LogEntry | undefined
  let stage: 'opened' | 'entries' | 'recovered' | 'serving' | 'closing' | 'closed' = 'opened'

  let entries: LogEntry[] = []
  let hardState: HardState | undefined
  let after: Control | undefined
  let batchBytes = 0
  let durableCount = 0
  let isOutOfSpace = false
  let hadRoom: boolean | undefined
  let lastTendMs = monotonicMs()
  let needsTending = true

  const checkRoom = (): void => {
    const hasRoom = !isOutOfSpace && log.hasRoom()
    if (hasRoom === hadRoom) return
    hadRoom = hasRoom
    Atomics.store(figures, figureWord.hasRoom, hasRoom ? 1 : 0)
  }

  /** Sends on what the log held. False: the ring is full. */
  const sendRecovered = (): boolean => {
    const isFree = toConsensus.resume()
    const sent = isFree && sendNextRecovered()
    toConsensus.publish()
    return sent
  }

  const sendNextRecovered = (): boolean => {
    if (stage === 'opened') {
      checkRoom()
      const { identity, isFresh, snapshot, warnings } = recovered
      const opened: Opened = { identity, isFresh, snapshot, warnings, hardState: recovered.hardState }
      if (!toConsensus.send(recordKind.opened, encodeText(opened))) return false
      stage = 'entries'
    }
    for (let sent = 0; stage === 'entries' && sent < recoveredPerStep && !toConsensus.isBusy; sent++) {
      unsent ??= nextOf(past)
      if (unsent === undefined) stage = 'recovered'
      else if (!toConsensus.sendEntry(unsent.index, unsent.term, unsent.kind, unsent.data)) return sent > 0
      else unsent = undefined
    }
    if (stage !== 'recovered') return true
    if (toConsensus.isBusy || !toConsensus.send(recordKind.recovered, nothing)) return false
    stage = 'serving'
    return true
  }

  /** Everything that has come, up to a limit, or to what must be done before the rest. */
  const gather = (): void => {
    while (entries.length < batchEntriesMax && batchBytes < batchBytesMax && after === undefined && appends.next()) {
      switch (appends.kind) {
        case recordKind.entry: {
          const { view, offset } = appends
          entries.push({
            index: view.getFloat64(offset, true),
            term: view.getFloat64(offset + 8, true),
            kind: view.getFloat64(offset + 16, true),
            data: appends.content(entryHeadBytes),
          })
          batchBytes += appends.sizeBytes
          break
        }
        case recordKind.hardState:
          hardState = decodeText<HardState>(appends.content())
          break
        case recordKind.release:
          after = { kind: 'release', release: decodeText<Release>(appends.content()) }
          break
        default:
          assert(appends.kind === recordKind.close, `a record of kind ${appends.kind} for the log`)
          after = { kind: 'close' }
      }
    }
  }

  const writeBatch = (): boolean => {
    try {
      log.append(hardState === undefined ? { entries } : { entries, hardState })
    } catch (error) {
      if (!isClusterError(error, 'wal/no-space')) throw error
      isOutOfSpace = true
      checkRoom()
      return false
    }
    // The log has copied it; durable is another matter.
    appends.reader.release(appends.reader.position)
    const startMs = monotonicMs()
    log.sync()
    writeFlush(flushes, figures, { seconds: (monotonicMs() - startMs) / 1000, entries: entries.length })
    durableCount = (durableCount + entries.length) | 0
    Atomics.store(figures, figureWord.durableCount, durableCount)
    wakes.consensus.signal()
    entries = []
    hardState = undefined
    batchBytes = 0
    isOutOfSpace = false
    needsTending = true
    return true
  }

  const tend = (): boolean => {
    lastTendMs = monotonicMs()
    checkRoom()
    needsTending = log.tend()
    return needsTending
  }

  const close = (): void => {
    log.close()
    stage = 'closing'
  }

  const hasStop = (): boolean => Atomics.load(figures, figureWord.stop) === 1

  const step = (): boolean => {
    if (stage === 'closed') return false
    if (stage === 'closing') {
      if (!hasStop() && (!toConsensus.resume() || !toConsensus.send(recordKind.close, nothing))) return false
      toConsensus.publish()
      stage = 'closed'
      return true
    }
    if (hasStop()) {
      close()
      return true
    }
    if (stage !== 'serving') return sendRecovered()
    if (!isOutOfSpace || entries.length === 0) gather()
    if (entries.length > 0 || hardState !== undefined) {
      if (!writeBatch()) return false
      if (monotonicMs() - lastTendMs >= tendEveryMs) tend()
      return true
    }
    // Pieces of a large entry are copies: their room is needed for the rest of it.
    appends.reader.release(appends.reader.position)
    if (after !== undefined) {
      if (after.kind === 'close') close()
      else log.release(after.release.snapshot, after.release.keepAfterIndex)
      after = undefined
      return true
    }
    if (needsTending && monotonicMs() - lastTendMs >= idleTendEveryMs) tend()
    else if (hadRoom === false && monotonicMs() - lastTendMs >= roomCheckEveryMs) tend()
    return false
  }

  const sleepMs = (): number => {
    if (isOutOfSpace) return noSpaceRetryMs
    if (needsTending) return idleTendEveryMs
    return hadRoom === false ? roomCheckEveryMs : Number.POSITIVE_INFINITY
  }

  return {
    step,
    hasWork: () =>
      recoveredRing.hasRoomAgain() || hasStop() || (stage === 'serving' && !isOutOfSpace && appends.reader.hasNext()),
    sleepMs,
    get isOver() {
      return stage === 'closed'
    },
  }
}

type Control = { readonly kind: 'close' } | { readonly kind: 'release'; readonly release: Release }

const nothing = new Uint8Array(0)

function nextOf(entries: Iterator<LogEntry>): LogEntry | undefined {
  const next = entries.next()
  return next.done === true ? undefined : next.value
}
