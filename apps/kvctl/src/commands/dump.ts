/** Prints what stands in a data directory: whose it is, files, snapshots, and every entry of the log. */
import { type ByteString, textOf } from '@cluster/kv-store'
import type { Command } from '@cluster/kv-store/v2'
import type { LogEntry, LogInspection } from '@cluster/wal'
import { exitCode, type Run } from '../command.ts'
import { inspectDirectory, readEntry } from '../data-directory.ts'
import { directoryOf, isJson } from './check.ts'

/** One line for each thing, or one JSON object. Exit 1 when something is damaged; what can be read is printed anyway. */
export const dump: Run = async (context, { flags, args }) => {
  const directory = directoryOf(args)
  const write = isJson(context, flags.text('output')) ? writeJson : writeText
  const inspection = inspectDirectory(directory)
  write(inspection, (text) => context.io.stdout.write(text))
  const isDamaged = inspection.findings.some(({ severity }) => severity === 'error')
  return isDamaged ? exitCode.badArgument : exitCode.done
}

type Write = (text: string) => void

function writeText(inspection: LogInspection, write: Write): void {
  const { identity, hardState, segments, snapshots, entries, findings } = inspection
  if (identity !== undefined) write(`member ${identity.memberId} of cluster ${identity.clusterId}\n`)
  const vote = hardState.votedFor === undefined ? '' : `, voted for ${hardState.votedFor}`
  write(`term ${hardState.term}${vote}, committed up to ${hardState.commit}\n`)
  for (const { path, firstIndex, usedBytes, sizeBytes, records } of segments) {
    write(`segment ${path}: from entry ${firstIndex}, ${records} records, ${usedBytes} of ${sizeBytes} bytes\n`)
  }
  for (const { path, index, term, sizeBytes, isWhole } of snapshots) {
    const state = isWhole ? '' : ', damaged'
    write(`snapshot ${path}: up to entry ${index} of term ${term}, ${sizeBytes} bytes${state}\n`)
  }
  for (const entry of entries) write(`${entryLine(entry)}\n`)
  for (const { severity, path, offset, what } of findings) write(`${severity}: ${path} at byte ${offset}: ${what}\n`)
}

function entryLine(entry: LogEntry): string {
  const place = `entry ${entry.index} term ${entry.term}`
  const meaning = readEntry(entry)
  switch (meaning.kind) {
    case 'empty':
      return `${place}: begins the term`
    case 'unknown':
      return `${place}: ${meaning.what}`
    case 'command': {
      const { kind, ...fields } = shown(meaning.command)
      const rest = Object.entries(fields)
        .filter(([, value]) => value !== undefined && value !== false)
        .map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
      return `${place} ${timeOf(meaning.timeMs)}: ${kind}${rest.join('')}`
    }
    default:
      return meaning satisfies never
  }
}

/** Written piece by piece: a log may be larger than one string. */
function writeJson({ entries, ...inspection }: LogInspection, write: Write): void {
  const head = JSON.stringify(inspection)
  write(`${head.slice(0, -1)},"entries":[`)
  let divider = ''
  for (const entry of entries) {
    const { index, term } = entry
    const meaning = readEntry(entry)
    const told =
      meaning.kind === 'command'
        ? { index, term, time: timeOf(meaning.timeMs), command: shown(meaning.command) }
        : { index, term, ...meaning }
    write(`${divider}${JSON.stringify(told)}`)
    divider = ','
  }
  write(']}\n')
}

const timeOf = (timeMs: number): string =>
  Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs)

/** A command as text for people: bytes as the characters they stand for, password hashes left out. */
function shown(command: Command): Readonly<Record<string, unknown>> {
  const hasSecret = 'path' in command && command.path.startsWith('/2/users/')
  const value = (bytes: ByteString): string => (hasSecret ? '[secret]' : textOf(bytes))
  return {
    ...command,
    ...('path' in command ? { path: textOf(command.path) } : {}),
    ...('value' in command ? { value: value(command.value) } : {}),
    ...('compare' in command ? { compare: comparison(command.compare, value) } : {}),
  }
}

const comparison = (
  { value, index }: { readonly value: ByteString | undefined; readonly index: number | bigint | undefined },
  show: (bytes: ByteString) => string,
): object => ({
  ...(value === undefined ? {} : { value: show(value) }),
  ...(index === undefined ? {} : { index: typeof index === 'bigint' ? String(index) : index }),
})
