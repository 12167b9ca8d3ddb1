/** Answers in JSON, member by member as etcd orders them (spec/etcd-v2.md §1.8). */
import type { ByteString } from '../byte-string.ts'
import { escapeGoJson, isPlain } from '../go-json.ts'
import type { StoreErrorCode, StorePath } from './command.ts'
import { renderLifetime } from './deadline.ts'
import type { Slot } from './slot-table.ts'
import type { Tree } from './tree.ts'

/** A path as clients know it: without the `/1` in front; the root is empty. */
export function shownPath(path: StorePath): ByteString {
  if (path.charCodeAt(1) !== 49 || path.charCodeAt(0) !== 47) return path
  if (path.length === 2) return ''
  return path.charCodeAt(2) === 47 ? path.slice(2) : path
}

/** The key of the node at a path, ready to stand in JSON; the root of the keys and that of the whole store have none. */
export function shownKey(path: StorePath): ByteString {
  const shown = path === '/' ? '' : shownPath(path)
  return isPlain(shown) ? shown : escapeGoJson(shown)
}

/** The value of a file, ready to stand in JSON. */
export const renderedValue = (tree: Tree, version: Slot): ByteString => {
  const value = tree.valueOf(version)
  return tree.isValuePlain(version) ? value : escapeGoJson(value)
}

/** The members of a node before `nodes`. */
export function renderNodeStart(tree: Tree, version: Slot, key: ByteString, nowMs: number): ByteString {
  const lifetime = renderLifetime(tree.deadlineOf(version), nowMs)
  const named = key === '' ? '' : `"key":"${key}",`
  if (tree.isDirectory(version)) return `${named}"dir":true${lifetime}`
  return `${named}"value":"${renderedValue(tree, version)}"${lifetime}`
}

/** The members of a node after `nodes`, with a comma in front. */
export function renderIndexes(modified: number, created: number): ByteString {
  if (modified === 0 && created === 0) return ''
  return `,"modifiedIndex":${modified},"createdIndex":${created}`
}

/** A node without its children, as it stands in `prevNode` and in listings. */
export function renderNode(tree: Tree, version: Slot, key: ByteString, nowMs: number): ByteString {
  const indexes = renderIndexes(tree.modifiedOf(version), tree.createdOf(version))
  return `{${renderNodeStart(tree, version, key, nowMs)}${indexes}}`
}

const messages: Readonly<Record<StoreErrorCode, string>> = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  104: 'Not a directory',
  105: 'Key already exists',
  107: 'Root is read only',
  108: 'Directory not empty',
  401: 'The event in requested index is outdated and cleared',
}

/** The body of a refusal, newline included (spec §1.10). */
export function renderRefusal(code: StoreErrorCode, cause: ByteString, index: number): ByteString {
  const because = cause === '' ? '' : `,"cause":"${escapeGoJson(cause)}"`
  return `{"errorCode":${code},"message":"${messages[code]}"${because},"index":${index}}\n`
}
