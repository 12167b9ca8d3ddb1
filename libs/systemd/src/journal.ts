/** Entries of a unit from the journal of this machine, past and following, through `journalctl --output=json`. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { SystemdError } from './errors.ts'
import { requireManageable } from './manageable-name.ts'

export type JournalEntry = {
  /** Wall time in milliseconds since 1970, with the journal's microseconds as a fraction. */
  readonly timeMs: number
  /** One line or more, as it was logged; bytes that are not UTF-8 are U+FFFD. Empty when the journal left it out. */
  readonly message: string
  /** The unit that logged, or that systemd logged about. */
  readonly unit: string
  readonly pid?: number
  /** syslog's: 0 emergency … 6 info, 7 debug. */
  readonly priority?: number
  /** Name of the program that logged, such as `systemd` or `sleep`. */
  readonly program?: string
}

export type JournalQuery = {
  readonly unit: string
  /** The last so many entries; all when absent. */
  readonly lines?: number
  /** Goes on with new entries until the signal fires. Default false. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
  /** Nothing older, in milliseconds since 1970. */
  readonly sinceMs?: number
  /** The program to ask; default `journalctl` of the PATH. */
  readonly journalctl?: string
}

/** Longest text of journalctl's complaints that is kept for the error. */
const complaintLengthMax = 2000

/**
 * The entries in the order of the journal. Ends with the last one, or when the signal fires.
 *
 * @throws SystemdError `systemd/journal` when journalctl is missing or fails, `systemd/invalid-name`
 */
export async function* readJournal({
  unit,
  lines,
  follow = false,
  signal,
  sinceMs,
  journalctl = 'journalctl',
}: JournalQuery): AsyncGenerator<JournalEntry> {
  requireManageable(unit)
  const stopped = (): boolean => signal?.aborted === true
  if (stopped()) return
  const child = spawn(
    journalctl,
    [
      '--output=json',
      // long and binary fields too, which are null otherwise
      '--all',
      '--quiet',
      '--no-pager',
      `--unit=${unit}`,
      `--lines=${lines ?? 'all'}`,
      ...(sinceMs === undefined ? [] : [`--since=@${(sinceMs / 1000).toFixed(6)}`]),
      ...(follow ? ['--follow'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = new Promise<{ code: number | null; cause?: unknown }>((resolve) => {
    child.on('error', (cause) => resolve({ code: null, cause }))
    child.on('close', (code) => resolve({ code }))
  })
  const kill = (): void => void child.kill('SIGTERM')
  signal?.addEventListener('abort', kill, { once: true })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, complaintLengthMax)
  })
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const entry = readEntry(line, unit)
      if (entry !== undefined) yield entry
      if (stopped()) return
    }
    const { code, cause } = await ended
    if (code === 0 || stopped()) return
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const why = missing ? 'is not installed' : complaint.trim() === '' ? `ended with ${code}` : complaint.trim()
    throw new SystemdError('systemd/journal', `journal of ${unit}: ${journalctl} ${why}`, {
      hint: missing
        ? 'the journal can be read on machines with systemd only'
        : 'run as root or in group systemd-journal',
      cause: missing ? undefined : cause,
    })
  } finally {
    signal?.removeEventListener('abort', kill)
    kill()
    await ended
  }
}

/**
 * One line of journalctl's JSON; undefined for what is not an entry.
 *
 * @param unit the unit that was asked for, for entries that name none
 */
export function readEntry(line: string, unit: string): JournalEntry | undefined {
  const fields = parseObject(line)
  const microseconds = Number(textOf(fields?.['__REALTIME_TIMESTAMP']))
  if (fields === undefined || !Number.isFinite(microseconds)) return undefined
  const pid = numberOf(fields['_PID'] ?? fields['SYSLOG_PID'])
  const priority = numberOf(fields['PRIORITY'])
  const program = textOf(fields['SYSLOG_IDENTIFIER'] ?? fields['_COMM'])
  return {
    timeMs: microseconds / 1000,
    message: textOf(fields['MESSAGE']) ?? '',
    // systemd's own lines about a unit carry it in UNIT; _SYSTEMD_UNIT is then init.scope
    unit: textOf(fields['UNIT']) ?? textOf(fields['_SYSTEMD_UNIT']) ?? unit,
    ...(pid !== undefined && { pid }),
    ...(priority !== undefined && { priority }),
    ...(program !== undefined && { program }),
  }
}

/** A field: text, an array of bytes when it is not UTF-8 or has control characters, or an array of such for repeats. */
function textOf(field: unknown): string | undefined {
  if (typeof field === 'string') return field
  if (!Array.isArray(field)) return undefined
  const items: readonly unknown[] = field
  if (items.every((item) => typeof item === 'number')) return new TextDecoder().decode(Uint8Array.from(items))
  return items.map(textOf).find((text) => text !== undefined)
}

function numberOf(field: unknown): number | undefined {
  const text = textOf(field)
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    // journalctl prints only JSON here; a line cut off by our own kill is no entry
    return undefined
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
