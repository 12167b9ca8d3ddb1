/**
 * One suite for every UnitManager: `unitManagerContract({ name, open, runner: { describe, it } })` inside a test file,
 * or the bare `contractCases` where no test runner is.
 * @packageDocumentation
 */
import { contractCases, type OpenUnitManager } from './contract-cases.ts'

export { type ContractCase, contractCases, loadableUnit, type OpenUnitManager } from './contract-cases.ts'

/** The part of a test runner that is needed; vitest's `describe` and `it` fit. */
export type TestRunner = {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

/** Registers every case. `machine` gives a new machine for each case; its `open` reaches that machine. */
export function unitManagerContract({
  name,
  machine,
  runner: { describe, it },
}: {
  readonly name: string
  readonly machine: () => OpenUnitManager
  readonly runner: TestRunner
}): void {
  describe(`UnitManager: ${name}`, () => {
    for (const contractCase of contractCases) it(contractCase.name, () => contractCase.run(machine()))
  })
}
