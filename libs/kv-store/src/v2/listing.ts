/** Directories as JSON, in slices: a listing of a million nodes takes its turns between other work. */
import type { ByteString } from '../byte-string.ts'
import { escapeGoJson } from '../go-json.ts'
import { renderIndexes, renderNode, renderNodeStart } from './render.ts'
import type { Slot } from './slot-table.ts'
import type { ReadOptions } from './store-port.ts'
import type { Tree } from './tree.ts'

/** The moment that a listing shows. Becomes the epoch of a view when the listing is spread over turns. */
export type Moment = { epoch: number }

/** A slice also ends after so many characters. */
const charactersPerSlice = 262_144
const comparisonsPerSlice = 8192

/** A directory that is being listed. */
type Frame = {
  readonly slot: Slot
  readonly key: ByteString
  readonly indexes: ByteString
  /** Sorted: the children that are left, last first. */
  readonly sorted: readonly Slot[] | undefined
  position: number
  next: Slot
  hasNodes: boolean
}

/**
 * The answer to a `get` of a directory. Yields parts of the text, a part may be empty when work was done that has
 * brought no text yet (sorting); returns the last one.
 */
export function* renderListing(
  tree: Tree,
  top: Slot,
  topKey: ByteString,
  { isRecursive, isSorted }: ReadOptions,
  nowMs: number,
  moment: Moment,
  nodesPerSlice: number,
): Generator<ByteString, ByteString, void> {
  let text = `{"action":"get","node":{`
  let nodes = 0
  const stack: Frame[] = []

  const enter = function* (slot: Slot, key: ByteString): Generator<ByteString, void, void> {
    const version = tree.versionAt(slot, moment.epoch)
    text += renderNodeStart(tree, version, key, nowMs)
    const indexes = renderIndexes(tree.modifiedOf(version), tree.createdOf(version))
    const sorted = isSorted ? yield* sortedChildren(tree, slot, moment, nodesPerSlice) : undefined
    const next = isSorted ? 0 : tree.firstChild(slot, moment.epoch)
    stack.push({ slot, key, indexes, sorted, position: 0, next, hasNodes: false })
  }

  yield* enter(top, topKey)
  for (;;) {
    const frame = stack.at(-1)
    if (frame === undefined) break
    let child: Slot
    if (frame.sorted === undefined) {
      child = frame.next
      if (child !== 0) frame.next = tree.nextSibling(child, moment.epoch)
    } else {
      child = frame.sorted[frame.position++] ?? 0
    }
    if (child === 0) {
      text += `${frame.hasNodes ? ']' : ''}${frame.indexes}}`
      stack.pop()
      continue
    }
    nodes++
    if (!tree.isHidden(child)) {
      text += frame.hasNodes ? ',' : ',"nodes":['
      frame.hasNodes = true
      const name = tree.nameOf(child)
      const key = `${frame.key}/${tree.isNamePlain(child) ? name : escapeGoJson(name)}`
      if (isRecursive && tree.isDirectory(child)) {
        text += '{'
        yield* enter(child, key)
      } else {
        text += renderNode(tree, tree.versionAt(child, moment.epoch), key, nowMs)
      }
    }
    if (nodes >= nodesPerSlice || text.length >= charactersPerSlice) {
      const part = text
      text = ''
      nodes = 0
      yield part
    }
  }
  return `${text}}\n`
}

/** Children in byte order of their names. Yields empty parts while it collects and sorts many. */
function* sortedChildren(
  tree: Tree,
  directory: Slot,
  moment: Moment,
  nodesPerSlice: number,
): Generator<ByteString, readonly Slot[], void> {
  const children: { readonly name: ByteString; readonly slot: Slot }[] = []
  let seen = 0
  let slot = tree.firstChild(directory, moment.epoch)
  while (slot !== 0) {
    if (!tree.isHidden(slot)) children.push({ name: tree.nameOf(slot), slot })
    slot = tree.nextSibling(slot, moment.epoch)
    if (++seen % nodesPerSlice === 0) yield ''
  }
  const sorted = yield* sortSliced(children, nodesPerSlice)
  return sorted.map((child) => child.slot)
}

const byName = (a: { readonly name: ByteString }, b: { readonly name: ByteString }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0

/** A merge sort that pauses: runs that sort at once, then merges of neighbours. */
function* sortSliced<T extends { readonly name: ByteString }>(
  items: readonly T[],
  nodesPerSlice: number,
): Generator<ByteString, readonly T[], void> {
  if (items.length <= nodesPerSlice) return [...items].sort(byName)
  let runs: (readonly T[])[] = []
  for (let at = 0; at < items.length; at += nodesPerSlice) {
    runs.push(items.slice(at, at + nodesPerSlice).sort(byName))
    yield ''
  }
  let comparisons = 0
  while (runs.length > 1) {
    const merged: (readonly T[])[] = []
    for (let i = 0; i < runs.length; i += 2) {
      const left = runs[i] ?? []
      const right = runs[i + 1]
      if (right === undefined) {
        merged.push(left)
        continue
      }
      const both: T[] = []
      let l = 0
      let r = 0
      for (;;) {
        const a = left[l]
        const b = right[r]
        if (a === undefined && b === undefined) break
        if (b === undefined || (a !== undefined && a.name <= b.name)) {
          if (a !== undefined) both.push(a)
          l++
        } else {
          both.push(b)
          r++
        }
        if (++comparisons % comparisonsPerSlice === 0) yield ''
      }
      merged.push(both)
    }
    runs = merged
  }
  return runs[0] ?? []
}
