/**
 * What is wrong, doubtful or unusual in unit files? Reads each file once, lets every rule look at it, at the unit that
 * it is a part of, and at all units together. Rules: spec/unit-lint.md; catalogue.ts has the list.
 */
import { encodeText } from '../byte-text.ts'
import { compareBytes } from '../unit-tree.ts'
import { catalogueEntry } from './catalogue.ts'
import { createCollector, type LintOmission } from './collector.ts'
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
  reportOn([lintedFile(file)], context, { together: false, findingsMax: Infinity }).findings

/**
 * The findings in several files, by file and place: those of each with its drop-ins applied, and those of all together
 * (a timer without its service, `MachineOf=` in a circle, a glob that matches nothing).
 *
 * All of them: for files of strangers see {@link lintReport}.
 *
 * @param files units and drop-ins; of two units with the same name the first counts for the others
 */
export const lintUnits = (files: readonly LintFile[], context: LintContext = {}): readonly LintFinding[] =>
  reportOn(files.map(lintedFile), context, { together: true, findingsMax: Infinity }).findings

/** How much lint looks at and tells; by default as a service that takes files of strangers should have it. */
export type LintLimits = {
  /** So many findings are told of each file, the most severe ones first. Default 200; `Infinity` tells all. */
  readonly findingsMax?: number
  /** Files of more bytes are not looked at. Default 4 MiB. */
  readonly sizeBytesMax?: number
  /** Files of more lines are not looked at. Default 20,000. */
  readonly linesMax?: number
}

/** Findings, and what is not among them. */
export type LintReport = {
  /** By file and place, as `lintUnits` has them. */
  readonly findings: readonly LintFinding[]
  /** Of files with less told than there is. An error is told if there is one in what was looked at. */
  readonly omissions: readonly LintOmission[]
}

/**
 * The findings in several files as `lintUnits` has them, within limits: time and memory grow with the number of files, and
 * with the size of each up to a limit. What is left out is told.
 */
export function lintReport(files: readonly LintFile[], context: LintContext = {}, limits: LintLimits = {}): LintReport {
  const { findingsMax = 200, sizeBytesMax = 4 * 1024 * 1024, linesMax = 20_000 } = limits
  const tooLarge = files.flatMap((file): LintOmission[] => {
    const why = whyTooLarge(file, sizeBytesMax, linesMax)
    return why === undefined ? [] : [{ path: file.path, counts: { error: 0, warning: 0, info: 0 }, why }]
  })
  const left = new Set(tooLarge.map(({ path }) => path))
  const looked = files.filter(({ path }) => !left.has(path)).map(lintedFile)
  const { findings, omissions } = reportOn(looked, context, { together: true, findingsMax })
  return { findings, omissions: [...tooLarge, ...omissions] }
}

function whyTooLarge({ text }: LintFile, sizeBytesMax: number, linesMax: number): string | undefined {
  if (text.length > sizeBytesMax)
    return `it has ${text.length} bytes, and lint looks at files of ${sizeBytesMax} at most`
  let lines = 1
  for (let at = indexOfNewline(text, 0); at >= 0; at = indexOfNewline(text, at + 1)) lines++
  return lines > linesMax ? `it has ${lines} lines, and lint looks at files of ${linesMax} at most` : undefined
}

const indexOfNewline = (text: string | Uint8Array, from: number): number =>
  typeof text === 'string' ? text.indexOf('\n', from) : text.indexOf(0x0a, from)

function reportOn(
  files: readonly LintedFile[],
  context: LintContext,
  { together, findingsMax }: { readonly together: boolean; readonly findingsMax: number },
): LintReport {
  const collector = createCollector(findingsMax)
  const collect = (path: string, complaints: Iterable<Complaint>): void => {
    if (collector.isFull(path)) return
    for (const complaint of complaints) {
      collector.add(findingOf(path, complaint))
      if (collector.isFull(complaint.path ?? path)) return
    }
  }
  const units = unitsOf(files)
  for (const [file, unit] of units.byFile) {
    for (const rule of lintRules) {
      if (rule.kind === 'file') collect(file.path, rule.check(file, unit, context))
    }
  }
  for (const unit of units.all) {
    const path = unit.main?.path ?? unit.dropIns[0]?.path ?? unit.name
    for (const rule of lintRules) {
      if (rule.kind === 'unit') collect(path, rule.check(unit, context))
    }
  }
  if (together) {
    const whole = units.all.filter(({ main }) => main !== undefined)
    const set = { units: whole, files, names: new Set(whole.map(({ name }) => name)) }
    for (const rule of lintRules) {
      if (rule.kind !== 'set') continue
      for (const found of rule.check(set, context)) {
        if (!collector.isFull(found.path)) collector.add(findingOf(found.path, found))
      }
    }
  }
  const order = new Map(files.map(({ path }, index) => [path, index]))
  const findings = [...collector.findings()].sort(
    (one, other) =>
      (order.get(one.path) ?? 0) - (order.get(other.path) ?? 0) ||
      one.range.start.line - other.range.start.line ||
      one.range.start.column - other.range.start.column ||
      compareBytes(one.id, other.id),
  )
  return { findings, omissions: collector.omissions() }
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

/** So much is repaired of one file in a round, and files beyond the limits of a report are left alone. */
const fixesMax = 10_000

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
    const { findings: found } = lintReport(current, context, { findingsMax: fixesMax })
    const findings = found.filter((finding) => finding.fix !== undefined && isWanted(finding))
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
