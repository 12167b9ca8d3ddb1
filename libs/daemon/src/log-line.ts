/** What a line of a log is made of, whatever its form: one line, fields as `key=value`. */
import type { LogFields } from '@cluster/prelude'

/** Fields as ` key=value` each, so that a line can be taken apart again: words as they are, all else as JSON. */
export const renderLogFields = (fields: LogFields): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${renderValue(value instanceof Error ? value.message : value)}`)
    .join('')

function renderValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=\\\p{Cc}]+$/u.test(value)) return value
  return JSON.stringify(value) ?? String(value)
}

/** A message without line ends and other control characters: nobody can write a second line with it. */
export const oneLine = (message: string): string => message.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
