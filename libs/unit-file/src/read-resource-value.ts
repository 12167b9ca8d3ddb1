/**
 * Values that limit what a unit may use (sizes, shares, resource limits) and where it may use it (processors, memory
 * nodes), as systemd 252 takes them. Messages are systemd's.
 */
import type { Result } from '@cluster/prelude'
import { resetFindings } from './obsolete-keys.ts'
import type { ValueFinding } from './unit-message.ts'
import { error, ignored, kept, type Reader, warning } from './value-reading.ts'
import {
  type NumberError,
  parseInteger,
  parseMicroseconds,
  parsePermyriad,
  parseSize,
  parseTimeSpan,
  parseUnsigned,
  parseUnsigned64,
} from './values.ts'
import { quotedWords, wordsUntilError } from './words.ts'

/** What systemd stores for no limit; as a number it is none. */
const infinite = 18_446_744_073_709_551_615n

/** A size in bytes. */
export const size: Reader = ({ value }) => {
  const parsed: Result<bigint, NumberError> = parseSize(value)
  if (parsed.ok) return kept(value)
  return ignored(warning(`Failed to parse size value '${value}', ignoring: ${parsed.error.message}`))
}

/** A size of memory in bytes, a share of all memory, or no limit. */
export const memorySize: Reader = ({ key, value }) => {
  const advice = resetFindings(key)
  if (value === 'infinity') return { values: [value], findings: advice }
  const share = parsePermyriad(value)
  const isShare = share !== undefined && share <= 10_000
  const size = isShare ? undefined : parseSize(value)
  if (size !== undefined && !size.ok) {
    return ignored(warning(`Invalid memory limit '${value}', ignoring: ${size.error.message}`))
  }
  const isZero = isShare ? share === 0 : size?.value === 0n
  const isLargest = size?.value === infinite
  if (isLargest || (isZero && !/Low$|Min$|^MemorySwapMax$/.test(key))) {
    return ignored(warning(`Memory limit '${value}' out of range, ignoring.`))
  }
  return { values: [value], findings: advice }
}

/** A count of tasks, a share of all, or no limit. */
export const tasks: Reader = ({ value }) => {
  const share = parsePermyriad(value)
  if (value === 'infinity' || (share !== undefined && share <= 10_000)) return kept(value)
  const count = parseUnsigned64(value)
  if (!count.ok) return ignored(warning(`Invalid maximum tasks value '${value}', ignoring: ${count.error.message}`))
  const isInRange = count.value > 0n && count.value < infinite
  return isInRange ? kept(value) : ignored(warning(`Maximum tasks value '${value}' out of range, ignoring.`))
}

/** A share; of processor time it may be more than all of one processor. */
export const percent: Reader = ({ key, value }) => {
  const share = parsePermyriad(value)
  if (key === 'CPUQuota') {
    return share === undefined || share === 0
      ? ignored(warning(`Invalid CPU quota '${value}', ignoring.`))
      : kept(value)
  }
  if (share !== undefined && share <= 10_000) return kept(value)
  return ignored(warning(`Failed to parse ${key}=, ignoring: ${value}`))
}

const sizeLimits = new Set([
  'LimitAS',
  'LimitCORE',
  'LimitDATA',
  'LimitFSIZE',
  'LimitMEMLOCK',
  'LimitMSGQUEUE',
  'LimitRSS',
  'LimitSTACK',
])

/** A resource limit by its kind; infinity is larger than every number. */
function parseLimit(key: string, text: string): bigint | number | undefined {
  if (key === 'LimitNICE') {
    const number = parseInteger(text, { min: -20, max: 40 })
    if (!number.ok) return undefined
    if (/^[+-]/.test(text)) return number.value > 19 ? undefined : 20 - number.value
    return number.value
  }
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (key === 'LimitCPU' || key === 'LimitRTTIME') {
    const time = key === 'LimitRTTIME' ? parseMicroseconds(text) : parseTimeSpan(text)
    return time === 'infinity' ? Number.POSITIVE_INFINITY : time
  }
  const count = sizeLimits.has(key) ? parseSize(text) : parseUnsigned64(text)
  return count.ok && count.value < infinite ? count.value : undefined
}

/** A resource limit, or the soft and the hard one with a colon between them. */
export const limit: Reader = ({ key, value }) => {
  const colon = value.indexOf(':')
  const soft = parseLimit(key, colon === -1 ? value : value.slice(0, colon))
  const hard = colon === -1 ? soft : parseLimit(key, value.slice(colon + 1))
  if (soft === undefined || hard === undefined)
    return ignored(warning(`Failed to parse resource value, ignoring: ${value}`))
  if (soft > hard) return ignored(warning(`Soft resource limit chosen higher than hard limit, ignoring: ${value}`))
  return kept(value)
}

const cpusMax = 8192

/** One more than this is zero for systemd, which has a place. */
const wrapsAround = 4_294_967_295

/** Numbers and ranges of processors. */
export const cpuList: Reader = (input) => {
  const { key, option } = input
  const text = option.specifiers ? input.expand(input.value) : ({ ok: true, value: input.value } as const)
  if (!text.ok) {
    return ignored(warning(`Failed to resolve unit specifiers in '${input.value}', ignoring: ${text.error.message}`))
  }
  const words = wordsUntilError(text.value, { ...quotedWords, separators: ', \t\n\r' })
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const word of words.words) {
    const [first = '', last = first, ...more] = word.split('-')
    const low = parseUnsigned(first)
    const high = parseUnsigned(last)
    if (!low.ok || !high.ok || more.length > 0) return ignored(error(`Failed to parse CPU affinity '${word}'`))
    if (low.value > high.value) {
      findings.push(warning(`Range '${word}' is invalid, ${low.value} > ${high.value}, ignoring.`))
      continue
    }
    if (high.value >= cpusMax && high.value !== wrapsAround) {
      return ignored(...findings, error(`Cannot add CPU ${high.value} to set: Numerical result out of range`))
    }
    values.push(word)
  }
  if (words.error !== undefined) return ignored(...findings, error(`Invalid value for ${key}: ${text.value}`))
  return { values, findings }
}

/** Processors, or those of the memory nodes. */
export const cpuAffinity: Reader = (input) => (input.value === 'numa' ? kept('numa') : cpuList(input))

/** Memory nodes, or all of them. */
export const nodeList: Reader = (input) => {
  if (input.value === 'all') return kept('all')
  const reading = cpuList(input)
  if (reading.values !== undefined) return reading
  return ignored(...reading.findings, warning(`Failed to parse NUMA node mask, ignoring: ${input.value}`))
}
