/** A tree of files as values: what systemd would find on a machine, without a disk. */
import { baseName, parentPath, simplifyPath } from './path-text.ts'

/** A file with its content, or a symbolic link. Directories are those of the paths. */
export type UnitTreeEntry =
  | { readonly path: string; readonly content: string | Uint8Array }
  | { readonly path: string; readonly link: string }

/** What is at a path; `null-device` is what a masked unit leads to. */
export type UnitTreeNode =
  | { readonly kind: 'file'; readonly content: string | Uint8Array }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'null-device' }

/** Look-ups in a tree; paths are absolute. */
export type UnitTree = {
  /** What is at the path itself; links in the middle of the path are followed, one at its end is not. */
  readonly look: (path: string) => UnitTreeNode | undefined
  /** What is at the end of all links; absent when something on the way is missing or goes round in circles. */
  readonly follow: (path: string) => UnitTreeNode | undefined
  /** The path without links, also where its end does not exist; absent for circles. */
  readonly realPath: (path: string) => string | undefined
  /** The path without links in its middle, and without `.` and `..`; absent for circles. */
  readonly realParentPath: (path: string) => string | undefined
  /** Names in a directory, sorted by bytes; empty when it is none. */
  readonly list: (path: string) => readonly string[]
}

type MutableNode =
  | Exclude<UnitTreeNode, { kind: 'directory' }>
  | { readonly kind: 'directory'; readonly names: Set<string> }

const linkHopsMax = 40

/**
 * The tree of these files. `/dev/null` is always there. Of two entries with one path the later counts; an entry below a
 * file makes that file a directory.
 */
export function createUnitTree(entries: readonly UnitTreeEntry[]): UnitTree {
  const nodes = new Map<string, MutableNode>()
  const put = (path: string, node: MutableNode): void => {
    nodes.set(path, node)
    for (let child = path; child !== '/'; child = parentPath(child)) {
      const parent = parentPath(child)
      const existing = nodes.get(parent)
      if (existing?.kind === 'directory') existing.names.add(baseName(child))
      else nodes.set(parent, { kind: 'directory', names: new Set([baseName(child)]) })
    }
  }
  put('/dev/null', { kind: 'null-device' })
  for (const entry of entries) {
    const path = simplifyPath(`/${entry.path}`)
    put(path, 'link' in entry ? { kind: 'link', target: entry.link } : { kind: 'file', content: entry.content })
  }

  /** Walks part by part; `..` is taken from the real directory, as the kernel does. */
  const resolve = (path: string, end: 'followed' | 'kept'): string | undefined => {
    const waiting = path.split('/').reverse()
    let real = '/'
    for (let hops = 0; waiting.length > 0; ) {
      const part = waiting.pop() ?? ''
      if (part === '' || part === '.') continue
      if (part === '..') {
        real = parentPath(real)
        continue
      }
      const next = real === '/' ? `/${part}` : `${real}/${part}`
      const node = nodes.get(next)
      const isEnd = waiting.every((rest) => rest === '' || rest === '.')
      if (node?.kind !== 'link' || (isEnd && end === 'kept')) {
        real = next
        continue
      }
      hops++
      if (hops > linkHopsMax) return undefined
      if (node.target.startsWith('/')) real = '/'
      waiting.push(...node.target.split('/').reverse())
    }
    return real
  }
  const nodeAt = (path: string | undefined): UnitTreeNode | undefined =>
    path === undefined ? undefined : nodes.get(path)

  return {
    look: (path) => nodeAt(resolve(path, 'kept')),
    follow: (path) => nodeAt(resolve(path, 'followed')),
    realPath: (path) => resolve(path, 'followed'),
    realParentPath: (path) => resolve(path, 'kept'),
    list: (path) => {
      const node = nodeAt(resolve(path, 'followed'))
      return node?.kind === 'directory' ? [...node.names].sort(compareBytes) : []
    },
  }
}

/** Whether a file masks what it stands for: a link to `/dev/null`, or nothing in it at all. */
export const isMask = (node: UnitTreeNode | undefined): boolean =>
  node?.kind === 'null-device' || (node?.kind === 'file' && node.content.length === 0)

const encoder = new TextEncoder()

/** Order of two names by their UTF-8 bytes, which is not the order of UTF-16. */
export function compareBytes(one: string, other: string): number {
  const [a, b] = [encoder.encode(one), encoder.encode(other)]
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
