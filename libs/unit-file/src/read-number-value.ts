/** Values that are numbers, weights, times or modes, as systemd 252 takes them. Messages are systemd's. */
import { isCalendarExpression } from './calendar.ts'
import { resetFindings } from './obsolete-keys.ts'
import { expanded, ignored, kept, type Reader, single, warning } from './value-reading.ts'
import { parseInteger, parseMode, parseNanoseconds, parseTimeSpan, parseUnsigned } from './values.ts'

/** A number from 0 to 4294967295. */
export const unsigned: Reader = single('Failed to parse unsigned value', (value) => parseUnsigned(value).ok)

/** A number that may be negative; of a swap its priority. */
export const integer: Reader = (input) => {
  const { section, key, value } = input
  if (section === 'Swap') return swapPriority(input)
  const max = key.startsWith('MessageQueue') ? 2 ** 63 : 2_147_483_647
  const kind = key.startsWith('MessageQueue') ? 'long' : 'int'
  return parseInteger(value, { min: -max - 1, max }).ok
    ? kept(value)
    : ignored(warning(`Failed to parse ${kind} value, ignoring: ${value}`))
}

const swapPriority: Reader = ({ value }) => {
  const number = parseInteger(value, { min: -2_147_483_648, max: 2_147_483_647 })
  if (!number.ok) return ignored(warning(`Invalid swap priority '${value}', ignoring.`))
  if (number.value < -1) {
    return ignored(
      warning(`Sorry, swap priorities smaller than -1 may only be assigned by the kernel itself, ignoring: ${value}`),
    )
  }
  return number.value <= 32_767 ? kept(value) : ignored(warning(`Swap priority out of range, ignoring: ${value}`))
}

const integerIn =
  (
    { min, max }: { readonly min: number; readonly max: number },
    unreadable: (value: string, message: string) => string,
    outside: (value: string) => string,
    overflow = outside,
  ): Reader =>
  ({ value }) => {
    const number = parseInteger(value, { min: -2_147_483_648, max: 2_147_483_647 })
    if (!number.ok && number.error.message === 'Invalid argument') {
      return ignored(warning(unreadable(value, number.error.message)))
    }
    if (!number.ok) return ignored(warning(overflow(value)))
    return number.value >= min && number.value <= max ? kept(value) : ignored(warning(outside(value)))
  }

/** A nice priority. */
export const niceness: Reader = integerIn(
  { min: -20, max: 19 },
  (value, message) => `Failed to parse nice priority '${value}', ignoring: ${message}`,
  (value) => `Nice priority out of range, ignoring: ${value}`,
)

/** How gladly the kernel kills the process for want of memory. */
export const oomScoreAdjustment: Reader = integerIn(
  { min: -1000, max: 1000 },
  (value, message) => `Failed to parse the OOM score adjust value '${value}', ignoring: ${message}`,
  (value) => `OOM score adjust value out of range, ignoring: ${value}`,
)

/** A priority of I/O within its class. */
export const ioPriority: Reader = integerIn(
  { min: 0, max: 7 },
  (value) => `Failed to parse IO priority, ignoring: ${value}`,
  (value) => `Failed to parse IO priority, ignoring: ${value}`,
)

/** A realtime priority. */
export const cpuSchedulingPriority: Reader = integerIn(
  { min: 0, max: 99 },
  (value) => `Failed to parse CPU scheduling priority, ignoring: ${value}`,
  (value) => `CPU scheduling priority is out of range, ignoring: ${value}`,
  (value) => `Failed to parse CPU scheduling priority, ignoring: ${value}`,
)

const weightIn =
  (min: number, max: number, complaint: string, words: readonly string[] = []): Reader =>
  ({ value }) => {
    const number = parseUnsigned(value)
    const fits = words.includes(value) || (number.ok && number.value >= min && number.value <= max)
    return fits ? kept(value) : ignored(warning(`${complaint}, ignoring: ${value}`))
  }

/** A weight of I/O. */
export const weight: Reader = weightIn(1, 10_000, 'Invalid weight')

/** A weight of I/O in its old unit. */
export const blockIoWeight: Reader = weightIn(10, 1000, 'Invalid block IO weight')

/** A weight of processor time. */
export const cpuWeight: Reader = weightIn(1, 10_000, 'Invalid CPU weight', ['idle'])

/** A weight of processor time in its old unit. */
export const cpuShares: Reader = (input) => {
  const reading = weightIn(2, 262_144, 'Invalid CPU shares')(input)
  return { ...reading, findings: [...resetFindings(input.key), ...reading.findings] }
}

/** A span of time. */
export const timeSpan: Reader = ({ section, key, value, option }) => {
  if (parseTimeSpan(value) !== undefined) return kept(value)
  const isServiceTimeout = section === 'Service' && (key === 'TimeoutSec' || key === 'TimeoutStartSec')
  if (isServiceTimeout || key === 'JobTimeoutSec' || key === 'JobRunningTimeoutSec') {
    return ignored(warning(`Failed to parse ${key}= parameter, ignoring: ${value}`))
  }
  if (key === 'TimeoutAbortSec') return ignored(warning(`Failed to parse ${key}= setting, ignoring: ${value}`))
  const kind = option.type === 'time span, 0 = infinity' ? 'time' : 'sec'
  return ignored(warning(`Failed to parse ${kind} value, ignoring: ${value}`))
}

/** A span of time in nanoseconds. */
export const nanoseconds: Reader = single(
  'Failed to parse nsec value',
  (value) => parseNanoseconds(value) !== undefined,
)

/** When a timer elapses: a calendar expression or a span of time. */
export const timerTrigger: Reader = (input) =>
  expanded(input, (value) => {
    if (input.key === 'OnCalendar') {
      if (isCalendarExpression(value)) return kept(value)
      return ignored(warning(`Failed to parse calendar specification, ignoring: ${value}`))
    }
    if (parseTimeSpan(value) !== undefined) return kept(value)
    return ignored(warning(`Failed to parse timer value, ignoring: ${value}`))
  })

/** Permissions, octal. */
export const mode: Reader = single('Failed to parse mode value', (value) => parseMode(value) !== undefined)
