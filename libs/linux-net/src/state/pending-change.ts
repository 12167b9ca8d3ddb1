/** Changes on their way to the one who asked for them: at most one waits, however many come. */
import type { KernelChange } from './kernel.ts'

/** A box for one change; two changes in it become one, of the kind that both have, else `unknown`. */
export class PendingChange {
  #waiting: KernelChange | undefined
  #wake: () => void = () => undefined

  add(change: KernelChange): void {
    const before = this.#waiting
    this.#waiting =
      before === undefined || before.kind === change.kind ? change : { kind: 'unknown', text: change.text }
    this.#wake()
  }

  /** The changes as they come, until the signal fires. */
  async *until(signal: AbortSignal): AsyncGenerator<KernelChange, void, undefined> {
    const stop = (): void => this.#wake()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        const change = this.#waiting
        this.#waiting = undefined
        if (change !== undefined) yield change
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }
}
