/** Log fields as plain values: errors with code and causes, secrets hidden, bounded in size and depth. */
import { isClusterError, type LogFields } from '@cluster/prelude'
import { Secret } from './secret.ts'

const hidden = '[secret]'
const depthMax = 5
const itemsMax = 100
const textLengthMax = 8192

/** Names of fields whose values are hidden, whatever they are. */
const sensitiveName = /(?:password|passphrase|passwd|secret|token|authorization|cookie|private_?key|credential)/i

/** The fields as JSON can show them. Never throws: what cannot be shown says so. */
export function printableFields(fields: LogFields): Readonly<Record<string, unknown>> {
  return printableRecord(Object.entries(fields), 0, new Set())
}

function printable(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
  switch (typeof value) {
    case 'string':
      return printableText(value)
    case 'bigint':
      return value.toString()
    case 'symbol':
    case 'function':
      return `[${typeof value}]`
    case 'object':
      return value === null ? null : printableObject(value, depth, above)
    default:
      return value
  }
}

function printableObject(value: object, depth: number, above: ReadonlySet<object>): unknown {
  if (value instanceof Secret) return hidden
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString()
  if (value instanceof URL) return printableText(value.href)
  if (above.has(value)) return '[circular]'
  if (depth >= depthMax) return '[deeper]'
  const inside = new Set(above).add(value)
  if (value instanceof Error) return printableError(value, depth, inside)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Map)
    return printableRecord(
      [...value].map(([key, item]) => [String(key), item]),
      depth,
      inside,
    )
  if (value instanceof Set || Array.isArray(value)) {
    const items = [...value]
    const shown = items.slice(0, itemsMax).map((item) => printable(item, depth + 1, inside))
    return items.length > itemsMax ? [...shown, `[${items.length - itemsMax} more]`] : shown
  }
  return printableRecord(Object.entries(value), depth, inside)
}

function printableRecord(
  entries: readonly (readonly [string, unknown])[],
  depth: number,
  above: ReadonlySet<object>,
): Readonly<Record<string, unknown>> {
  const shown = entries.slice(0, itemsMax).map(([key, value]): [string, unknown] => {
    const isHidden = sensitiveName.test(key) && value !== undefined && typeof value !== 'number'
    return [key, isHidden ? hidden : printable(value, depth + 1, above)]
  })
  if (entries.length > itemsMax) shown.push(['more', entries.length - itemsMax])
  return Object.fromEntries(shown)
}

function printableError(error: Error, depth: number, above: ReadonlySet<object>): Readonly<Record<string, unknown>> {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    message: printableText(error.message),
    ...(code !== undefined && { code }),
    ...(isClusterError(error) && error.hint !== undefined && { hint: printableText(error.hint) }),
    // our own errors say what happened; of all others one wants to know where
    ...(!isClusterError(error) &&
      code === undefined &&
      error.stack !== undefined && { stack: printableText(error.stack) }),
    ...(error.cause !== undefined && { cause: printable(error.cause, depth + 1, above) }),
  }
}

/** The text without the user and password of addresses in it. */
export const withoutCredentials = (text: string): string =>
  text.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${hidden}@`)

function printableText(text: string): string {
  const safe = withoutCredentials(text)
  return safe.length > textLengthMax ? `${safe.slice(0, textLengthMax)}… [${safe.length} characters]` : safe
}
