/**
 * Large directories as answers: the store hands them out in slices of a few milliseconds, which go out over many turns
 * of the loop and no faster than the client reads. What an open read holds (the tree as of its index) is bounded: only so
 * many at once, the others wait in line, and a client that stops reading loses its connection.
 */
import type { Exchange } from '@cluster/http'
import type { Reading } from '@cluster/kv-store/v2'
import type { Timers } from '../timers.ts'

export type SlicedReading = Extract<Reading, { kind: 'sliced' }>

export type SlicedAnswersOptions = {
  readonly timers: Timers
  /** How many large reads are open at once; more wait. */
  readonly readsMax?: number
  /** How long a client may read nothing, in milliseconds. */
  readonly stallMs?: number
}

export interface SlicedAnswers {
  /**
   * Begins the answer, or puts it in line and reads again when its turn comes.
   *
   * @param readAgain reads once more and answers; may call `send` again
   */
  send(exchange: Exchange, reading: SlicedReading, head: string, readAgain: () => void): void
}

export function createSlicedAnswers({ timers, readsMax = 16, stallMs = 30_000 }: SlicedAnswersOptions): SlicedAnswers {
  let openCount = 0
  const line: (() => void)[] = []

  const admit = (): void => {
    // One that is let in may turn out to be small or gone by now, and leaves room for the next.
    while (openCount < readsMax && line.length > 0) line.shift()?.()
  }

  const begin = (exchange: Exchange, reading: SlicedReading, head: string): void => {
    const answer = exchange.stream(200, head)
    let isOver = false
    const finish = (): void => {
      if (isOver) return
      isOver = true
      reading.close()
      openCount -= 1
      admit()
    }
    const step = (): void => {
      if (isOver) return
      const slice = reading.next()
      if (slice === undefined) {
        answer.end()
        finish()
        return
      }
      if (answer.write(slice)) {
        timers.nextTurn(step)
        return
      }
      const giveUp = timers.after(stallMs, () => {
        if (isOver) return
        finish()
        answer.abort()
      })
      answer.onDrain(() => {
        giveUp()
        step()
      })
    }
    openCount += 1
    exchange.onGone(finish)
    step()
  }

  return {
    send: (exchange, reading, head, readAgain) => {
      if (exchange.method === 'HEAD') {
        // The length is not known without rendering it all; etcd names none for large answers either.
        reading.close()
        exchange.stream(200, head).end()
        return
      }
      if (openCount < readsMax) {
        begin(exchange, reading, head)
        return
      }
      reading.close()
      let isGone = false
      exchange.onGone(() => {
        isGone = true
      })
      line.push(() => {
        if (!isGone) readAgain()
      })
    },
  }
}
