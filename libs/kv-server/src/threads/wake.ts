/**
 * Sleeping and waking across threads. Each thread has one word: 1 while it sleeps. Whoever sleeps sets it, looks once
 * more for work and only then waits; whoever brings work notifies only a sleeper. So no wake-up is lost, and a busy
 * thread costs its producers one load.
 */
/// <reference lib="es2024.sharedmemory" />

/** Tells a thread (or a part of this one) that there is work. Cheap when it is awake. */
export interface Wake {
  signal(): void
}

const awake = 0
const asleep = 1

/** The memory of one thread's word. */
export const createWakeMemory = (): SharedArrayBuffer => new SharedArrayBuffer(4)

/** Wakes the thread that sleeps on this word. */
export function createWake(memory: SharedArrayBuffer): Wake {
  const word = new Int32Array(memory)
  return {
    signal: () => {
      if (Atomics.load(word, 0) === asleep && Atomics.compareExchange(word, 0, asleep, awake) === asleep) {
        Atomics.notify(word, 0, 1)
      }
    },
  }
}

/**
 * Blocks this thread until its word is signalled or the time is over; returns at once when there is work. Not for a
 * thread with an event loop to run.
 *
 * @param timeoutMs `Infinity` for no limit
 */
export function sleep(word: Int32Array, hasWork: () => boolean, timeoutMs: number): void {
  Atomics.store(word, 0, asleep)
  if (!hasWork()) Atomics.wait(word, 0, asleep, timeoutMs)
  Atomics.store(word, 0, awake)
}

/**
 * `sleep` for a thread with an event loop: calls back, once, in a later turn, when the word is signalled or there is
 * work already.
 */
export function sleepAsync(word: Int32Array, hasWork: () => boolean, onWake: () => void): void {
  Atomics.store(word, 0, asleep)
  if (hasWork()) {
    Atomics.store(word, 0, awake)
    setImmediate(onWake)
    return
  }
  const waiting = Atomics.waitAsync(word, 0, asleep)
  if (waiting.async) void waiting.value.then(onWake)
  else setImmediate(onWake)
}
