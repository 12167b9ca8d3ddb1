/** Runs the cases of a set and judges each, deviations included. */
import { describeError } from '@cluster/prelude'
import type { Deviation } from './deviations.ts'
import { differences } from './differences.ts'
import type { Difference, VectorCase } from './vector-set.ts'

export type CaseResult =
  | { readonly kind: 'passed'; readonly name: string }
  /** Our outcome is the one that the list of deviations states. */
  | { readonly kind: 'deviates'; readonly name: string; readonly deviation: Deviation }
  | { readonly kind: 'differs'; readonly name: string; readonly differences: readonly Difference[] }
  | { readonly kind: 'stale-deviation'; readonly name: string; readonly deviation: Deviation }
  | { readonly kind: 'threw'; readonly name: string; readonly lines: readonly string[] }

/** How many cases run beside each other: those that start programs mostly wait. */
export const atOnceMax = 4

/** The results in the order of the cases. */
export async function runCases(
  cases: readonly VectorCase[],
  deviations: readonly Deviation[],
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; ; index = next++) {
      const vectorCase = cases[index]
      if (vectorCase === undefined) return
      const deviation = deviations.find((one) => one.case === vectorCase.name)
      results[index] = await runCase(vectorCase, deviation)
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, work))
  return results
}

async function runCase({ name, run }: VectorCase, deviation: Deviation | undefined): Promise<CaseResult> {
  let found: readonly Difference[]
  try {
    found = await run()
  } catch (error) {
    return { kind: 'threw', name, lines: describeError(error) }
  }
  if (deviation === undefined) return found.length === 0 ? { kind: 'passed', name } : differs(name, found)
  if (found.length === 0) return { kind: 'stale-deviation', name, deviation }
  const asStated = differences(deviation.outcome, found).length === 0
  return asStated ? { kind: 'deviates', name, deviation } : differs(name, found)
}

const differs = (name: string, found: readonly Difference[]): CaseResult => ({
  kind: 'differs',
  name,
  differences: found,
})

/** Whether the case went as it should. */
export const isPassed = ({ kind }: CaseResult): boolean => kind === 'passed' || kind === 'deviates'
