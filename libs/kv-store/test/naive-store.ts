/**
 * The store as plainly as it can be written: objects, Maps and whole copies. What the real one is compared with.
 * Written from spec/etcd-v2.md; only ASCII and valid UTF-8 are rendered right.
 */
import { type ByteString, byteStringOf, textOf } from '../src/byte-string.ts'
import type { AppliedAt, Command, Compare, Outcome, StoreErrorCode, StoreStats } from '../src/v2.ts'

type Node = {
  value: string
  children: Map<string, Node> | undefined
  created: number
  modified: number
  deadlineMs: number | undefined
}
type Shown = Record<string, unknown>
type Event = {
  readonly index: number
  readonly path: string
  readonly body: string
  readonly isRefresh: boolean
  readonly isDirectoryRemoval: boolean
}

const queueMax = 100
const historyMax = 1000

export class NaiveWatcher {
  queue: string[] = []
  isOver = false
  isOverrun = false
  readonly path: string
  readonly isRecursive: boolean
  readonly isStream: boolean
  readonly fromIndex: number

  constructor(path: string, isRecursive: boolean, isStream: boolean, fromIndex: number) {
    this.path = path
    this.isRecursive = isRecursive
    this.isStream = isStream
    this.fromIndex = fromIndex
  }

  take(): readonly string[] {
    const events = this.queue
    this.queue = []
    return events
  }
}

const directory = (index: number): Node => ({
  value: '',
  children: new Map(),
  created: index,
  modified: index,
  deadlineMs: undefined,
})

class Refusal extends Error {
  readonly code: StoreErrorCode
  readonly reason: string
  constructor(code: StoreErrorCode, reason: string) {
    super(`${code} ${reason}`)
    this.code = code
    this.reason = reason
  }
}

const elements = (path: string): string[] => path.split('/').filter((part) => part !== '')
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const shownPath = (path: string): string => (path === '/1' || path.startsWith('/1/') ? path.slice(2) : path)
const readOnly = ['/', '/0', '/1']

export class NaiveStore {
  root = directory(0)
  index = 0
  history: Event[] = []
  watchers = new Set<NaiveWatcher>()
  stats: { -readonly [Name in Exclude<keyof StoreStats, 'watchers'>]: number } & Record<string, number> = {
    getsSuccess: 0,
    getsFail: 0,
    setsSuccess: 0,
    setsFail: 0,
    deleteSuccess: 0,
    deleteFail: 0,
    updateSuccess: 0,
    updateFail: 0,
    createSuccess: 0,
    createFail: 0,
    compareAndSwapSuccess: 0,
    compareAndSwapFail: 0,
    compareAndDeleteSuccess: 0,
    compareAndDeleteFail: 0,
    expireCount: 0,
  }
  #nowMs = 0
  /** A read of `/` names everything in full. */
  #isWhole = false

  constructor() {
    this.root.children?.set('0', directory(0))
    this.root.children?.set('1', directory(0))
  }

  apply(command: Command, at: AppliedAt): Outcome {
    this.#nowMs = at.timeMs
    this.#isWhole = false
    switch (command.kind) {
      case 'set':
        return this.#counted('sets', () => this.#set(command))
      case 'create':
        return this.#counted('create', () => this.#create(command, command.path))
      case 'create-in-order': {
        const name = `${this.index + 1}`.padStart(20, '0')
        return this.#counted('create', () => this.#create(command, `${command.path}/${name}`))
      }
      case 'update':
        return this.#counted('update', () => this.#update(command), [102, 107])
      case 'compare-and-swap':
        return this.#counted('compareAndSwap', () => this.#swap(command), [107])
      case 'delete':
        return this.#counted('delete', () => this.#delete(command), [107])
      case 'compare-and-delete':
        return this.#counted('compareAndDelete', () => this.#compareAndDelete(command), [101, 102])
      case 'get':
        return this.read(command.path, command, at.timeMs)
      case 'sync':
        return this.#sync(command.timeMs)
    }
  }

