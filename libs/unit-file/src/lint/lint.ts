/**
 * What is wrong, doubtful or unusual in unit files? Reads each file once, lets every rule look at it, at the unit that
 * it is a part of, and at all units together. Rules: spec/unit-lint.md; catalogue.ts has the list.
 */
import { encodeText } from '../byte-text.ts'
import { compareBytes } from '../unit-tree.ts'
import { catalogueEntry } from './catalogue.ts'
import { commandRules } from './command-rules.ts'
import { dependencyRules } from './dependency-rules.ts'
import { fileRules } from './file-rules.ts'
import type { Complaint, LintContext, LintFile, LintFinding } from './finding.ts'
import { applyFixes } from './fix.ts'
import { fleetRules } from './fleet-rules.ts'
import { type LintedFile, type LintedUnit, lintedFile, lintedUnit } from './linted-unit.ts'
import type { LintRule } from './rule.ts'
import { serviceRules } from './service-rules.ts'
import { syntaxRules } from './syntax-rules.ts'
import { valueRules } from './value-rules.ts'

/** Every rule, by family. */
export const lintRules: readonly LintRule[] = [
  ...syntaxRules,
  ...valueRules,
  ...commandRules,
  ...serviceRules,
  ...dependencyRules,
  ...fileRules,
  ...fleetRules,
]

/**
 * The findings in one file by itself, by place. Nothing is said of other units: whether they exist, order, peers.
 * Of a drop-in nothing is said that takes the unit's own file.
 */
export const lintUnit = (file: LintFile, context: LintContext = {}): readonly LintFinding[] =>
  findingsIn([lintedFile(file)], context, { together: false })

/**
 * The findings in several files, by file and place: those of each with its drop-ins applied, and those of all together
 * (a timer without its service, `MachineOf=` in a circle, a glob that matches nothing).
 *
 * @param files units and drop-ins; of two units with the same name the first counts for the others
 */
export const lintUnits = (files: readonly LintFile[], context: LintContext = {}): readonly LintFinding[] =>
  findingsIn(files.map(lintedFile), context, { together: true })

function findingsIn(
  files: readonly LintedFile[],
  context: LintContext,
  { together }: { readonly together: boolean },
): readonly LintFinding[] {
  const findings: LintFinding[] = []
  const seen = new Set<string>()
  const report = (path: string, complaint: Complaint): void => {
    const finding = findingOf(path, complaint)
    const { start } = finding.range
    const identity = `${finding.id} ${start.line}:${start.column} ${finding.path}`
    // two rules may see the same thing
    if (seen.has(identity)) return
    seen.add(identity)
    findings.push(finding)
  }
  const units = unitsOf(files)
  for (const [file, unit] of units.byFile) {
    for (const rule of lintRules) {
      if (rule.kind === 'file') for (const found of rule.check(file, unit, context)) report(file.path, found)
    }
  }
  for (const unit of units.all) {
    const path = unit.main?.path ?? unit.dropIns[0]?.path ?? unit.name
    for (const rule of lintRules) {
      if (rule.kind === 'unit') for (const found of rule.check(unit, context)) report(path, found)
    }
  }
  if (together) {
    const whole = units.all.filter(({ main }) => main !== undefined)
    const set = { units: whole, files, names: new Set(whole.map(({ name }) => name)) }
    for (const rule of lintRules) {
      if (rule.kind === 'set') for (const found of rule.check(set, context)) report(found.path, found)
    }
  }
  const order = new Map(files.map(({ path }, index) => [path, index]))
  return findings.sort(
    (one, other) =>
      (order.get(one.path) ?? 0) - (order.get(other.path) ?? 0) ||
      one.range.start.line - other.range.start.line ||
      one.range.start.column - other.range.start.column ||
      compareBytes(one.id, other.id),
  )
}

function findingOf(path: string, { id, range, message, remedy, fix, severity, path: own }: Complaint): LintFinding {
  return {
    id,
    severity: severity ?? catalogueEntry(id)?.severity ?? 'error',
    path: own ?? path,
    range,
    message,
    remedy,
    ...(fix === undefined ? {} : { fix }),
  }
}

type Units = { readonly all: readonly LintedUnit[]; readonly byFile: readonly (readonly [LintedFile, LintedUnit])[] }

/** Puts files with the same unit together; drop-ins apply in the order of their names. */
function unitsOf(files: readonly LintedFile[]): Units {
  const mains: LintedFile[] = []
  const dropIns = new Map<string, LintedFile[]>()
  for (const file of files) {
    if (file.role === 'unit') mains.push(file)
    else dropIns.set(file.unitName, [...(dropIns.get(file.unitName) ?? []), file])
  }
  for (const list of dropIns.values()) list.sort((one, other) => compareBytes(one.fileName, other.fileName))
  const all: LintedUnit[] = []
  const byFile: [LintedFile, LintedUnit][] = []
  const taken = new Set<string>()
  for (const main of mains) {
    const own = taken.has(main.unitName) ? [] : (dropIns.get(main.unitName) ?? [])
    taken.add(main.unitName)
    const unit = lintedUnit(main.unitName, main, own)
    all.push(unit)
    for (const file of [main, ...own]) byFile.push([file, unit])
  }
  for (const [name, list] of dropIns) {
    if (taken.has(name)) continue
    const unit = lintedUnit(name, undefined, list)
    all.push(unit)
    for (const file of list) byFile.push([file, unit])
  }
  return { all, byFile }
}

/** Files after as many rounds of fixing as it took. */
export type FixedFiles = {
  /** Every file with its text after the fixes: of the type that was given, the very same where nothing was fixed. */
  readonly files: readonly LintFile[]
  /** What was fixed, by file and round. Places are those of the text that the round began with. */
  readonly fixed: readonly LintFinding[]
}

/** One fix may make room for the next; two that undo each other must end too. */
const roundsMax = 10

/**
 * The files with all fixes made that findings have: only the lines that are at fault change, comments and order stay.
 * Fixes are made until there is none left.
 *
 * @param isWanted which findings may be fixed; all unless given
 */
export function fixUnits(
  files: readonly LintFile[],
  context: LintContext = {},
  isWanted: (finding: LintFinding) => boolean = () => true,
): FixedFiles {
  let current = files
  const fixed: LintFinding[] = []
  for (let round = 0; round < roundsMax; round += 1) {
    const findings = lintUnits(current, context).filter((finding) => finding.fix !== undefined && isWanted(finding))
    const next = current.map((file): LintFile => {
      const own = findings.filter(({ path }) => path === file.path)
      if (own.length === 0) return file
      const { text, applied } = applyFixes(file.text, own)
      fixed.push(...applied)
      return applied.length === 0 ? file : { ...file, text: typeof file.text === 'string' ? text : encodeText(text) }
    })
    if (next.every((file, index) => file === current[index])) break
    current = next
  }
  return { files: current, fixed }
}
