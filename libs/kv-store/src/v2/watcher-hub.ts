/** Who is told of an event as it happens (spec/etcd-v2.md §2.3 to §2.6). */
import type { StorePath } from './command.ts'
import type { StoreEvent, Watcher, WatchOptions } from './store-port.ts'
import type { HistoryEvent } from './watch-history.ts'

/** Events that a watcher may be behind. */
const queueMax = 100

const noEvents: readonly StoreEvent[] = []

export class HubWatcher implements Watcher {
  readonly startIndex: number
  readonly isRecursive: boolean
  readonly isStream: boolean
  /** Events before this index are not for it. */
  readonly fromIndex: number
  readonly path: StorePath
  isOver = false
  isOverrun = false
  readonly #hub: WatcherHub
  readonly #wake: (watcher: Watcher) => void
  #queue: StoreEvent[] | undefined

  constructor(
    hub: WatcherHub,
    path: StorePath,
    { isRecursive, isStream, fromIndex }: WatchOptions,
    startIndex: number,
    wake: (watcher: Watcher) => void,
  ) {
    this.#hub = hub
    this.path = path
    this.isRecursive = isRecursive
    this.isStream = isStream
    this.fromIndex = fromIndex
    this.startIndex = startIndex
    this.#wake = wake
  }

  take(): readonly StoreEvent[] {
    const events = this.#queue ?? noEvents
    this.#queue = undefined
    return events
  }

  close(): void {
    this.#hub.remove(this)
  }

  /** Queues an event. False: the watcher has fallen too far behind and is over. */
  push(event: StoreEvent): boolean {
    if (this.#queue === undefined) {
      this.#queue = [event]
      if (!this.isStream) this.isOver = true
      this.#wake(this)
      return true
    }
    if (this.#queue.length >= queueMax) {
      this.isOver = true
      this.isOverrun = true
      return false
    }
    this.#queue.push(event)
    return true
  }
}

export class WatcherHub {
  readonly #watchers = new Map<StorePath, Set<HubWatcher>>()
  /** How many watched paths there are of each length: most directories on the way of an event need no look-up. */
  readonly #lengths = new Map<number, number>()
  #size = 0

  /** How many watchers wait for events. */
  get size(): number {
    return this.#size
  }

  add(watcher: HubWatcher): void {
    const others = this.#watchers.get(watcher.path)
    if (others === undefined) {
      this.#watchers.set(watcher.path, new Set([watcher]))
      this.#countLength(watcher.path.length, 1)
    } else {
      others.add(watcher)
    }
    this.#size++
  }

  remove(watcher: HubWatcher): void {
    const others = this.#watchers.get(watcher.path)
    if (others?.delete(watcher) !== true) return
    this.#size--
    if (others.size > 0) return
    this.#watchers.delete(watcher.path)
    this.#countLength(watcher.path.length, -1)
  }

  /** Watched paths below a directory. */
  pathsBelow(directory: StorePath): readonly StorePath[] {
    const prefix = `${directory}/`
    const paths: StorePath[] = []
    for (const path of this.#watchers.keys()) if (path.startsWith(prefix)) paths.push(path)
    return paths
  }

  /** Tells the watchers of the path of an event and of what is above it. */
  notify(event: HistoryEvent): void {
    if (this.#size === 0) return
    const path = event.path
    this.#tell(event, '/', false)
    let end = path.indexOf('/', 1)
    while (end !== -1) {
      if (this.#lengths.has(end)) this.#tell(event, path.slice(0, end), false)
      end = path.indexOf('/', end + 1)
    }
    if (path !== '/') this.#tell(event, path, false)
  }

  /** Tells the watchers of a node that the event removes: of its path, or of one below it. */
  notifyRemoved(event: HistoryEvent, path: StorePath): void {
    if (this.#size > 0) this.#tell(event, path, true)
  }

  #countLength(length: number, by: number): void {
    const count = (this.#lengths.get(length) ?? 0) + by
    if (count === 0) this.#lengths.delete(length)
    else this.#lengths.set(length, count)
  }

  #tell(event: HistoryEvent, watchedPath: StorePath, isRemoved: boolean): void {
    const watchers = this.#watchers.get(watchedPath)
    if (watchers === undefined) return
    const isOwn = event.path === watchedPath
    if (!isOwn && isHiddenBelow(watchedPath, event.path)) return
    for (const watcher of watchers) {
      if (!(watcher.isRecursive || isOwn || isRemoved) || event.index < watcher.fromIndex) continue
      const isQueued = watcher.push(event)
      if (!isQueued || !watcher.isStream) this.remove(watcher)
    }
  }
}

/** Whether an element of the path below the watched one begins with `_`. A removed directory hides nothing below it. */
function isHiddenBelow(watchedPath: StorePath, path: StorePath): boolean {
  if (watchedPath.length > path.length) return false
  return path.includes('/_', watchedPath === '/' ? 0 : watchedPath.length)
}
