/**
 * Who waits for which proposal: the one place where an answer finds its asker. Proposals are numbered; the command
 * stays here, so that it is applied as it was proposed and never decoded again.
 */
import type { Command } from '@cluster/kv-store/v2'
import type { ProposalFailure, Settled } from './replica.ts'

export type Waiter = {
  readonly command: Command
  /** When it was proposed, by the store's time. */
  readonly timeMs: number
  /** Undefined: it has been told of a failure already; the command may be applied nonetheless. */
  settle: ((settled: Settled) => void) | undefined
}

export class Waiters {
  readonly #slots: (Waiter | undefined)[]
  readonly #mask: number
  #oldest = 0
  #next = 0

  /** @param countMax a power of two */
  constructor(countMax: number) {
    this.#slots = new Array<Waiter | undefined>(countMax).fill(undefined)
    this.#mask = countMax - 1
  }

  get count(): number {
    return (this.#next - this.#oldest) >>> 0
  }

  get isFull(): boolean {
    return this.count > this.#mask
  }

  /** The number that the next proposal gets. */
  get nextNumber(): number {
    return this.#next
  }

  /** Must not be called when full. */
  add(waiter: Waiter): void {
    this.#slots[this.#next & this.#mask] = waiter
    this.#next = (this.#next + 1) >>> 0
  }

  at(number: number): Waiter | undefined {
    return this.#slots[number & this.#mask]
  }

  /** Takes the waiter of a proposal that was committed. Older ones will not be any more: they fail. */
  take(number: number): Waiter | undefined {
    while (this.#oldest !== number && this.count > 0) this.#drop('timeout-leader-lost')
    const waiter = this.#slots[number & this.#mask]
    this.#slots[number & this.#mask] = undefined
    this.#oldest = (this.#oldest + 1) >>> 0
    return waiter
  }

  #drop(failure: ProposalFailure): void {
    const slot = this.#oldest & this.#mask
    const waiter = this.#slots[slot]
    this.#slots[slot] = undefined
    this.#oldest = (this.#oldest + 1) >>> 0
    settleAsFailed(waiter, failure)
  }

  /** When the oldest was proposed; undefined: nobody waits. */
  get oldestTimeMs(): number | undefined {
    return this.count === 0 ? undefined : this.at(this.#oldest)?.timeMs
  }

  /** Tells everybody who has waited since `timeMs` or longer. Their commands stay: they may still be applied. */
  expire(timeMs: number): void {
    for (let number = this.#oldest; number !== this.#next; number = (number + 1) >>> 0) {
      const waiter = this.at(number)
      if (waiter === undefined || waiter.timeMs > timeMs) return
      settleAsFailed(waiter, 'timeout')
    }
  }

  /** Tells everybody, for good. */
  failAll(failure: ProposalFailure): void {
    while (this.count > 0) this.#drop(failure)
  }
}

function settleAsFailed(waiter: Waiter | undefined, failure: ProposalFailure): void {
  const settle = waiter?.settle
  if (waiter === undefined || settle === undefined) return
  waiter.settle = undefined
  settle({ kind: 'failed', failure })
}
