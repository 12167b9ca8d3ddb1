/** Long work in slices, so that whatever else the process does, such as its heartbeats, is not kept waiting. */
import { setImmediate } from 'node:timers/promises'

/** Work that says where it can be interrupted. Each `next` takes a few milliseconds; the last one has the result. */
export type Sliced<T> = Generator<undefined, T, undefined>

/** Does all of it without a pause. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Does one slice after the other, and lets everything else that is due go first in between. */
export async function inSlices<T>(work: Sliced<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    await setImmediate()
  }
}

/** The items, with an interruption after each `size` of them. */
export function* eachSliced<T>(items: Iterable<T>, size: number, act: (item: T) => void): Sliced<void> {
  let count = 0
  for (const item of items) {
    act(item)
    if (++count % size === 0) yield
  }
}
