/** Findings for people: each with its line and a caret, what to do, and how many there are. */
import type { Paint } from '@cluster/cli'
import {
  decodeBytes,
  type LintFile,
  type LintFinding,
  type LintOmission,
  omissionText,
  parseUnitFile,
} from '@cluster/unit-file'

/** Lines of files by path, as lint counts them. */
export function linesOf(files: readonly LintFile[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    files.map(({ path, text }) => [
      path,
      parseUnitFile(text).blocks.flatMap((block) => block.lines.map((line) => line.text)),
    ]),
  )
}

const columnsMax = 160

/** One finding: place, what is wrong, the line with a caret, what to do. */
export function renderFinding(
  { id, severity, path, range, message, remedy, fix }: LintFinding,
  lines: readonly string[],
  paint: Paint,
): string {
  const { start, end } = range
  const word = severity === 'error' ? paint.bad(severity) : severity === 'info' ? paint.dim(severity) : severity
  const head = `${paint.bold(`${path}:${start.line}:${start.column}:`)} ${word} ${id}: ${showable(message)}\n`
  const advice = `${showable(remedy)}${fix === undefined ? '' : ' (--fix does it)'}`
  const text = lines[start.line - 1]
  if (text === undefined || text === '') return `${head}    = ${advice}\n`
  const number = String(start.line)
  const margin = ' '.repeat(number.length)
  // a long line is shown around the place
  const from = Math.max(0, start.column - 1 - columnsMax / 2)
  const shown = text.slice(from, from + columnsMax)
  const to = end.line === start.line ? end.column - 1 : text.length
  const marks = Math.max(1, Math.min(to, from + columnsMax) - (start.column - 1))
  const indent = text.slice(from, start.column - 1).replaceAll(/[^\t]/g, ' ')
  return (
    `${head}  ${number} | ${showable(shown)}\n` +
    `  ${margin} | ${indent}${paint.bad(`^${'~'.repeat(marks - 1)}`)}\n` +
    `  ${margin} = ${advice}\n`
  )
}

/** What a terminal would act on is shown as a mark of its own, and bytes that are no text too. */
const showable = (text: string): string =>
  text.replaceAll(/[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]/g, (character, at: number) => {
    const isHalf = /[\ud800-\udfff]/.test(character)
    const isPair = isHalf && /[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(Math.max(0, at - 1), at + 2))
    return isPair ? character : '\ufffd'
  })

/** `2 errors, 1 warning in 3 files; --fix can repair 1`, and what is not shown. */
export function renderSummary(
  {
    findings,
    shown,
    omissions,
    shownOmissions,
  }: {
    readonly findings: readonly LintFinding[]
    readonly shown: readonly LintFinding[]
    readonly omissions: readonly LintOmission[]
    readonly shownOmissions: readonly LintOmission[]
  },
  { files }: { readonly files: number },
): string {
  const omitted = (some: readonly LintOmission[]): number =>
    some.reduce((sum, { counts }) => sum + counts.error + counts.warning + counts.info, 0)
  const count = (severity: LintFinding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length +
    omissions.reduce((sum, { counts }) => sum + counts[severity], 0)
  const hidden = findings.length - shown.length + omitted(omissions) - omitted(shownOmissions)
  const fixable = shown.filter(({ fix }) => fix !== undefined).length
  return [
    `${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')} in ${counted(files, 'file')}`,
    ...(fixable > 0 ? [`--fix can repair ${fixable}`] : []),
    ...(hidden > 0 ? [`${hidden} of lower severity not shown (--severity info)`] : []),
  ].join('; ')
}

/** One line on what is not told of a file. */
export const renderOmission = (omission: LintOmission, paint: Paint): string =>
  `${paint.bold(`${omission.path}:`)} ${omissionText(omission)}${remedyOf(omission)}\n`

const remedyOf = ({ why }: LintOmission): string => (why === undefined ? ' (--max-findings 0 tells all)' : '')

/** What is not told of a file, among the findings as JSON: the same keys, and `omitted` in place of an ID. */
export const omissionJson = (omission: LintOmission): unknown => ({
  id: 'omitted',
  severity: omission.counts.error > 0 || omission.why !== undefined ? 'error' : 'warning',
  path: omission.path,
  line: 1,
  column: 1,
  endLine: 1,
  endColumn: 1,
  message: omissionText(omission),
  remedy: omission.why === undefined ? '--max-findings 0 tells all' : 'check that it is the right file',
  fix: null,
})

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** A finding as JSON; keys are API. */
export const findingJson = ({ id, severity, path, range, message, remedy, fix }: LintFinding): unknown => ({
  id,
  severity,
  path,
  line: range.start.line,
  column: range.start.column,
  endLine: range.end.line,
  endColumn: range.end.column,
  message,
  remedy,
  fix:
    fix === undefined
      ? null
      : {
          title: fix.title,
          edits: fix.edits.map(({ range: { start, end }, text }) => ({
            line: start.line,
            column: start.column,
            endLine: end.line,
            endColumn: end.column,
            text,
          })),
        },
})

/** The text of a file, for a terminal or a pipe. */
export const textOf = ({ text }: LintFile): string => (typeof text === 'string' ? text : decodeBytes(text))
