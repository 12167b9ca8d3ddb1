/** The last 1,000 events of the whole store, for watches that ask for the past (spec/etcd-v2.md §2.2, §2.3). */
import type { StorePath } from './command.ts'
import type { StoreEvent } from './store-port.ts'

/** An event with what decides who is told of it. */
export type HistoryEvent = StoreEvent & {
  readonly path: StorePath
  /** No watcher sees a refresh; it only takes its place. */
  readonly isRefresh: boolean
  /** A directory was deleted or has expired. */
  readonly isDirectoryRemoval: boolean
}

export type Scan =
  | { readonly kind: 'found'; readonly event: HistoryEvent }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'cleared'; readonly oldestIndex: number }

const eventsMax = 1000

export class WatchHistory {
  readonly #events: (HistoryEvent | undefined)[] = new Array<HistoryEvent | undefined>(eventsMax)
  /** Lengths of the bodies: looking into an old event is a cache miss. */
  readonly #sizes = new Uint32Array(eventsMax)
  readonly #bytesMax: number
  #bytes = 0
  #count = 0
  /** Place of the next event. */
  #end = 0

  /** @param bytesMax what the bodies may take together; older events go first, as if the history were shorter */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get count(): number {
    return this.#count
  }

  add(event: HistoryEvent): void {
    if (this.#count === eventsMax) this.#forgetOldest()
    this.#events[this.#end] = event
    this.#sizes[this.#end] = event.body.length
    this.#end = (this.#end + 1) % eventsMax
    this.#count++
    this.#bytes += event.body.length
    while (this.#bytes > this.#bytesMax && this.#count > 1) this.#forgetOldest()
  }

  /** All events, oldest first. */
  toArray(): readonly HistoryEvent[] {
    const events: HistoryEvent[] = []
    for (let i = 0; i < this.#count; i++) {
      const event = this.#at(i)
      if (event !== undefined) events.push(event)
    }
    return events
  }

  /** The first event from an index on that a watch of a path is told of. */
  scan(path: StorePath, isRecursive: boolean, fromIndex: number): Scan {
    const oldest = this.#at(0)
    if (oldest === undefined) return { kind: 'nothing' }
    if (fromIndex < oldest.index) return { kind: 'cleared', oldestIndex: oldest.index }
    const below = path === '/' ? '/' : `${path}/`
    // Every index has its event, so the place follows from the index.
    for (let i = fromIndex - oldest.index; i < this.#count; i++) {
      const event = this.#at(i)
      if (event === undefined || event.isRefresh) continue
      if (event.path === path || (isRecursive && event.path.startsWith(below))) return { kind: 'found', event }
      // A string prefix, not a path: watch-dir-delete-history.json.
      if (event.isDirectoryRemoval && path.startsWith(event.path)) return { kind: 'found', event }
    }
    return { kind: 'nothing' }
  }

  #at(age: number): HistoryEvent | undefined {
    return this.#events[(this.#end - this.#count + age + eventsMax) % eventsMax]
  }

  #forgetOldest(): void {
    const place = (this.#end - this.#count + eventsMax) % eventsMax
    this.#bytes -= this.#sizes[place] ?? 0
    this.#events[place] = undefined
    this.#count--
  }
}
