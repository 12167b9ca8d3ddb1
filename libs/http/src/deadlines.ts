/** One coarse timer for all who wait: what is due is found a little late, but nobody needs a timer of its own. */

export type Overdue = { onDeadline(): void }

/** Deadlines of many, one each. The timer runs only while somebody waits, and keeps no process alive. */
export class Deadlines<Waiter extends Overdue> {
  readonly #tickMs: number
  readonly #dueTicks = new Map<Waiter, number>()
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  /** @param tickMs how late a deadline may be found */
  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  /** Calls `waiter.onDeadline` once after at least `delayMs`, unless stopped or set anew. */
  start(waiter: Waiter, delayMs: number): void {
    // One more, since the running tick has partly gone.
    this.#dueTicks.set(waiter, this.#tick + Math.ceil(delayMs / this.#tickMs) + 1)
    this.#timer ??= setInterval(() => this.#onTick(), this.#tickMs).unref()
  }

  stop(waiter: Waiter): void {
    this.#dueTicks.delete(waiter)
  }

  #onTick(): void {
    this.#tick++
    for (const [waiter, due] of this.#dueTicks) {
      if (due > this.#tick) continue
      this.#dueTicks.delete(waiter)
      waiter.onDeadline()
    }
    if (this.#dueTicks.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