  read(path: string, options: { isRecursive: boolean; isSorted: boolean }, nowMs: number): Outcome {
    this.#nowMs = nowMs
    this.#isWhole = path === '/'
    return this.#counted('gets', () => {
      const node = this.#walk(path)
      const shown = this.#shown(node, path)
      if (node.children !== undefined) this.#addNodes(shown, node, path, options, true)
      return { index: this.index, isCreated: false, body: this.#json({ action: 'get', node: this.#ordered(shown) }) }
    })
  }

  watch(path: string, isRecursive: boolean, isStream: boolean, asked: number): NaiveWatcher | Outcome {
    const fromIndex = asked === 0 ? this.index + 1 : asked
    const oldest = this.history[0]
    if (oldest !== undefined && fromIndex < oldest.index) {
      const cause = `the requested history has been cleared [${oldest.index}/${fromIndex}]`
      return { kind: 'refused', code: 401, cause, index: this.index }
    }
    const watcher = new NaiveWatcher(path, isRecursive, isStream, fromIndex)
    for (const event of this.history) {
      if (event.index < fromIndex || event.isRefresh) continue
      const isBelow = isRecursive && event.path.startsWith(`${path}/`)
      if (event.path === path || isBelow || (event.isDirectoryRemoval && path.startsWith(event.path))) {
        watcher.queue.push(event.body)
        if (!isStream) watcher.isOver = true
        return watcher
      }
    }
    this.watchers.add(watcher)
    return watcher
  }

  nextDeadlineMs(): number | undefined {
    return this.#nextToEnd()?.node.deadlineMs
  }

  nodeCount(): number {
    const count = (node: Node): number => {
      let sum = 0
      for (const child of node.children?.values() ?? []) sum += 1 + count(child)
      return sum
    }
    return count(this.root)
  }

  #counted(
    name: string,
    act: () => { index: number; isCreated: boolean; body: string },
    alsoSuccess: readonly number[] = [],
  ): Outcome {
    const count = (which: string): void => {
      this.stats[`${name}${which}`] = (this.stats[`${name}${which}`] ?? 0) + 1
    }
    try {
      const done = act()
      count('Success')
      return { kind: 'done', ...done }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      count(alsoSuccess.includes(error.code) ? 'Success' : 'Fail')
      if (name === 'create' && error.code === 104) this.stats.setsFail++
      return { kind: 'refused', code: error.code, cause: shownPath(error.reason), index: this.index }
    }
  }

  #walk(path: string): Node {
    let node = this.root
    let at = ''
    for (const name of elements(path)) {
      if (node.children === undefined) throw new Refusal(104, at)
      at += `/${name}`
      const child = node.children.get(name)
      if (child === undefined) throw new Refusal(100, at)
      node = child
    }
    return node
  }

  #find(path: string): Node | undefined {
    try {
      return this.#walk(path)
    } catch {
      return undefined
    }
  }

  #put(path: string, value: string, isDirectory: boolean, deadlineMs: number | undefined): Node {
    let node = this.root
    let at = ''
    for (const name of elements(parentOf(path))) {
      at += `/${name}`
      let child = node.children?.get(name)
      if (child === undefined) {
        child = directory(this.index + 1)
        node.children?.set(name, child)
      }
      if (child.children === undefined) throw new Refusal(104, at)
      node = child
    }
    const created: Node = { ...directory(this.index + 1), deadlineMs }
    if (!isDirectory) {
      created.children = undefined
      created.value = value
    }
    const old = node.children?.get(nameOf(path))
    // The real store keeps the place of a file that is set again; order is not defined, this makes them comparable.
    if (old !== undefined && isDirectory) node.children?.delete(nameOf(path))
    node.children?.set(nameOf(path), created)
    return created
  }

  #set(command: Extract<Command, { kind: 'set' }>) {
    const { path } = command
    let old: Node | undefined
    try {
      old = this.#walk(path)
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 100 || command.isRefresh) throw error
    }
    if (readOnly.includes(path)) throw new Refusal(107, '/')
    if (old?.children !== undefined) throw new Refusal(102, path)
    const previous = old === undefined ? undefined : this.#shown(old, path)
    const value = command.isRefresh && old !== undefined ? old.value : command.value
    const node = this.#put(path, value, command.isDirectory, command.deadlineMs)
    return this.#happened('set', path, this.#shown(node, path), previous, command.isRefresh)
  }

  #create(command: Extract<Command, { kind: 'create' | 'create-in-order' }>, path: string) {
    if (readOnly.includes(path)) throw new Refusal(107, '/')
    if (this.#find(path) !== undefined) throw new Refusal(105, path)
    const node = this.#put(path, command.value, command.isDirectory, command.deadlineMs)
    return this.#happened('create', path, this.#shown(node, path), undefined, false)
  }

  #update(command: Extract<Command, { kind: 'update' }>) {
    const { path } = command
    if (readOnly.includes(path)) throw new Refusal(107, '/')
    const node = this.#walk(path)
    if (node.children !== undefined && command.value !== '') throw new Refusal(102, path)
    return this.#change('update', node, command)
  }

  #swap(command: Extract<Command, { kind: 'compare-and-swap' }>) {
    const { path } = command
    if (readOnly.includes(path)) throw new Refusal(107, '/')
    const node = this.#walk(path)
    if (node.children !== undefined) throw new Refusal(102, path)
    this.#compare(node, command.compare)
    return this.#change('compareAndSwap', node, command)
  }

  #change(action: string, node: Node, command: Extract<Command, { kind: 'update' | 'compare-and-swap' }>) {
    const { path } = command
    const previous = this.#shown(node, path)
    if (node.children === undefined) {
      if (!command.isRefresh) node.value = command.value
      node.modified = this.index + 1
    }
    node.deadlineMs = command.deadlineMs
    const shown = { ...this.#shown(node, path), modifiedIndex: this.index + 1 }
    return this.#happened(action, path, shown, previous, command.isRefresh)
  }

  #compare(node: Node, { value, index }: Compare): void {
    const causes: string[] = []
    if (value !== undefined && value !== '' && value !== node.value) causes.push(`[${value} != ${node.value}]`)
    const wanted = index === undefined ? 0n : BigInt(index)
    if (wanted !== 0n && wanted !== BigInt(node.modified)) causes.push(`[${wanted} != ${node.modified}]`)
    if (causes.length > 0) throw new Refusal(101, causes.join(' '))
  }

  #delete(command: Extract<Command, { kind: 'delete' }>) {
    const { path } = command
    if (readOnly.includes(path)) throw new Refusal(107, '/')
    const node = this.#walk(path)
    if (node.children !== undefined && !command.isRecursive) {
      if (!command.isDirectory) throw new Refusal(102, path)
      if (node.children.size > 0) throw new Refusal(108, path)
    }
    return this.#remove('delete', node, path)
  }

  #compareAndDelete(command: Extract<Command, { kind: 'compare-and-delete' }>) {
    const node = this.#walk(command.path)
    if (node.children !== undefined) throw new Refusal(102, command.path)
    this.#compare(node, command.compare)
    return this.#remove('compareAndDelete', node, command.path)
  }

  #sync(untilMs: number): Outcome {
    for (;;) {
      const next = this.#nextToEnd()
      if (next?.node.deadlineMs === undefined || next.node.deadlineMs > untilMs) break
      this.stats.expireCount++
      this.#remove('expire', next.node, next.path)
    }
    return { kind: 'done', index: this.index, isCreated: false, body: '' }
  }

  #nextToEnd(): { readonly node: Node; readonly path: string } | undefined {
    const all: { readonly node: Node; readonly path: string; readonly depth: number }[] = []
    const collect = (node: Node, path: string, depth: number): void => {
      if (node.deadlineMs !== undefined) all.push({ node, path, depth })
      for (const [name, child] of node.children ?? []) collect(child, `${path}/${name}`, depth + 1)
    }
    collect(this.root, '', 0)
    all.sort(
      (a, b) =>
        (a.node.deadlineMs ?? 0) - (b.node.deadlineMs ?? 0) || a.node.created - b.node.created || a.depth - b.depth,
    )
    return all[0]
  }

  #remove(action: string, node: Node, path: string) {
    const previous = this.#shown(node, path)
    const index = this.index + 1
    const key = shownPath(path)
    const isDirectory = node.children !== undefined
    const shown: Shown = { key, modifiedIndex: index, createdIndex: node.created }
    if (isDirectory && action !== 'expire') shown['dir'] = true
    const body = this.#json({ action, node: this.#ordered(shown), prevNode: previous })
    const event = { index, path, body, isRefresh: false, isDirectoryRemoval: isDirectory }
    for (const watcher of this.watchers) {
      const isBelow = watcher.path.startsWith(`${path}/`) && this.#find(watcher.path) !== undefined
      if (isBelow || watcher.path === path) this.#tell(watcher, event)
    }
    this.#walk(parentOf(path)).children?.delete(nameOf(path))
    return this.#publish(event, false)
  }

  #happened(action: string, path: string, node: Shown, previous: Shown | undefined, isRefresh: boolean) {
    const index = this.index + 1
    const event = previous === undefined ? { action, node } : { action, node, prevNode: previous }
    const body = this.#json(event)
    return this.#publish({ index, path, body, isRefresh, isDirectoryRemoval: false }, previous === undefined)
  }

  #publish(event: Event, isCreated: boolean) {
    this.index = event.index
    this.history.push(event)
    if (this.history.length > historyMax) this.history.shift()
    if (!event.isRefresh) {
      for (const watcher of this.watchers) {
        const isOwn = watcher.path === event.path
        const below = watcher.path === '/' ? '/' : `${watcher.path}/`
        if (isOwn) this.#tell(watcher, event)
        else if (watcher.isRecursive && event.path.startsWith(below)) {
          const rest = elements(event.path.slice(below.length))
          if (!rest.some((name) => name.startsWith('_'))) this.#tell(watcher, event)
        }
      }
    }
    return { index: event.index, isCreated, body: event.body }
  }

  #tell(watcher: NaiveWatcher, event: Event): void {
    if (event.index < watcher.fromIndex || watcher.isOver) return
    if (watcher.queue.length === queueMax) {
      watcher.isOver = true
      watcher.isOverrun = true
      this.watchers.delete(watcher)
      return
    }
    watcher.queue.push(event.body)
    if (!watcher.isStream) {
      watcher.isOver = true
      this.watchers.delete(watcher)
    }
  }

  #shown(node: Node, path: string): Shown {
    const shown: Shown = {}
    const key = path === '/' ? '' : this.#isWhole ? path : shownPath(path)
    if (key !== '') shown['key'] = key
    if (node.children === undefined) shown['value'] = node.value
    else shown['dir'] = true
    if (node.deadlineMs !== undefined) {
      const iso = new Date(node.deadlineMs).toISOString()
      shown['expiration'] = iso.replace(/\.?0*Z$/, 'Z')
      const leftMs = node.deadlineMs - this.#nowMs
      const ttl = leftMs > 0 ? Math.ceil(leftMs / 1000) : Math.trunc(leftMs / 1000)
      if (ttl !== 0) shown['ttl'] = ttl
    }
    if (node.modified !== 0) shown['modifiedIndex'] = node.modified
    if (node.created !== 0) shown['createdIndex'] = node.created
    return this.#ordered(shown)
  }

  #addNodes(
    shown: Shown,
    node: Node,
    path: string,
    options: { isRecursive: boolean; isSorted: boolean },
    isTop: boolean,
  ): void {
    if (node.children === undefined || !(isTop || options.isRecursive)) return
    let names = [...node.children.keys()].filter((name) => !name.startsWith('_'))
    if (options.isSorted) names = names.sort()
    if (names.length === 0) return
    shown['nodes'] = names.flatMap((name) => {
      const child = node.children?.get(name)
      if (child === undefined) return []
      const childPath = path === '/' ? `/${name}` : `${path}/${name}`
      const childShown = this.#shown(child, childPath)
      this.#addNodes(childShown, child, childPath, options, false)
      return [this.#ordered(childShown)]
    })
  }

  #ordered(shown: Shown): Shown {
    const ordered: Shown = {}
    for (const name of ['key', 'value', 'dir', 'expiration', 'ttl', 'nodes', 'modifiedIndex', 'createdIndex']) {
      if (shown[name] !== undefined) ordered[name] = shown[name]
    }
    return ordered
  }

  #json(value: unknown): ByteString {
    const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? textOf(part) : part))
      .replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
      .replace(/[\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    return `${byteStringOf(text)}\n`
  }
}
