/** Strict comparison of JSON-like values, as a list of the places that differ. */
import type { Difference } from './vector-set.ts'

/** Every place where `actual` is not `expected`; object keys with value undefined count as absent. */
export function differences(expected: unknown, actual: unknown, at = ''): readonly Difference[] {
  if (Object.is(expected, actual)) return []
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const longest = Math.max(expected.length, actual.length)
    return Array.from({ length: longest }, (_, index) =>
      differences(expected[index], actual[index], `${at}[${index}]`),
    ).flat()
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    return [...keys].flatMap((key) => differences(expected[key], actual[key], at === '' ? key : `${at}.${key}`))
  }
  return [{ at, expected, actual }]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
