/**
 * A disk in memory that knows what is durable. Every change can fail, be the last one, or find no room; `crash` gives the
 * disk as it may look after a power cut, under any choice of what of the unflushed survived.
 */
import { posix } from 'node:path'
import type { Disk, DiskEntry, DiskFile, DiskLock } from './disk.ts'
import { WalError } from './errors.ts'

/** One call that changes something, before it happens. */
export type DiskOperation = {
  /** 1 for the first. */
  readonly number: number
  readonly kind: 'create' | 'write' | 'sync' | 'rename' | 'unlink' | 'mkdir' | 'sync-directory'
  readonly path: string
  readonly lengthBytes: number
}

/** What happens instead of the operation. */
export type DiskFault =
  /** The call fails with this errno. A flush that fails loses what it should have flushed, as Linux does. */
  | { readonly kind: 'error'; readonly code: string }
  /** A write takes only so many bytes. */
  | { readonly kind: 'short-write'; readonly bytes: number }
  /** The machine stops: the change stands unflushed, this call and all later ones fail. */
  | { readonly kind: 'power-cut' }

export type UnsyncedWrite = { readonly path: string; readonly position: number; readonly lengthBytes: number }
export type UnsyncedName = {
  readonly kind: 'create' | 'rename' | 'unlink' | 'mkdir'
  readonly path: string
}

/** What survives a power cut. Each function is asked for one unflushed change after the other, in order. */
export type Survival = {
  /** Ranges of the write that reached the disk, relative to it. */
  readonly ofWrite: (write: UnsyncedWrite, number: number) => readonly (readonly [from: number, to: number])[]
  readonly ofName: (change: UnsyncedName, number: number) => boolean
}

/** Everything unflushed is there, or none of it. */
export const allSurvives: Survival = { ofWrite: (write) => [[0, write.lengthBytes]], ofName: () => true }
export const nothingSurvives: Survival = { ofWrite: () => [], ofName: () => false }

export interface MemoryDisk extends Disk {
  /** Asked before every change; undefined lets it happen. May advance a clock: that is a slow disk. */
  onOperation: (operation: DiskOperation) => DiskFault | undefined
  /** Size of the file system; what files have beyond their first write counts in full. */
  capacityBytes: number
  /** Changes so far. */
  readonly operations: number
  readonly unsyncedWrites: readonly UnsyncedWrite[]
  readonly unsyncedNames: readonly UnsyncedName[]
  /** A disk as it may look after a power cut now. This one is not changed. */
  crash(survival: Survival): MemoryDisk
  /** A copy with all that is seen now, flushed or not: the same disk after the process alone died. */
  fork(): MemoryDisk
  /** The content of a file as it is seen now. */
  content(path: string): Uint8Array
  /** Replaces a file's content, durably: damage. */
  damage(path: string, change: (content: Uint8Array) => Uint8Array): void
  /** Makes a name's permission bits wider. */
  setMode(path: string, mode: number): void
}

class DiskFailure extends Error {
  override readonly name = 'DiskFailure'
  readonly code: string
  constructor(code: string, what: string) {
    super(`${code}: ${what}`)
    this.code = code
  }
}

type Write = { readonly position: number; readonly bytes: Uint8Array }

/** A file or directory without its name. */
type Node = {
  readonly kind: 'file' | 'directory'
  content: Uint8Array
  durable: Uint8Array
  /** Not yet flushed, oldest first. */
  unsynced: Write[]
  mode: number
}

type NameChange = {
  readonly directory: string
  readonly change: UnsyncedName
  readonly apply: (names: Map<string, Node>) => void
}

type Image = { readonly names: Map<string, Node>; readonly durableNames: Map<string, Node>; changes: NameChange[] }

/** An empty disk with the directories given (`/` always is). */
export function createMemoryDisk(directories: readonly string[] = []): MemoryDisk {
  const names = new Map<string, Node>()
  for (const path of ['/', ...directories]) names.set(path, newNode('directory'))
  return diskOf({ names, durableNames: new Map(names), changes: [] })
}

