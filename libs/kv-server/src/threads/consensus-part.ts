/**
 * The part in the middle: takes proposals, lets the consensus node order them, has the log write them and hands what is
 * committed to the store. It knows nothing of what entries mean, but for the head that says whose proposal it was.
 */
import { assert } from '@cluster/prelude'
import { createOneMemberNode, type RaftEntry, type RaftNode, type RaftRole } from '../raft-node.ts'
import { entryKind } from '../replica-entry.ts'
import type { Opened } from './opened.ts'
import { Outbox, type OwnRun } from './outbox.ts'
import { figureWord, type PipelineMemory } from './pipeline-memory.ts'
import { decodeText, encodeText, entryHeadBytes, MessageReceiver, recordKind } from './records.ts'
import { RingReader, RingWriter } from './ring.ts'
import type { Wake } from './wake.ts'

/** One of the parts of the pipeline, whatever drives it. */
export interface Part {
  /** Does what there is to do, up to a few milliseconds of it. False: there was nothing. */
  step(): boolean
  /** The look that belongs before going to sleep. */
  hasWork(): boolean
  /** How long it may sleep at most. */
  sleepMs(): number
  /** True: it has ended. */
  readonly isOver: boolean
}

export type ConsensusPartOptions = {
  readonly memory: PipelineMemory
  /** Marks this process's proposals: another number than in any earlier life of the member. */
  readonly origin: number
  readonly wakes: { readonly store: Wake; readonly log: Wake }
}

const proposalsPerStep = 1024

