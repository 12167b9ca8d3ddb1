/** Results as lines for a person: every failing case with its differences, place by place. */
import { match } from 'ts-pattern'
import type { Deviation } from './deviations.ts'
import type { CaseResult } from './run-set.ts'
import type { Difference } from './vector-set.ts'

const differencesShownMax = 20
const excerptCharacters = 100

/** Nothing for a case that passed. */
export const resultLines = (result: CaseResult): readonly string[] =>
  match(result)
    .with({ kind: 'passed' }, { kind: 'deviates' }, () => [])
    .with({ kind: 'differs' }, ({ name, differences }) => [`FAIL ${name}`, ...differenceLines(differences)])
    .with({ kind: 'stale-deviation' }, ({ name, deviation }) => [
      `FAIL ${name}`,
      '  our answer is the recorded one, but a deviation is listed; take it out of tools/vectors/src/deviations.ts:',
      `  ${deviation.reason}`,
    ])
    .with({ kind: 'threw' }, ({ name, lines }) => [`FAIL ${name}`, ...lines.map((line) => `  ${line}`)])
    .exhaustive()

/** One committed deviation, so that nobody overlooks it. */
export function deviationLines({ case: name, trap, reason, outcome }: Deviation): readonly string[] {
  const source = trap === undefined ? '' : ` (trap ${trap})`
  return [`deviation ${name}${source}: ${reason}`, ...differenceLines(outcome)]
}

function differenceLines(differences: readonly Difference[]): readonly string[] {
  const hidden = differences.length - differencesShownMax
  return [
    ...differences.slice(0, differencesShownMax).flatMap(({ at, expected, actual }) => {
      const from = firstDifference(shown(expected), shown(actual))
      return [
        `  ${at === '' ? 'the whole answer' : at}`,
        `    expected ${excerpt(shown(expected), from)}`,
        `    actual   ${excerpt(shown(actual), from)}`,
      ]
    }),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ]
}

const shown = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)))

function firstDifference(one: string, other: string): number {
  let index = 0
  while (index < one.length && one[index] === other[index]) index++
  return index
}

/** A long value is cut so that the place where the two part is in sight. */
function excerpt(text: string, from: number): string {
  if (text.length <= 2 * excerptCharacters) return text
  const start = Math.max(0, from - excerptCharacters / 2)
  const end = Math.min(text.length, start + 2 * excerptCharacters)
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''} (${text.length} characters, from ${start})`
}
