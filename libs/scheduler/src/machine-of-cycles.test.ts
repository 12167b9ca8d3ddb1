import { expect, it } from 'vitest'
import { findMachineOfCycles } from './machine-of-cycles.ts'

const cycles = (edges: Readonly<Record<string, readonly string[]>>): readonly (readonly string[])[] =>
  findMachineOfCycles(
    Object.entries(edges).map(([name, machineOf]) => ({
      name,
      requirements: { machineOf, conflicts: [], replaces: [], metadata: new Map(), global: false },
    })),
  )

it.each([
  ['nothing', {}, []],
  ['a chain', { a: ['b'], b: ['c'], c: [] }, []],
  ['a peer that does not exist', { a: ['z'] }, []],
  ['a unit that names itself', { a: ['a'] }, [['a']]],
  ['a pair', { b: ['a'], a: ['b'] }, [['a', 'b']]],
  [
    'a circle of three, with a follower and a leader',
    { f: ['b'], a: ['c'], b: ['a'], c: ['b', 'l'], l: [] },
    [['a', 'c', 'b']],
  ],
  [
    'two circles',
    { a: ['b'], b: ['a'], c: ['d', 'a'], d: ['c'] },
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['the shorter of two circles through one unit', { a: ['b', 'c'], b: ['c'], c: ['a'] }, [['a', 'c']]],
  ['a diamond', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
])('finds the circles in %s', (_, edges, expected) => expect(cycles(edges)).toEqual(expected))

it('takes a chain of thousands', () => {
  const names = Array.from({ length: 5000 }, (_, index) => `u${index}`)
  const chain = Object.fromEntries(names.map((name, index) => [name, [names[index + 1] ?? 'u4999']]))
  expect(cycles(chain)).toEqual([['u4999']])
})
