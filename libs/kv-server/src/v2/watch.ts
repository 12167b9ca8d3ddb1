/**
 * Watches as answers: long polls and streams (spec/etcd-v2.md §2.4, §2.5). The store fills a watcher's queue while it
 * applies; here the queues are emptied into the answers, a bounded number of watchers per turn, so that ten thousand
 * watchers of one key never hold the loop.
 *
 * A client that does not read is not read for either: while its answer is blocked nothing is taken from its watcher, whose
 * queue of 100 events then overruns by itself, and the body ends. Events are shared, so a slow reader costs memory for its
 * socket's limit and two hundred pointers.
 */
import type { AnswerStream, Exchange } from '@cluster/http'
import type { StoreEvent, Watcher } from '@cluster/kv-store/v2'
import type { Replica } from '../replica.ts'
import type { Timers } from '../timers.ts'
import { respondError } from './errors.ts'
import type { KeysRequest } from './keys-request.ts'
import type { KeysAnswers } from './keys-response.ts'

export type WatchRequest = Extract<KeysRequest, { kind: 'watch' }>

export type WatchesOptions = {
  readonly replica: Replica
  readonly answers: KeysAnswers
  readonly timers: Timers
}

export interface Watches {
  /** Answers with the events at `path`. */
  begin(exchange: Exchange, path: string, request: WatchRequest): void
  /**
   * Must be called after each applied command (or a small number of them): takes events from watchers whose queue would
   * overrun only because this turn of the loop applies so many. Costs a comparison when there is nothing to do.
   */
  relieve(): void
}

/** How many watchers are written to in one turn. */
const watchersPerTurn = 500

/** After how many events within one turn queues are emptied, well before a queue's limit of 100. */
const eventsPerRelief = 50

/** How many events may wait here for a turn, beyond the watcher's own queue; then the reader counts as fallen behind. */
const pendingMax = 1000

/** One open answer. */
type Reader = {
  readonly watcher: Watcher
  readonly answer: AnswerStream
  readonly isStream: boolean
  /** Taken from the watcher, not written yet: from `written` on. */
  pending: readonly StoreEvent[]
  written: number
  /** The client has not read what was written: nothing more is taken until it has. */
  isBlocked: boolean
  /** Stands in the line of those with something to write. */
  isInLine: boolean
  isClosed: boolean
}

const nothingPending: readonly StoreEvent[] = []

export function createWatches({ replica, answers, timers }: WatchesOptions): Watches {
  let line: Reader[] = []
  let next = 0
  let isScheduled = false
  /** The store's index when the line was last empty or relieved. */
  let relievedAt = 0

  const close = (reader: Reader): void => {
    if (reader.isClosed) return
    reader.isClosed = true
    reader.pending = nothingPending
    reader.watcher.close()
  }

  const finish = (reader: Reader): void => {
    close(reader)
    reader.answer.end()
  }

  const take = (reader: Reader): void => {
    const events = reader.watcher.take()
    if (events.length === 0) return
    if (reader.written === reader.pending.length) reader.pending = events
    else reader.pending = [...reader.pending.slice(reader.written), ...events]
    reader.written = 0
  }

  const write = (reader: Reader): void => {
    if (reader.isClosed || reader.isBlocked) return
    take(reader)
    for (let event = reader.pending[reader.written]; event !== undefined; event = reader.pending[reader.written]) {
      reader.written += 1
      if (!reader.isStream) {
        close(reader)
        reader.answer.end(event.body)
        return
      }
      const isOpen = reader.answer.write(event.body)
      if (!isOpen) {
        reader.isBlocked = true
        reader.answer.onDrain(() => {
          reader.isBlocked = false
          write(reader)
        })
        return
      }
    }
    reader.pending = nothingPending
    reader.written = 0
    // A stream that had its event from the history stays open and silent, as etcd's does: spec §2.5.
    if (reader.watcher.isOverrun) finish(reader)
  }

  const turn = (): void => {
    const end = Math.min(line.length, next + watchersPerTurn)
    for (; next < end; next += 1) {
      const reader = line[next]
      if (reader === undefined) continue
      reader.isInLine = false
      write(reader)
    }
    if (next < line.length) {
      timers.nextTurn(turn)
      return
    }
    line = []
    next = 0
    isScheduled = false
  }

  const enter = (reader: Reader): void => {
    if (reader.isInLine || reader.isClosed) return
    reader.isInLine = true
    line.push(reader)
    if (isScheduled) return
    isScheduled = true
    relievedAt = replica.store.index
    timers.nextTurn(turn)
  }

  return {
    begin: (exchange, path, { isRecursive, isStream, fromIndex }) => {
      const { store } = replica
      let reader: Reader | undefined
      let isAwake = false
      const watching = store.watch(path, { isRecursive, isStream, fromIndex }, () => {
        isAwake = true
        if (reader !== undefined) enter(reader)
      })
      if (watching.kind === 'refused') {
        respondError(exchange, answers.errorHeadStart, watching.code, watching.cause, watching.index)
        return
      }
      const { watcher } = watching
      // The head leaves before any event: clients wait for it to know that they are subscribed.
      const head = answers.headOf(watcher.startIndex, replica.appliedIndex, replica.appliedTerm)
      const opened: Reader = {
        watcher,
        answer: exchange.stream(200, head),
        isStream,
        pending: nothingPending,
        written: 0,
        isBlocked: false,
        isInLine: false,
        isClosed: false,
      }
      reader = opened
      exchange.onGone(() => close(opened))
      if (isAwake) enter(opened)
    },
    relieve: () => {
      if (!isScheduled || replica.store.index - relievedAt < eventsPerRelief) return
      relievedAt = replica.store.index
      for (let at = next; at < line.length; at += 1) {
        const reader = line[at]
        if (reader === undefined || reader.isClosed || reader.isBlocked) continue
        if (reader.pending.length - reader.written < pendingMax) take(reader)
      }
    },
  }
}
