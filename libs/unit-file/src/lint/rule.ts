/** What a rule is: which findings it can make, and of what. */
import type { LintId } from './catalogue.ts'
import type { Complaint, LintContext } from './finding.ts'
import type { LintedFile, LintedUnit } from './linted-unit.ts'

/** All units among the files. */
export type LintedSet = {
  readonly units: readonly LintedUnit[]
  readonly files: readonly LintedFile[]
  /** Names of units with a main file. */
  readonly names: ReadonlySet<string>
}

export type LintRule =
  /** Of one file; `unit` is what it is a part of. */
  | {
      readonly kind: 'file'
      readonly ids: readonly LintId[]
      readonly check: (file: LintedFile, unit: LintedUnit, context: LintContext) => Iterable<Complaint>
    }
  /** Of a unit with a main file, drop-ins applied. */
  | {
      readonly kind: 'unit'
      readonly ids: readonly LintId[]
      readonly check: (unit: LintedUnit, context: LintContext) => Iterable<Complaint>
    }
  /** Of all files together; complaints name their file. */
  | {
      readonly kind: 'set'
      readonly ids: readonly LintId[]
      readonly check: (set: LintedSet, context: LintContext) => Iterable<Complaint & { readonly path: string }>
    }