function diskOf(image: Image): MemoryDisk {
  const { names } = image
  const locks = new Set<string>()
  let operations = 0
  let isOff = false

  const nodeAt = (path: string): Node => {
    const node = names.get(path)
    if (node === undefined) throw new DiskFailure('ENOENT', path)
    return node
  }
  const fileAt = (path: string): Node => {
    const node = nodeAt(path)
    if (node.kind !== 'file') throw new DiskFailure('EISDIR', path)
    return node
  }
  const ensurePower = (): void => {
    if (isOff) throw new DiskFailure('EIO', 'the power is cut')
  }
  /** Asks for a fault; returns how many bytes of a write are taken, and cuts the power after the change. */
  const operate = <T>(
    kind: DiskOperation['kind'],
    path: string,
    lengthBytes: number,
    change: (taken: number) => T,
    onError: () => void = () => undefined,
  ): T => {
    ensurePower()
    operations++
    const fault = disk.onOperation({ number: operations, kind, path, lengthBytes })
    if (fault?.kind === 'error') {
      onError()
      throw new DiskFailure(fault.code, `${kind} ${path}`)
    }
    if (fault?.kind === 'power-cut') {
      // A flush or a directory sync that the power cut interrupts flushed nothing for certain.
      if (kind !== 'sync' && kind !== 'sync-directory') change(lengthBytes)
      isOff = true
      throw new DiskFailure('EIO', 'the power is cut')
    }
    return change(fault?.kind === 'short-write' ? Math.min(fault.bytes, lengthBytes) : lengthBytes)
  }
  const changeName = (
    kind: UnsyncedName['kind'],
    path: string,
    directory: string,
    apply: NameChange['apply'],
  ): void => {
    apply(names)
    image.changes.push({ directory, change: { kind, path }, apply })
  }
  const needParent = (path: string): string => {
    const parent = posix.dirname(path)
    if (names.get(parent)?.kind !== 'directory') throw new DiskFailure('ENOENT', parent)
    return parent
  }
  const usedBytes = (): number => {
    let used = 0
    for (const node of new Set(names.values())) used += node.content.length
    return used
  }

  const openNode = (path: string, node: Node): DiskFile => {
    let isOpen = true
    const ensureOpen = (): void => {
      ensurePower()
      if (!isOpen) throw new DiskFailure('EBADF', path)
    }
    return {
      path,
      read: (target, position) => {
        ensureOpen()
        const part = node.content.subarray(position, position + target.length)
        target.set(part)
        return part.length
      },
      write: (bytes, position) => {
        ensureOpen()
        return operate('write', path, bytes.length, (taken) => {
          const grows = Math.max(0, position + taken - node.content.length)
          if (grows > 0 && grows > disk.capacityBytes - usedBytes()) throw new DiskFailure('ENOSPC', path)
          const write = { position, bytes: bytes.slice(0, taken) }
          node.content = withWrite(node.content, write)
          node.unsynced.push(write)
          return taken
        })
      },
      sync: () => {
        ensureOpen()
        const flush = (): void => {
          for (const write of node.unsynced) node.durable = withWrite(node.durable, write)
          node.unsynced = []
        }
        const lose = (): void => {
          node.unsynced = []
        }
        operate('sync', path, 0, flush, lose)
      },
      close: () => {
        isOpen = false
      },
    }
  }

  const disk: MemoryDisk = {
    onOperation: () => undefined,
    capacityBytes: Number.POSITIVE_INFINITY,
    get operations() {
      return operations
    },
    get unsyncedWrites() {
      return [...writesOf(image)].map(({ path, write }) => ({
        path,
        position: write.position,
        lengthBytes: write.bytes.length,
      }))
    },
    get unsyncedNames() {
      return image.changes.map(({ change }) => change)
    },
    open: (path, mode) => {
      ensurePower()
      if (mode !== 'create') return openNode(path, fileAt(path))
      const parent = needParent(path)
      if (names.has(path)) throw new DiskFailure('EEXIST', path)
      const node = newNode('file')
      return operate('create', path, 0, () => {
        changeName('create', path, parent, (target) => target.set(path, node))
        return openNode(path, node)
      })
    },
    rename: (from, to) => {
      nodeAt(from)
      const parent = needParent(to)
      operate('rename', to, 0, () => changeName('rename', to, parent, (target) => moveName(target, from, to)))
    },
    unlink: (path) => {
      fileAt(path)
      const parent = needParent(path)
      operate('unlink', path, 0, () => changeName('unlink', path, parent, (target) => target.delete(path)))
    },
    mkdir: (path) => {
      const parent = needParent(path)
      if (names.has(path)) throw new DiskFailure('EEXIST', path)
      const node = newNode('directory')
      operate('mkdir', path, 0, () => changeName('mkdir', path, parent, (target) => target.set(path, node)))
    },
    syncDirectory: (path) => {
      if (nodeAt(path).kind !== 'directory') throw new DiskFailure('ENOTDIR', path)
      operate('sync-directory', path, 0, () => {
        for (const { directory, apply } of image.changes) if (directory === path) apply(image.durableNames)
        image.changes = image.changes.filter(({ directory }) => directory !== path)
      })
    },
    list: (path) => {
      ensurePower()
      if (nodeAt(path).kind !== 'directory') throw new DiskFailure('ENOTDIR', path)
      const inside = [...names.keys()].filter((name) => name !== path && posix.dirname(name) === path)
      return inside.map((name) => posix.basename(name)).sort()
    },
    stat: (path): DiskEntry | undefined => {
      ensurePower()
      const node = names.get(path)
      return node === undefined ? undefined : { kind: node.kind, sizeBytes: node.content.length, mode: node.mode }
    },
    freeBytes: () => {
      ensurePower()
      return Math.max(0, disk.capacityBytes - usedBytes())
    },
    lock: (directory): DiskLock => {
      ensurePower()
      if (locks.has(directory)) {
        throw new WalError('wal/in-use', `${directory} is in use by another part of this program`, {
          hint: 'close the log that has it open',
        })
      }
      locks.add(directory)
      return { release: () => locks.delete(directory) }
    },
    crash: (survival) => diskOf(afterCrash(image, survival)),
    fork: () => diskOf(copyOf(image)),
    content: (path) => fileAt(path).content.slice(),
    damage: (path, change) => {
      const node = fileAt(path)
      node.content = change(node.content.slice())
      node.durable = node.content.slice()
      node.unsynced = []
    },
    setMode: (path, mode) => {
      nodeAt(path).mode = mode
    },
  }
  return disk
}

