/**
 * The etcd v2 store: commands in, outcomes, events and snapshots out. Which operation checks what, in which order, and
 * what it counts, is spec/etcd-v2.md §1.6, §1.7, §2 and §3.2.
 */
import { assert } from '@cluster/prelude'
import type { ByteString } from '../byte-string.ts'
import { escapeGoJson } from '../go-json.ts'
import { type Latin1Codec, pureLatin1 } from '../latin1.ts'
import type { Command, Compare, DeadlineMs, Outcome, StoreErrorCode, StorePath } from './command.ts'
import { renderLifetime } from './deadline.ts'
import { type Moment, renderListing } from './listing.ts'
import { renderedValue, renderIndexes, renderNode, renderNodeStart, shownKey, shownPath } from './render.ts'
import type { Slot } from './slot-table.ts'
import { encodeSnapshot } from './snapshot.ts'
import { createCounters, type StoreCounters } from './stats.ts'
import type {
  AppliedAt,
  Reading,
  ReadOptions,
  SnapshotParts,
  Store,
  StoreStats,
  Watcher,
  Watching,
  WatchOptions,
} from './store-port.ts'
import type { StoreState } from './store-state.ts'
import { now, Tree } from './tree.ts'
import { type HistoryEvent, WatchHistory } from './watch-history.ts'
import { HubWatcher, WatcherHub } from './watcher-hub.ts'

export type StoreOptions = {
  /** Faster ways between bytes and byte strings than plain JavaScript has: what `Buffer` does natively. */
  readonly codec?: Latin1Codec
  /** A number that clients do not know, so that they cannot choose names that collide. Seen in no answer. */
  readonly hashSeed?: number
  /**
   * What the bodies of the history may take together (default 256 MiB). Beyond it the oldest go, as if the history held
   * fewer than 1,000 events. Must be the same on all members.
   */
  readonly historyBytesMax?: number
  /** Nodes that a read renders in one turn (default 2,000, about three milliseconds); a larger one comes as `sliced`. */
  readonly sliceNodesMax?: number
  /**
   * Removed nodes that each command gives back on its way (default 8, a sync 512 times as many): the price of a removal
   * is paid by those after it.
   */
  readonly reclaimSteps?: number
  /** Bytes of a part of a snapshot, from 512 to 262,144, which is the default. */
  readonly partBytesMax?: number
}

/** A store without anything in it: index 0, and the two directories that every store has, `/0` and `/1`. */
export const createStore = (options: StoreOptions = {}): Store => new TreeStore(createState(options))

/** The state of an empty store. */
export function createState({
  codec = pureLatin1,
  hashSeed = 0,
  historyBytesMax = 2 ** 28,
  sliceNodesMax = 2000,
  partBytesMax = 2 ** 18,
  reclaimSteps = 8,
}: StoreOptions): StoreState {
  assert(partBytesMax >= 512 && partBytesMax <= 2 ** 18, 'a part of a snapshot has 512 to 262,144 bytes')
  assert(sliceNodesMax >= 1, 'a slice has at least one node')
  const tree = new Tree({ codec, hashSeed })
  for (const path of ['/0', '/1']) {
    tree.walk(path)
    tree.addAtStop(path, true, 0)
  }
  const history = new WatchHistory(historyBytesMax)
  return { tree, history, counters: createCounters(), sliceNodesMax, partBytesMax, reclaimSteps, index: 0 }
}

/** `/`, `/0` and `/1` are the first three nodes and can be neither changed nor removed. */
const lastReadOnlySlot: Slot = 3

/** A sync comes rarely and may take longer. */
const reclaimFactorOfSync = 512

/** A sync ends so many nodes at most, a few milliseconds of work; the next one goes on. The same on all members. */
const endedPerSync = 1000

/**
 * What a `get` in the log renders at most, a few milliseconds of work in one turn. Whoever needs more of it reads in
 * slices; a replay renders it for nobody.
 */
const answerCharactersMax = 2 ** 20

type Action = 'set' | 'create' | 'update' | 'compareAndSwap' | 'delete' | 'compareAndDelete' | 'expire'

export class TreeStore implements Store {
  readonly #state: StoreState
  readonly #tree: Tree
  readonly #counters: StoreCounters
  readonly #history: WatchHistory
  readonly #hub = new WatcherHub()

  constructor(state: StoreState) {
    this.#state = state
    this.#tree = state.tree
    this.#counters = state.counters
    this.#history = state.history
  }

