/** Keeps of each file's findings the worst ones, and counts the others: a hostile file takes no more room than a bad one. */
import type { LintSeverity } from './catalogue.ts'
import type { LintFinding } from './finding.ts'

/** What was found in a file and is not told. */
export type LintOmission = {
  /** The path as it was given. */
  readonly path: string
  /** Findings beyond the limit, by severity; none of a file that was not looked at. */
  readonly counts: Readonly<Record<LintSeverity, number>>
  /** Why looking ended before the end: there may be more findings, of any severity. Absent where it did not. */
  readonly why?: string
}

/** How severe a finding is: the lower, the worse. */
const severityRank: Readonly<Record<LintSeverity, number>> = { error: 0, warning: 1, info: 2 }

export type Collector = {
  /** A finding; the same one twice counts once. */
  readonly add: (finding: LintFinding) => void
  /** Ends looking at a file. */
  readonly giveUp: (path: string, why: string) => void
  /** Whether so much was found in a file that looking on is of no use. */
  readonly isFull: (path: string) => boolean
  readonly findings: () => readonly LintFinding[]
  /** Of files with less told than found, in the order in which they came. */
  readonly omissions: () => readonly LintOmission[]
}

type Collected = {
  kept: LintFinding[]
  readonly counts: Record<LintSeverity, number>
  found: number
  /** Rule and place; numbers take less room than texts. */
  readonly seen: Map<string, Set<number>>
  why?: string
}

/** So much is found in one file before looking ends. */
const foundMax = 50_000

/** Lines and columns are below this. */
const columnsMax = 2 ** 26

/** @param findingsMax told of each file: the most severe ones, of these the first by place */
export function createCollector(findingsMax: number): Collector {
  const files = new Map<string, Collected>()
  const of = (path: string): Collected => {
    const known = files.get(path)
    if (known !== undefined) return known
    const fresh: Collected = { kept: [], counts: { error: 0, warning: 0, info: 0 }, found: 0, seen: new Map() }
    files.set(path, fresh)
    return fresh
  }
  const prune = (file: Collected): void => {
    if (file.kept.length <= findingsMax) return
    file.kept.sort(bySeverity)
    for (const { severity } of file.kept.splice(findingsMax)) file.counts[severity]++
  }
  const isLimited = Number.isFinite(findingsMax)
  return {
    add(finding) {
      const file = of(finding.path)
      const { line, column } = finding.range.start
      const places = file.seen.get(finding.id) ?? new Set()
      const place = line * columnsMax + column
      if (places.has(place)) return
      file.seen.set(finding.id, places.add(place))
      file.found++
      file.kept.push(finding)
      // Not with every finding: sorting twice the limit now and then is cheap.
      if (isLimited && file.kept.length >= 2 * findingsMax + 100) prune(file)
    },
    giveUp(path, why) {
      of(path).why ??= why
    },
    isFull(path) {
      const file = files.get(path)
      if (!isLimited || file === undefined || file.found < foundMax) return false
      file.why ??= `it has more than ${foundMax} findings`
      return true
    },
    findings() {
      for (const file of files.values()) prune(file)
      return [...files.values()].flatMap(({ kept }) => kept)
    },
    omissions() {
      for (const file of files.values()) prune(file)
      return [...files].flatMap(([path, { counts, why }]) => {
        const isWhole = counts.error + counts.warning + counts.info === 0 && why === undefined
        return isWhole ? [] : [{ path, counts, ...(why === undefined ? {} : { why }) }]
      })
    },
  }
}

const bySeverity = (one: LintFinding, other: LintFinding): number =>
  severityRank[one.severity] - severityRank[other.severity] ||
  one.range.start.line - other.range.start.line ||
  one.range.start.column - other.range.start.column
