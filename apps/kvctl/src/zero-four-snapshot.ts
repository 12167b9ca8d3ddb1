/**
 * The store inside a snapshot of etcd 0.4. Pure. A file is the store's JSON, or a JSON object that carries it in `state`
 * as base64, with or without a checksum line ahead of it. Nodes: `Path`, `Value`, `ExpireTime` (RFC 3339, the year 1
 * for never), `Children` by name (null for a file).
 */
import { err, ok, type Result } from '@cluster/prelude'

export type ImportedKey = {
  readonly key: string
  readonly value: string
  /** Absent: never. */
  readonly expiresMs?: number
}

/** The keys of a snapshot, in the order of their names, hidden ones left out but for those below `hidden`. */
export function keysOfSnapshot(text: string, hidden: readonly string[]): Result<readonly ImportedKey[], string> {
  const store = storeIn(text)
  if (!store.ok) return store
  const root = store.value['Root']
  if (!isObject(root)) return err('it has no Root: expected the JSON of a store of etcd 0.4')
  const keys: ImportedKey[] = []
  collect(root, '', keys)
  for (const path of hidden) {
    const names = path.split('/').filter((name) => name !== '')
    const node = names.reduce<unknown>((parent, name) => childrenOf(parent)[name], root)
    if (!isObject(node)) return err(`it has no key ${path}: check --hidden`)
    collect(node, names.map((name) => `/${name}`).join(''), keys)
  }
  return ok(keys)
}

type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function storeIn(text: string): Result<JsonObject, string> {
  const outer = parseObject(text.replace(/^[0-9a-fA-F]{8}\n/, ''))
  if (outer === undefined) return err('it is not JSON: expected a snapshot of etcd 0.4')
  const state = outer['state']
  if (typeof state !== 'string') return ok(outer)
  const inner = parseObject(Buffer.from(state, 'base64').toString())
  return inner === undefined ? err('its state is not base64 of JSON') : ok(inner)
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const childrenOf = (node: unknown): JsonObject => (isObject(node) && isObject(node['Children']) ? node['Children'] : {})

function collect(node: JsonObject, path: string, keys: ImportedKey[]): void {
  if (!isObject(node['Children'])) {
    const value = typeof node['Value'] === 'string' ? node['Value'] : ''
    keys.push({ key: path, value, ...expiryOf(node) })
    return
  }
  for (const [name, child] of Object.entries(node['Children']).sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (!name.startsWith('_') && isObject(child)) collect(child, `${path}/${name}`, keys)
  }
}

function expiryOf(node: JsonObject): { readonly expiresMs?: number } {
  const text = node['ExpireTime']
  if (typeof text !== 'string' || text.startsWith('0001-')) return {}
  const expiresMs = Date.parse(text)
  return Number.isNaN(expiresMs) ? {} : { expiresMs }
}