  get index(): number {
    return this.#state.index
  }

  get nodeCount(): number {
    return this.#tree.nodeCount
  }

  get nextDeadlineMs(): number | undefined {
    const slot = this.#tree.firstToEnd()
    return slot === 0 ? undefined : this.#tree.deadlineOf(slot)
  }

  get stats(): StoreStats {
    return { ...this.#counters, watchers: this.#hub.size }
  }

  countRead(isFound: boolean): void {
    if (isFound) this.#counters.getsSuccess++
    else this.#counters.getsFail++
  }

  apply(command: Command, at: AppliedAt): Outcome {
    if (this.#tree.hasGarbage) {
      const steps = this.#state.reclaimSteps
      this.#tree.reclaim(command.kind === 'sync' ? steps * reclaimFactorOfSync : steps)
    }
    switch (command.kind) {
      case 'set':
        return this.#set(command, at.timeMs)
      case 'create':
        return this.#create(command.path, command.value, command.isDirectory, command.deadlineMs, at.timeMs)
      case 'create-in-order': {
        const name = `${this.index + 1}`.padStart(20, '0')
        const path = command.path === '/' ? `/${name}` : `${command.path}/${name}`
        return this.#create(path, command.value, command.isDirectory, command.deadlineMs, at.timeMs)
      }
      case 'update':
        return this.#update(command, at.timeMs)
      case 'compare-and-swap':
        return this.#compareAndSwap(command, at.timeMs)
      case 'delete':
        return this.#delete(command, at.timeMs)
      case 'compare-and-delete':
        return this.#compareAndDelete(command, at.timeMs)
      case 'get':
        return this.#get(command, at.timeMs)
      case 'sync':
        return this.#sync(command.timeMs, at.timeMs)
      default:
        return command satisfies never
    }
  }

  read(path: StorePath, options: ReadOptions, nowMs: number): Reading {
    const slot = this.#tree.walk(path)
    if (slot === 0) {
      this.#counters.getsFail++
      return this.#refuseAtStop(path)
    }
    this.#counters.getsSuccess++
    if (!this.#tree.isDirectory(slot)) return this.#fileFound(slot, path, nowMs)
    const moment: Moment = { epoch: now }
    const parts = renderListing(this.#tree, slot, shownKey(path), options, nowMs, moment, this.#state.sliceNodesMax)
    const first = parts.next()
    if (first.done === true) return { kind: 'done', index: this.index, isCreated: false, body: first.value }
    // The rest is rendered in later turns and must show the tree of this one.
    moment.epoch = this.#tree.openView()
    return this.#sliced(first.value, parts, moment.epoch)
  }

  valueOf(path: StorePath): ByteString | undefined {
    const slot = this.#tree.walk(path)
    return slot === 0 || this.#tree.isDirectory(slot) ? undefined : this.#tree.valueOf(slot)
  }

  childrenOf(path: StorePath): readonly ByteString[] | undefined {
    const tree = this.#tree
    const slot = tree.walk(path)
    if (slot === 0 || !tree.isDirectory(slot)) return undefined
    const names: ByteString[] = []
    for (let child = tree.firstChild(slot, now); child !== 0; child = tree.nextSibling(child, now)) {
      names.push(tree.nameOf(child))
    }
    return names.sort()
  }

  watch(path: StorePath, options: WatchOptions, wake: (watcher: Watcher) => void): Watching {
    const fromIndex = options.fromIndex === 0 ? this.index + 1 : options.fromIndex
    const scan = this.#history.scan(path, options.isRecursive, fromIndex)
    if (scan.kind === 'cleared') {
      const cause = `the requested history has been cleared [${scan.oldestIndex}/${fromIndex}]`
      return { kind: 'refused', code: 401, cause, index: this.index }
    }
    const watcher = new HubWatcher(this.#hub, path, { ...options, fromIndex }, this.index, wake)
    // A stream that finds its event in the history is told of no other: watch-stream-index.json.
    if (scan.kind === 'found') watcher.push(scan.event)
    else this.#hub.add(watcher)
    return { kind: 'watching', watcher }
  }

  snapshot(): SnapshotParts {
    const tree = this.#tree
    const epoch = tree.openView()
    const parts = encodeSnapshot(this.#state, epoch)
    let isOpen = true
    const close = (): void => {
      if (isOpen) tree.closeView(epoch)
      isOpen = false
    }
    const next = (): Uint8Array | undefined => {
      if (!isOpen) return undefined
      const part = parts.next()
      if (part.done !== true) return part.value
      close()
      return undefined
    }
    return { next, close }
  }

  #set(command: Extract<Command, { kind: 'set' }>, timeMs: number): Outcome {
    const { path, isRefresh, deadlineMs } = command
    const tree = this.#tree
    let slot = tree.walk(path)
    if (slot === 0) {
      if (tree.stop.code === 104 || isRefresh) {
        this.#counters.setsFail++
        return this.#refuseAtStop(path)
      }
      this.#counters.setsSuccess++
      return this.#add('set', command.value, path, command.isDirectory, deadlineMs, timeMs)
    }
    if (slot <= lastReadOnlySlot || tree.isDirectory(slot)) {
      this.#counters.setsFail++
      return slot <= lastReadOnlySlot ? this.#refuse(107, '/') : this.#refuse(102, path)
    }
    this.#counters.setsSuccess++
    const key = shownKey(path)
    const previous = renderNode(tree, slot, key, timeMs)
    const index = ++this.#state.index
    if (command.isDirectory) {
      tree.remove(slot)
      tree.walk(path)
      slot = tree.addAtStop(path, true, index)
    } else if (isRefresh) {
      tree.touch(slot, index, index)
    } else {
      tree.write(slot, command.value, index, index)
    }
    tree.setDeadline(slot, deadlineMs)
    const node = this.#renderWritten(slot, key, command.value, isRefresh, index, index, timeMs)
    return this.#happened('set', path, node, previous, isRefresh)
  }

  #create(path: StorePath, value: ByteString, isDirectory: boolean, deadlineMs: DeadlineMs, timeMs: number): Outcome {
    const tree = this.#tree
    const slot = tree.walk(path)
    if (slot === 0 && tree.stop.code === 100) {
      this.#counters.createSuccess++
      return this.#add('create', value, path, isDirectory, deadlineMs, timeMs)
    }
    this.#counters.createFail++
    if (slot === 0) {
      // Counted twice by etcd: stats-store.json.
      this.#counters.setsFail++
      return this.#refuseAtStop(path)
    }
    return slot <= lastReadOnlySlot ? this.#refuse(107, '/') : this.#refuse(105, path)
  }

  /** Adds the node that the last walk did not find. */
  #add(
    action: 'set' | 'create',
    value: ByteString,
    path: StorePath,
    isDirectory: boolean,
    deadlineMs: DeadlineMs,
    timeMs: number,
  ): Outcome {
    const tree = this.#tree
    const index = ++this.#state.index
    const slot = tree.addAtStop(path, isDirectory, index)
    if (!isDirectory) tree.write(slot, value, index, index)
    tree.setDeadline(slot, deadlineMs)
    const node = this.#renderWritten(slot, shownKey(path), value, false, index, index, timeMs)
    return this.#happened(action, path, node, undefined, false)
  }

  #update(command: Extract<Command, { kind: 'update' }>, timeMs: number): Outcome {
    const { path, isRefresh } = command
    const tree = this.#tree
    const slot = tree.walk(path)
    if (slot === 0) {
      this.#counters.updateFail++
      return this.#refuseAtStop(path)
    }
    // Also the refusals of an existing node count as successes: spec §3.2.
    this.#counters.updateSuccess++
    if (slot <= lastReadOnlySlot) return this.#refuse(107, '/')
    const isDirectory = tree.isDirectory(slot)
    if (isDirectory && command.value !== '') return this.#refuse(102, path)
    return this.#change('update', slot, command, timeMs, isRefresh)
  }

  #compareAndSwap(command: Extract<Command, { kind: 'compare-and-swap' }>, timeMs: number): Outcome {
    const { path, isRefresh, compare } = command
    const tree = this.#tree
    const slot = tree.walk(path)
    if (slot !== 0 && slot <= lastReadOnlySlot) {
      this.#counters.compareAndSwapSuccess++
      return this.#refuse(107, '/')
    }
    const refusal =
      slot === 0
        ? this.#refuseAtStop(path)
        : tree.isDirectory(slot)
          ? this.#refuse(102, path)
          : this.#refuseUnlike(slot, compare)
    if (refusal !== undefined) {
      this.#counters.compareAndSwapFail++
      return refusal
    }
    this.#counters.compareAndSwapSuccess++
    return this.#change('compareAndSwap', slot, command, timeMs, isRefresh)
  }

