/** Arbitrary commands on a small set of paths, so that they meet. */
import fc from 'fast-check'
import { byteStringOf } from '../src/byte-string.ts'
import type { Command, Compare } from '../src/v2.ts'

const names = ['a', 'b', '_h', 'dx', 'd', byteStringOf('ü'), 'q"<']
const prefixes = ['/1', '/1', '/1', '/1', '/1', '/1', '/1', '/0', '/2']

export const paths = fc.oneof(
  { weight: 20, arbitrary: pathBelow(3) },
  { weight: 1, arbitrary: fc.constantFrom('/1', '/0') },
)

function pathBelow(depthMax: number) {
  return fc
    .tuple(fc.constantFrom(...prefixes), fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: depthMax }))
    .map(([prefix, parts]) => `${prefix}/${parts.join('/')}`)
}

const longValue = 'long '.repeat(30)
const values = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('', 'x', 'y', 'a\n\t"\\<>&', byteStringOf('日本\u2028𝄞'), longValue, 'z'.repeat(700)),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((power) => 'v'.repeat(40 * 6 ** power)) },
)
/** Times of the test's clock: some deadlines are equal, some are over. */
const deadlines = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 12 }).map((step) => startMs + step * 700) },
)
const compares: fc.Arbitrary<Compare> = fc.record({
  value: fc.oneof(fc.constant(undefined), values),
  index: fc.oneof(fc.constantFrom(undefined, 0), fc.integer({ min: 1, max: 30 }), fc.constant(2n ** 64n - 1n)),
})

/** When the test's clock begins. */
export const startMs = 1_700_000_000_000

const flag = fc.boolean()
const rarely = fc.integer({ min: 0, max: 4 }).map((value) => value === 0)

/** Any command but a sync, whose time must not run backwards. */
export const writes: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      path: paths,
      value: values,
      isDirectory: rarely,
      deadlineMs: deadlines,
      isRefresh: rarely,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('create' as const, 'create-in-order' as const),
      path: paths,
      value: values,
      isDirectory: rarely,
      deadlineMs: deadlines,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      path: paths,
      value: values,
      deadlineMs: deadlines,
      isRefresh: rarely,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('compare-and-swap' as const),
      path: paths,
      value: values,
      compare: compares,
      deadlineMs: deadlines,
      isRefresh: rarely,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), path: paths, isDirectory: flag, isRecursive: flag }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('compare-and-delete' as const), path: paths, compare: compares }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('get' as const), path: paths, isRecursive: flag, isSorted: flag }),
  },
)
