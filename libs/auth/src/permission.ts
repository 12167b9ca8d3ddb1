/**
 * Which keys may be read and written: lists of patterns over keys. Keys and patterns are byte strings (one character a
 * byte), so that a prefix is a prefix of bytes. Rules: spec/etcd-v2.md §4.2.
 */
import { err, ok, type Result } from '@cluster/prelude'

/** Patterns in stored order. `null`: never given, which etcd keeps apart from an empty list. */
export type Patterns = readonly string[] | null

/** What may be read and what may be written. */
export type Permissions = { readonly read: Patterns; readonly write: Patterns }

/** What somebody wants to do with a key, or with everything below it. */
export type KeyAccess = {
  /** The key as asked for: `""` is not `/`, and a trailing slash counts. */
  readonly key: string
  readonly isWrite: boolean
  /** The whole tree below the key is read or removed. */
  readonly isRecursive: boolean
}

/** Neither list was ever given. */
export const noPermissions: Permissions = { read: null, write: null }

/** Whether a pattern is for this key: all that begins with it when it ends in `*`, else this one key. Empty: none. */
export function matchesKey(pattern: string, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : pattern !== '' && key === pattern
}

/** Whether a pattern is for all that lies below this key: only one ending in `*` can be. */
export function coversTree(pattern: string, key: string): boolean {
  return pattern.endsWith('*') && key.startsWith(pattern.slice(0, -1))
}

/** The first pattern that permits an access, undefined when none does. */
export function permittingPattern(permissions: Permissions, access: KeyAccess): string | undefined {
  const patterns = (access.isWrite ? permissions.write : permissions.read) ?? []
  const matches = access.isRecursive ? coversTree : matchesKey
  return patterns.find((pattern) => matches(pattern, access.key))
}

/** Whether there is no pattern in it. */
export function isEmpty(permissions: Permissions | undefined): boolean {
  return (permissions?.read?.length ?? 0) === 0 && (permissions?.write?.length ?? 0) === 0
}

/** Why patterns cannot be granted: one of them is there already, or twice among the new ones. */
export type DuplicatePattern = {
  readonly kind: 'already-granted'
  readonly access: 'read' | 'write'
  readonly pattern: string
}

/** The permissions with more patterns, sorted and each once; reads are looked at before writes. */
export function grant(permissions: Permissions, added: Permissions): Result<Permissions, DuplicatePattern> {
  const read = union(permissions.read, added.read)
  if (!read.ok) return err({ kind: 'already-granted', access: 'read', pattern: read.error })
  const write = union(permissions.write, added.write)
  if (!write.ok) return err({ kind: 'already-granted', access: 'write', pattern: write.error })
  return ok({ read: read.value, write: write.value })
}

/** The permissions without some patterns, sorted and each once; what is not there is skipped. */
export function revoke(permissions: Permissions, removed: Permissions): Permissions {
  return { read: difference(permissions.read, removed.read), write: difference(permissions.write, removed.write) }
}

function union(patterns: Patterns, added: Patterns): Result<readonly string[], string> {
  const all = new Set(patterns ?? [])
  for (const pattern of added ?? []) {
    if (all.has(pattern)) return err(pattern)
    all.add(pattern)
  }
  return ok([...all].sort())
}

function difference(patterns: Patterns, removed: Patterns): readonly string[] {
  const gone = new Set(removed ?? [])
  return [...new Set(patterns ?? [])].filter((pattern) => !gone.has(pattern)).sort()
}

/** Whether two lists are the same to etcd: order counts, and never given is not empty. */
export function isSameList(left: readonly string[] | null, right: readonly string[] | null): boolean {
  if (left === null || right === null) return left === right
  return left.length === right.length && left.every((item, at) => item === right[at])
}
