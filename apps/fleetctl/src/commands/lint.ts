/** `fleetctl lint`: what is wrong or doubtful in unit files, before a cluster sees them. Ours; needs no daemon. */
import { exitCodes, type Invocation, paintFor, printJson } from '@cluster/cli'
import {
  fixUnits,
  type LintContext,
  type LintFile,
  type LintFinding,
  type LintOmission,
  type LintSeverity,
  lintReport,
  sarifLog,
} from '@cluster/unit-file'
import type { Context } from '../context.ts'
import { failureOf } from '../failure.ts'
import type { FoundFiles, LintFiles } from '../lint-files.ts'
import {
  findingJson,
  linesOf,
  omissionJson,
  renderFinding,
  renderOmission,
  renderSummary,
  textOf,
} from '../lint-report.ts'
import { unitFileBytesMax } from '../local-files.ts'
import { version } from '../version.ts'

const ranks: Readonly<Record<LintSeverity, number>> = { error: 0, warning: 1, info: 2 }

const isSeverity = (text: string): text is LintSeverity => Object.hasOwn(ranks, text)

/** The command on the files of a computer. */
export const runOn =
  (disk: LintFiles) =>
  async (context: Context, { args, flags }: Invocation): Promise<number> => {
    const { io } = context
    if (args.length === 0) {
      io.stderr.write('Name files or folders of units, or - for stdin\nExample: fleetctl lint units/\n')
      return exitCodes.usage
    }
    const severity = flags.text('severity')
    const rank = isSeverity(severity) ? ranks[severity] : ranks.warning
    const isShown = (finding: LintFinding): boolean => ranks[finding.severity] <= rank
    const found = await find(context, disk, args, flags.text('name'))
    const { files, unreadable } = found
    for (const { path, why, remedy } of unreadable) io.stderr.write(`Cannot lint ${path}: ${why}\n${remedy}\n`)
    if (files.length === 0) return exitCodes.failed

    const lintContext = await contextOf(disk, files, {
      isOnThisMachine: flags.boolean('this-machine'),
      systemdVersion: flags.number('systemd-version'),
    })
    const fixed = flags.boolean('fix') ? fixUnits(files, lintContext, isShown) : { files, fixed: [] }
    const isWritten = flags.boolean('fix') ? await write(context, disk, files, fixed.files, fixed.fixed) : true
    const most = flags.number('max-findings')
    const { findings, omissions } = lintReport(fixed.files, lintContext, { findingsMax: most > 0 ? most : Infinity })
    const report: Report = {
      form: flags.text('output'),
      findings,
      shown: findings.filter(isShown),
      omissions,
      shownOmissions: omissions.flatMap((omission) => shownPart(omission, rank)),
      files: fixed.files,
      // with --fix the text of stdin is the answer
      isFilter: flags.boolean('fix') && args.includes('-'),
    }
    print(context, report)
    const isWhole = unreadable.length === 0 && isWritten && omissions.every(({ why }) => why === undefined)
    return !isWhole || findings.some((finding) => finding.severity === 'error') ? exitCodes.failed : exitCodes.done
  }

async function find(
  { io }: Context,
  disk: LintFiles,
  args: readonly string[],
  nameOfStdin: string,
): Promise<FoundFiles> {
  const paths = [...new Set(args.filter((arg) => arg !== '-'))]
  const found = await disk.find(paths)
  if (!args.includes('-')) return found
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of io.stdin) {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
    chunks.push(bytes)
    sizeBytes += bytes.length
    if (sizeBytes > unitFileBytesMax) {
      const why = `it has more than ${unitFileBytesMax} bytes, which is more than a unit has`
      return { ...found, unreadable: [...found.unreadable, { path: '-', why, remedy: 'give it a unit file' }] }
    }
  }
  return { ...found, files: [...found.files, { path: nameOfStdin, text: Buffer.concat(chunks) }] }
}

async function contextOf(
  disk: LintFiles,
  files: readonly LintFile[],
  { isOnThisMachine, systemdVersion }: { readonly isOnThisMachine: boolean; readonly systemdVersion: number },
): Promise<LintContext> {
  const { isBeside, isInstalled, isExecutable } = await disk.surroundings(files)
  return isOnThisMachine
    ? { systemdVersion, unitExists: (name) => isBeside(name) || isInstalled(name), isExecutable }
    : { systemdVersion, unitExists: (name) => (isBeside(name) ? true : undefined) }
}

/** Writes what has changed, and tells each change; false where a file could not be written. */
async function write(
  { io }: Context,
  disk: LintFiles,
  before: readonly LintFile[],
  after: readonly LintFile[],
  fixed: readonly LintFinding[],
): Promise<boolean> {
  let isWhole = true
  for (const [index, file] of after.entries()) {
    // a text from stdin has no mode; it goes on to stdout, repaired or not
    if (file.mode === undefined) io.stdout.write(textOf(file))
    if (file === before[index]) continue
    const failure = file.mode === undefined ? undefined : await disk.write(file).then(() => undefined, failureOf)
    if (failure !== undefined) {
      isWhole = false
      const more = failure.more.map((line) => `${line}\n`).join('')
      io.stderr.write(`Cannot write ${file.path}, it stays as it was: ${failure.message}\n${more}`)
      continue
    }
    for (const { id, path, range, fix } of fixed) {
      if (path === file.path) io.stderr.write(`${path}:${range.start.line}: fixed ${id}: ${fix?.title ?? ''}\n`)
    }
  }
  return isWhole
}

type Report = {
  readonly form: string
  readonly findings: readonly LintFinding[]
  readonly shown: readonly LintFinding[]
  /** What was found and is not told. */
  readonly omissions: readonly LintOmission[]
  /** The same, of the severities that are asked for. */
  readonly shownOmissions: readonly LintOmission[]
  readonly files: readonly LintFile[]
  /** Whether stdout has the text of a unit already. */
  readonly isFilter: boolean
}

/** Of what is not told, the part that would have been. */
function shownPart(omission: LintOmission, rank: number): readonly LintOmission[] {
  const { error, warning, info } = omission.counts
  const counts = { error, warning: rank >= ranks.warning ? warning : 0, info: rank >= ranks.info ? info : 0 }
  const isNothing = counts.error + counts.warning + counts.info === 0 && omission.why === undefined
  return isNothing ? [] : [{ ...omission, counts }]
}

function print({ io, settings }: Context, report: Report): void {
  const { form, shown, shownOmissions, files, isFilter } = report
  if (form !== 'text' && !isFilter) {
    const json = (): unknown => [...shown.map(findingJson), ...shownOmissions.map(omissionJson)]
    printJson(io, form === 'json' ? json() : sarifLog(shown, { name: 'fleetctl', version }, shownOmissions))
    return
  }
  const sink = isFilter ? io.stderr : io.stdout
  const paint = paintFor(sink, io.env, { noColor: settings.boolean('no-color') })
  const lines = linesOf(files)
  for (const finding of shown) sink.write(renderFinding(finding, lines.get(finding.path) ?? [], paint))
  for (const omission of shownOmissions) sink.write(renderOmission(omission, paint))
  io.stderr.write(`${renderSummary(report, { files: files.length })}\n`)
}