  /** What update and compare-and-swap do to a node that they may change. */
  #change(
    action: 'update' | 'compareAndSwap',
    slot: Slot,
    {
      path,
      value,
      deadlineMs,
    }: { readonly path: StorePath; readonly value: ByteString; readonly deadlineMs: DeadlineMs },
    timeMs: number,
    isRefresh: boolean,
  ): Outcome {
    const tree = this.#tree
    const key = shownKey(path)
    const previous = renderNode(tree, slot, key, timeMs)
    const created = tree.createdOf(slot)
    const index = ++this.#state.index
    // A directory keeps its modifiedIndex, whatever the answer says: keys-update-dir.json.
    if (!tree.isDirectory(slot)) {
      if (isRefresh) tree.touch(slot, created, index)
      else tree.write(slot, value, created, index)
    }
    tree.setDeadline(slot, deadlineMs)
    const node = this.#renderWritten(slot, key, value, isRefresh, index, created, timeMs)
    return this.#happened(action, path, node, previous, isRefresh)
  }

  #delete(command: Extract<Command, { kind: 'delete' }>, timeMs: number): Outcome {
    const { path, isRecursive } = command
    const tree = this.#tree
    const slot = tree.walk(path)
    if (slot !== 0 && slot <= lastReadOnlySlot) {
      this.#counters.deleteSuccess++
      return this.#refuse(107, '/')
    }
    if (slot === 0) {
      this.#counters.deleteFail++
      return this.#refuseAtStop(path)
    }
    if (tree.isDirectory(slot) && !isRecursive) {
      const isKept = !command.isDirectory || tree.childCountOf(slot) > 0
      if (isKept) {
        this.#counters.deleteFail++
        return this.#refuse(command.isDirectory ? 108 : 102, path)
      }
    }
    this.#counters.deleteSuccess++
    return this.#remove('delete', slot, path, timeMs)
  }

  #compareAndDelete({ path, compare }: Extract<Command, { kind: 'compare-and-delete' }>, timeMs: number): Outcome {
    const tree = this.#tree
    const slot = tree.walk(path)
    if (slot === 0) {
      this.#counters.compareAndDeleteFail++
      return this.#refuseAtStop(path)
    }
    this.#counters.compareAndDeleteSuccess++
    if (tree.isDirectory(slot)) return this.#refuse(102, path)
    return this.#refuseUnlike(slot, compare) ?? this.#remove('compareAndDelete', slot, path, timeMs)
  }

  #get(command: Extract<Command, { kind: 'get' }>, timeMs: number): Outcome {
    const tree = this.#tree
    const slot = tree.walk(command.path)
    if (slot === 0) {
      this.#counters.getsFail++
      return this.#refuseAtStop(command.path)
    }
    this.#counters.getsSuccess++
    if (!tree.isDirectory(slot)) return this.#fileFound(slot, command.path, timeMs)
    const parts = renderListing(
      tree,
      slot,
      shownKey(command.path),
      command,
      timeMs,
      { epoch: now },
      this.#state.sliceNodesMax,
    )
    let body = ''
    for (;;) {
      const part = parts.next()
      body += part.value
      if (body.length > answerCharactersMax) {
        // The read that has to follow is the one that counts.
        this.#counters.getsSuccess--
        return { kind: 'done', index: this.index, isCreated: false, body: '', isTooLarge: true }
      }
      if (part.done === true) return { kind: 'done', index: this.index, isCreated: false, body }
    }
  }

  #sync(untilMs: number, timeMs: number): Outcome {
    const tree = this.#tree
    for (let left = endedPerSync; left > 0; left--) {
      const slot = tree.firstToEnd()
      const deadlineMs = slot === 0 ? undefined : tree.deadlineOf(slot)
      if (deadlineMs === undefined || deadlineMs > untilMs) break
      this.#counters.expireCount++
      this.#remove('expire', slot, tree.pathOf(slot), timeMs)
    }
    return { kind: 'done', index: this.index, isCreated: false, body: '' }
  }

  #remove(action: 'delete' | 'compareAndDelete' | 'expire', slot: Slot, path: StorePath, timeMs: number): Outcome {
    const tree = this.#tree
    const key = shownKey(path)
    const isDirectory = tree.isDirectory(slot)
    const previous = renderNode(tree, slot, key, timeMs)
    const created = tree.createdOf(slot)
    const index = ++this.#state.index
    // The node of an expired directory does not say that it was one: ttl-expire-dir.json.
    const kind = isDirectory && action !== 'expire' ? ',"dir":true' : ''
    const node = `{"key":"${key}"${kind}${renderIndexes(index, created)}}`
    const body = `{"action":"${action}","node":${node},"prevNode":${previous}}\n`
    const event = { index, body, path, isRefresh: false, isDirectoryRemoval: isDirectory }
    if (this.#hub.size > 0) {
      if (isDirectory) {
        for (const below of this.#hub.pathsBelow(path)) {
          if (tree.walk(below) !== 0) this.#hub.notifyRemoved(event, below)
        }
      }
      // And once more below: a stream of the node itself is told twice (watch-stream-twice.json).
      this.#hub.notifyRemoved(event, path)
    }
    tree.remove(slot)
    return this.#publish(event, false)
  }

  #happened(
    action: Action,
    path: StorePath,
    node: ByteString,
    previous: ByteString | undefined,
    isRefresh: boolean,
  ): Outcome {
    const before = previous === undefined ? '' : `,"prevNode":${previous}`
    const body = `{"action":"${action}","node":${node}${before}}\n`
    const event = { index: this.index, body, path, isRefresh, isDirectoryRemoval: false }
    return this.#publish(event, previous === undefined)
  }

  #publish(event: HistoryEvent, isCreated: boolean): Outcome {
    this.#history.add(event)
    if (!event.isRefresh) this.#hub.notify(event)
    return { kind: 'done', index: event.index, isCreated, body: event.body }
  }

  #renderWritten(
    slot: Slot,
    key: ByteString,
    value: ByteString,
    isRefresh: boolean,
    modified: number,
    created: number,
    timeMs: number,
  ): ByteString {
    const tree = this.#tree
    const lifetime = renderLifetime(tree.deadlineOf(slot), timeMs)
    const indexes = renderIndexes(modified, created)
    if (tree.isDirectory(slot)) return `{"key":"${key}","dir":true${lifetime}${indexes}}`
    const shown = isRefresh ? renderedValue(tree, slot) : tree.isValuePlain(slot) ? value : escapeGoJson(value)
    return `{"key":"${key}","value":"${shown}"${lifetime}${indexes}}`
  }

  #fileFound(slot: Slot, path: StorePath, nowMs: number): Outcome {
    const tree = this.#tree
    const indexes = renderIndexes(tree.modifiedOf(slot), tree.createdOf(slot))
    const body = `{"action":"get","node":{${renderNodeStart(tree, slot, shownKey(path), nowMs)}${indexes}}}\n`
    return { kind: 'done', index: this.index, isCreated: false, body }
  }

  #sliced(first: ByteString, parts: Generator<ByteString, ByteString, void>, epoch: number): Reading {
    let isFirst = true
    let isOpen = true
    const close = (): void => {
      if (isOpen) this.#tree.closeView(epoch)
      isOpen = false
    }
    const next = (): ByteString | undefined => {
      if (!isOpen) return undefined
      if (isFirst) {
        isFirst = false
        return first
      }
      const part = parts.next()
      if (part.done === true) close()
      return part.value
    }
    return { kind: 'sliced', index: this.index, next, close }
  }

  #refuse(code: StoreErrorCode, cause: ByteString): Extract<Outcome, { kind: 'refused' }> {
    return { kind: 'refused', code, cause: shownPath(cause), index: this.index }
  }

  /** Why the last walk did not reach its node. */
  #refuseAtStop(path: StorePath): Extract<Outcome, { kind: 'refused' }> {
    return this.#refuse(this.#tree.stop.code, path.slice(0, this.#tree.stop.end))
  }

  #refuseUnlike(slot: Slot, { value, index }: Compare): Extract<Outcome, { kind: 'refused' }> | undefined {
    const tree = this.#tree
    const causes: ByteString[] = []
    if (value !== undefined && value !== '') {
      const stored = tree.valueOf(slot)
      if (stored !== value) causes.push(`[${value} != ${stored}]`)
    }
    if (index !== undefined && index !== 0 && index !== 0n) {
      const stored = tree.modifiedOf(slot)
      if (stored !== index) causes.push(`[${index} != ${stored}]`)
    }
    return causes.length === 0 ? undefined : this.#refuse(101, causes.join(' '))
  }
}
