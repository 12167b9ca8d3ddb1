/**
 * `/health`: there is a leader, and the log goes on. etcd waits to see the raft index grow by itself, up to 750 ms; here
 * an entry that changes nothing is sent through the log, which proves the same, disk included, in one flush.
 */
import type { Exchange } from '@cluster/http'
import type { Command } from '@cluster/kv-store/v2'
import { respondMethodNotAllowed, respondPlainError, respondText } from './plain-answers.ts'
import type { Replica } from './replica.ts'
import type { Timers } from './timers.ts'

export type HealthOptions = {
  readonly replica: Replica
  readonly timers: Timers
  /** How long the entry may take, in milliseconds. */
  readonly timeoutMs?: number
}

/** Expires what is due since 1970: nothing. */
const nothingToDo: Command = { kind: 'sync', timeMs: 0 }

export function createHealth({ replica, timers, timeoutMs = 1000 }: HealthOptions): (exchange: Exchange) => void {
  /** Who waits for the entry that is under way: many probes share one. */
  let waiting: ((isHealthy: boolean) => void)[] | undefined

  const check = (decide: (isHealthy: boolean) => void): void => {
    if (replica.status.leaderId === undefined) {
      decide(false)
      return
    }
    if (waiting !== undefined) {
      waiting.push(decide)
      return
    }
    const round = [decide]
    waiting = round
    let isDecided = false
    const decideAll = (isHealthy: boolean): void => {
      if (isDecided) return
      isDecided = true
      giveUp()
      if (waiting === round) waiting = undefined
      for (const decideOne of round) decideOne(isHealthy)
    }
    const giveUp = timers.after(timeoutMs, () => decideAll(false))
    replica.propose(nothingToDo, ({ kind }) => decideAll(kind === 'applied'))
  }

  return (exchange) => {
    if (exchange.method !== 'GET') {
      respondMethodNotAllowed(exchange, 'GET')
      return
    }
    check((isHealthy) => {
      if (isHealthy) respondText(exchange, 200, '{"health": "true"}')
      else respondPlainError(exchange, 503, '{"health": "false"}\n')
    })
  }
}
