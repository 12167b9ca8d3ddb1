/** The Logger port: JSON through pino, or lines for a person or for the journal. To standard error. */
import type { Logger } from '@cluster/prelude'
import { oneLine, renderLogFields } from './log-line.ts'
import { printableFields } from './printable.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/**
 * `json`: one object a line, with `level`, `time` (milliseconds), `name`, `msg`. `text`: `INFO  message key=value`.
 * `journal`: as `text`, with the priority in front that systemd takes off again (sd-daemon(3)).
 */
export const logFormats = ['json', 'text', 'journal'] as const
export type LogFormat = (typeof logFormats)[number]

export type LeveledLogger = Logger & {
  /** From now on nothing below this level is written. */
  readonly setLevel: (level: LogLevel) => void
}

export type LoggerOptions = {
  /** Name of the program; part of every JSON line. */
  readonly name: string
  readonly level: LogLevel
  readonly format: LogFormat
  /** Takes whole lines; default is standard error. */
  readonly write?: (line: string) => void
}

const toStandardError = (line: string): void => {
  process.stderr.write(line)
}

/** Loads pino, which costs a start 10 ms and more, for JSON only. */
export async function createLogger({
  name,
  level,
  format,
  write = toStandardError,
}: LoggerOptions): Promise<LeveledLogger> {
  return format === 'json' ? jsonLogger(name, level, write) : lineLogger(level, format, write)
}

async function jsonLogger(name: string, level: LogLevel, write: (line: string) => void): Promise<LeveledLogger> {
  const { pino } = await import('pino')
  const logger = pino({ name, level, base: { name }, formatters: { level: (label) => ({ level: label }) } }, { write })
  const at =
    (label: LogLevel): Logger['info'] =>
    (message, fields = {}) => {
      if (logger.isLevelEnabled(label)) logger[label](printableFields(fields), message)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    setLevel: (next) => {
      logger.level = next
    },
  }
}

const syslogPriority: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 }

function lineLogger(level: LogLevel, format: LogFormat, write: (line: string) => void): LeveledLogger {
  let lowest = logLevels.indexOf(level)
  const at =
    (label: LogLevel): Logger['info'] =>
    (message, fields = {}) => {
      if (logLevels.indexOf(label) < lowest) return
      const prefix = format === 'journal' ? `<${syslogPriority[label]}>` : ''
      write(
        `${prefix}${label.toUpperCase().padEnd(5)} ${oneLine(message)}${renderLogFields(printableFields(fields))}\n`,
      )
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    setLevel: (next) => {
      lowest = logLevels.indexOf(next)
    },
  }
}
