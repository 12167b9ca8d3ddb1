/** Findings for people: each with its line and a caret, what to do, and how many there are. */
import type { Paint } from '@cluster/cli'
import { decodeBytes, type LintFile, type LintFinding, parseUnitFile } from '@cluster/unit-file'

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
  findings: readonly LintFinding[],
  shown: readonly LintFinding[],
  { files }: { readonly files: number },
): string {
  const count = (severity: LintFinding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length
  const hidden = findings.length - shown.length
  const fixable = shown.filter(({ fix }) => fix !== undefined).length
  return [
    `${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')} in ${counted(files, 'file')}`,
    ...(fixable > 0 ? [`--fix can repair ${fixable}`] : []),
    ...(hidden > 0 ? [`${hidden} of lower severity not shown (--severity info)`] : []),
  ].join('; ')
}

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