const newNode = (kind: Node['kind']): Node => ({
  kind,
  content: new Uint8Array(0),
  durable: new Uint8Array(0),
  unsynced: [],
  mode: kind === 'file' ? 0o600 : 0o700,
})

function withWrite(content: Uint8Array, { position, bytes }: Write): Uint8Array {
  if (bytes.length === 0) return content
  let target = content
  if (position + bytes.length > content.length) {
    target = new Uint8Array(position + bytes.length)
    target.set(content)
  }
  target.set(bytes, position)
  return target
}

/** Moves a name, and with a directory all names in it. A name that is not there (its creation was lost) moves nothing. */
function moveName(names: Map<string, Node>, from: string, to: string): void {
  const moved = [...names].filter(([name]) => name === from || name.startsWith(`${from}/`))
  for (const [name] of moved) names.delete(name)
  for (const [name, node] of moved) names.set(`${to}${name.slice(from.length)}`, node)
}

function* writesOf({ names }: Image): Generator<{ readonly path: string; readonly node: Node; readonly write: Write }> {
  for (const [path, node] of names) for (const write of node.unsynced) yield { path, node, write }
}

function afterCrash(image: Image, survival: Survival): Image {
  const names = new Map(image.durableNames)
  for (const [number, { change, apply }] of image.changes.entries()) {
    if (survival.ofName(change, number)) apply(names)
  }
  const contents = new Map<Node, Uint8Array>()
  let number = 0
  for (const { path, node, write } of writesOf(image)) {
    const survived = survival.ofWrite({ path, position: write.position, lengthBytes: write.bytes.length }, number++)
    let content = contents.get(node) ?? node.durable.slice()
    for (const [from, to] of survived) {
      content = withWrite(content, { position: write.position + from, bytes: write.bytes.subarray(from, to) })
    }
    contents.set(node, content)
  }
  const fresh = new Map<Node, Node>()
  const after = new Map<string, Node>()
  for (const [path, node] of names) {
    if (path !== '/' && names.get(posix.dirname(path))?.kind !== 'directory') continue // its directory is lost
    const content = contents.get(node) ?? node.durable.slice()
    const copy = fresh.get(node) ?? {
      kind: node.kind,
      content,
      durable: content.slice(),
      unsynced: [],
      mode: node.mode,
    }
    fresh.set(node, copy)
    after.set(path, copy)
  }
  return { names: after, durableNames: new Map(after), changes: [] }
}

function copyOf(image: Image): Image {
  const fresh = new Map<Node, Node>()
  const copy = (node: Node): Node => {
    const made = fresh.get(node) ?? {
      ...node,
      content: node.content.slice(),
      durable: node.durable.slice(),
      unsynced: [...node.unsynced],
    }
    fresh.set(node, made)
    return made
  }
  const names = new Map([...image.names].map(([path, node]) => [path, copy(node)] as const))
  const durableNames = new Map([...image.durableNames].map(([path, node]) => [path, copy(node)] as const))
  const changes = image.changes.map(
    (change): NameChange => ({
      ...change,
      // Names that a change gives to a file have to give it to the copy of that file.
      apply: (target) => {
        change.apply(target)
        for (const [path, node] of target) target.set(path, fresh.get(node) ?? node)
      },
    }),
  )
  return { names, durableNames, changes }
}