/** The part, before anything has come in. */
export function createConsensusPart({ memory, origin, wakes }: ConsensusPartOptions): Part {
  const proposals = new MessageReceiver(new RingReader(memory.proposals, wakes.store))
  const recovered = new MessageReceiver(new RingReader(memory.recovered, wakes.log))
  const appends = new RingWriter(memory.appends, wakes.log)
  const committed = new RingWriter(memory.committed, wakes.store)
  const forLog = new Outbox(appends)
  const forStore = new Outbox(committed)
  const figures = new Int32Array(memory.figures)

  let opened: Opened | undefined
  let node: RaftNode | undefined
  let role: RaftRole | undefined
  let lastIndex = 0
  let lastTerm = 0
  let durableCount = 0
  let durableIndex = 0
  let isClosing = false
  let isLogClosed = false
  /** Where in the ring of proposals each own entry ends that is not committed yet, oldest first from `endsAt` on. */
  let ends: number[] = []
  let endsAt = 0

  const tellStore = (kind: number, message: Uint8Array): void => forStore.push({ what: 'message', kind, message })

  const recover = (): boolean => {
    let worked = false
    // As long as it passes on at once: the log is read no faster than the store applies it.
    while (forStore.isEmpty && recovered.next()) {
      worked = true
      takeRecovered()
      forStore.flush()
    }
    // Passed on means copied, unless it still waits.
    if (forStore.isEmpty) recovered.reader.release(recovered.reader.position)
    return worked
  }

  const takeRecovered = (): void => {
    switch (recovered.kind) {
      case recordKind.opened:
        opened = decodeText<Opened>(recovered.content())
        lastIndex = opened.snapshot?.index ?? 0
        lastTerm = opened.snapshot?.term ?? 0
        tellStore(recordKind.opened, encodeText(opened))
        return
      case recordKind.entry: {
        lastIndex = recovered.view.getFloat64(recovered.offset, true)
        lastTerm = recovered.view.getFloat64(recovered.offset + 8, true)
        const kind = recovered.view.getFloat64(recovered.offset + 16, true)
        const data = recovered.content(entryHeadBytes)
        forStore.push({ what: 'entry', entry: { index: lastIndex, term: lastTerm, kind, data } })
        return
      }
      case recordKind.recovered:
        begin()
        return
      default:
        assert(recovered.kind === recordKind.close, `a record of kind ${recovered.kind} from the log`)
        isLogClosed = true
        tellStore(recordKind.close, nothing)
    }
  }

  const begin = (): void => {
    assert(opened !== undefined, 'the log says what it found before it says that this was all')
    const { identity, hardState } = opened
    const { memberId } = identity
    node = createOneMemberNode({ memberId, emptyKind: entryKind.empty, hardState, lastIndex, lastTerm })
    durableIndex = lastIndex
    tellStore(recordKind.recovered, nothing)
  }

  const takeDurable = (current: RaftNode): boolean => {
    const count = Atomics.load(figures, figureWord.durableCount)
    if (count === durableCount) return false
    durableIndex += (count - durableCount) | 0
    durableCount = count
    current.advance(durableIndex)
    return true
  }

  const takeProposals = (current: RaftNode): boolean => {
    let taken = 0
    while (!isClosing && forLog.isEmpty && taken < proposalsPerStep && proposals.next()) {
      taken += 1
      const { kind } = proposals
      if (kind === recordKind.proposal) {
        const proposed = current.propose(entryKind.command, proposals.content())
        assert(proposed.ok, 'one member always leads')
        ends.push(proposals.reader.position)
        continue
      }
      // In its place in the order: after the entries before it.
      takeReady(current)
      isClosing = kind === recordKind.close
      forLog.push({ what: 'message', kind, message: proposals.content().slice() })
    }
    return taken > 0
  }

  const takeReady = (current: RaftNode): boolean => {
    const ready = current.ready()
    if (ready === undefined) return false
    if (ready.role !== role) {
      role = ready.role
      tellStore(recordKind.role, encodeText(role))
    }
    const { hardState, entries } = ready.persist
    if (hardState !== undefined) {
      forLog.push({ what: 'message', kind: recordKind.hardState, message: encodeText(hardState) })
    }
    for (const entry of entries) forLog.push({ what: 'entry', entry })
    collectCommitted(ready.committed)
    return true
  }

  /** Own commands in a row become one run of numbers; everything else goes as it is. */
  const collectCommitted = (entries: readonly RaftEntry[]): void => {
    let run: OwnRun | undefined
    for (const entry of entries) {
      const number = entry.kind === entryKind.command ? ownNumber(entry.data, origin) : undefined
      if (number === undefined) {
        run = undefined
        forStore.push({ what: 'entry', entry })
        continue
      }
      endsAt += 1
      if (run !== undefined && number === (run.firstNumber + run.count) >>> 0) {
        run.count += 1
        continue
      }
      run = { firstIndex: entry.index, term: entry.term, firstNumber: number, count: 1 }
      forStore.push({ what: 'run', run })
    }
  }

  /** Gives back the ring of proposals up to the oldest that is not committed: until then its bytes are the entry's. */
  const releaseProposals = (): void => {
    if (endsAt === ends.length) {
      // Also the pieces of a large one that is not complete: they are copies.
      ends = []
      endsAt = 0
      proposals.reader.release(proposals.reader.position)
      return
    }
    const end = ends[endsAt - 1]
    if (end !== undefined) proposals.reader.release(end)
    if (endsAt > 4096) {
      ends = ends.slice(endsAt - 1)
      endsAt = 1
    }
  }

  return {
    step: () => {
      let worked = recover()
      if (node !== undefined) {
        worked = takeDurable(node) || worked
        worked = takeProposals(node) || worked
        worked = takeReady(node) || worked
      }
      worked = forLog.flush() || worked
      worked = forStore.flush() || worked
      if (node !== undefined) releaseProposals()
      return worked
    },
    // What cannot be passed on is no work until there is room again.
    hasWork: () =>
      Atomics.load(figures, figureWord.stop) === 1 ||
      appends.hasRoomAgain() ||
      committed.hasRoomAgain() ||
      (forStore.isEmpty && recovered.reader.hasNext()) ||
      (node !== undefined &&
        (Atomics.load(figures, figureWord.durableCount) !== durableCount ||
          (!isClosing && forLog.isEmpty && proposals.reader.hasNext()))),
    sleepMs: () => Number.POSITIVE_INFINITY,
    get isOver() {
      return (isLogClosed && forStore.isEmpty) || Atomics.load(figures, figureWord.stop) === 1
    },
  }
}

const nothing = new Uint8Array(0)

/** The number of a proposal of this process; undefined for anybody else's. */
function ownNumber(data: Uint8Array, origin: number): number | undefined {
  return readUint32(data, 0) === origin ? readUint32(data, 4) : undefined
}

const readUint32 = (data: Uint8Array, at: number): number =>
  ((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16) | ((data[at + 3] ?? 0) << 24)) >>> 0
