/** Comparison of what a server answered with what was recorded, matchers included. Form: tools/vectors/README.md. */
import { isRecorded } from '../recorded-cases.ts'
import type { Difference } from '../vector-set.ts'
import { expand, type Variables } from './template.ts'

/** Every place where `actual` is not what the pattern asks for; the order of an object's members counts. */
export function mismatches(
  expected: unknown,
  actual: unknown,
  variables: Variables,
  at: string,
): readonly Difference[] {
  const no = (wanted: unknown = expected): readonly Difference[] => [{ at, expected: wanted, actual }]
  if (expected === '<any>') return actual === undefined ? no() : []
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || expected.length !== actual.length) return no()
    return expected.flatMap((item, index) => mismatches(item, actual[index], variables, `${at}[${index}]`))
  }
  if (isRecorded(expected)) {
    const names = Object.keys(expected)
    const [first = ''] = names
    if (names.length === 1 && first.startsWith('$')) {
      return fits(first, expected[first], actual, variables) ? [] : no()
    }
    if (!isRecorded(actual)) return no()
    const found = Object.keys(actual)
    if (names.join() !== found.join()) return [{ at: `${at} (members)`, expected: names, actual: found }]
    return names.flatMap((name) => mismatches(expected[name], actual[name], variables, `${at}.${name}`))
  }
  const wanted = typeof expected === 'string' ? expand(expected, variables) : expected
  return wanted === actual ? [] : no(wanted)
}

const isMatch = (expected: unknown, actual: unknown, variables: Variables): boolean =>
  mismatches(expected, actual, variables, '').length === 0

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?(Z|[+-]\d\d:\d\d)$/

function fits(matcher: string, wanted: unknown, actual: unknown, variables: Variables): boolean {
  switch (matcher) {
    case '$index':
      return sameNumber(actual, Number(variables.get('index')) + Number(wanted))
    case '$plus':
      return (
        Array.isArray(wanted) &&
        Number(actual) === Number(variables.get(String(wanted[0]))) + Number(wanted[1]) &&
        actual !== undefined
      )
    case '$type':
      if (wanted === 'timestamp') return typeof actual === 'string' && timestamp.test(actual)
      return wanted === 'uint' ? /^\d+$/.test(String(actual)) : typeof actual === wanted
    case '$re':
      return typeof actual === 'string' && new RegExp(expand(String(wanted), variables)).test(actual)
    case '$oneOf':
      return Array.isArray(wanted) && wanted.some((one) => isMatch(one, actual, variables))
    case '$unordered':
      return Array.isArray(wanted) && Array.isArray(actual) && canPair(wanted, actual, variables)
    default:
      throw new Error(`the script uses the matcher ${matcher}, which nobody knows`)
  }
}

const sameNumber = (actual: unknown, wanted: number): boolean => actual === wanted || actual === String(wanted)

/** Whether each pattern has an item of its own: augmenting paths, so that a loose pattern takes no strict one's item. */
function canPair(patterns: readonly unknown[], items: readonly unknown[], variables: Variables): boolean {
  if (patterns.length !== items.length) return false
  const fitting = patterns.map((pattern) =>
    items.flatMap((item, index) => (isMatch(pattern, item, variables) ? [index] : [])),
  )
  const owners = new Map<number, number>()
  const place = (pattern: number, seen: Set<number>): boolean =>
    (fitting[pattern] ?? []).some((item) => {
      if (seen.has(item)) return false
      seen.add(item)
      const owner = owners.get(item)
      if (owner !== undefined && !place(owner, seen)) return false
      owners.set(item, pattern)
      return true
    })
  return patterns.every((_, pattern) => place(pattern, new Set()))
}
