/** Time to live: from what a request says to a deadline, and from a deadline to what an answer shows (spec §1.7). */
import type { ByteString } from '../byte-string.ts'
import type { DeadlineMs } from './command.ts'

const nanosecondsPerSecond = 1_000_000_000n
/** 2000-01-01: what a set or create would end before this is taken for an overflow, and lives for ever. */
const earliestNs = 946_684_800n * nanosecondsPerSecond
/** The longest difference of two times in signed 64-bit nanoseconds. */
const differenceMaxMs = 9_223_372_036_854.775

/** `set` and `create` (POST too) take an overflowing TTL as permanent, `update` (and compare-and-swap) as over. */
export type DeadlineRule = 'create' | 'update'

/**
 * When a node with this `ttl` ends, counted in signed 64-bit nanoseconds as etcd counts.
 *
 * @param ttl seconds, 0 to 2⁶⁴ − 1; a string of decimal digits
 * @param nowMs the clock of the member that took the request
 */
export function deadlineOf(ttl: bigint | number | string, nowMs: number, rule: DeadlineRule): DeadlineMs {
  const seconds = Number(ttl)
  // Ends before the year 2262, where 64-bit nanoseconds overflow.
  if (seconds <= 2 ** 31 && nowMs > 946_684_800_000 && nowMs < 7_000_000_000_000) return nowMs + seconds * 1000
  const lifetimeNs = BigInt.asIntN(64, BigInt.asIntN(64, BigInt(ttl)) * nanosecondsPerSecond)
  const wholeMs = Math.floor(nowMs)
  const nowNs = BigInt(wholeMs) * 1_000_000n + BigInt(Math.round((nowMs - wholeMs) * 1e6))
  const endNs = BigInt.asIntN(64, nowNs + lifetimeNs)
  // The log's encoding of "never".
  if (endNs === 0n) return undefined
  if (rule === 'create' && endNs < earliestNs) return undefined
  return Number(endNs / 1_000_000n) + Number(endNs % 1_000_000n) / 1e6
}

/** The members `expiration` and `ttl` of a node with a comma in front of each, nothing for a permanent one. */
export function renderLifetime(deadlineMs: DeadlineMs, nowMs: number): ByteString {
  if (deadlineMs === undefined) return ''
  const ttl = secondsLeft(deadlineMs, nowMs)
  return `,"expiration":"${renderTime(deadlineMs)}"${ttl === 0 ? '' : `,"ttl":${ttl}`}`
}

/** Seconds left, rounded up; of what is over, rounded toward zero. */
function secondsLeft(deadlineMs: number, nowMs: number): number {
  const leftMs = Math.max(-differenceMaxMs, Math.min(differenceMaxMs, deadlineMs - nowMs))
  return leftMs > 0 ? Math.ceil(leftMs / 1000) : Math.trunc(leftMs / 1000)
}

const msPerDay = 86_400_000
const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

/** RFC 3339 in UTC, up to nine digits of fraction without trailing zeros. */
function renderTime(timeMs: number): string {
  let wholeMs = Math.floor(timeMs)
  let nanoseconds = Math.round((timeMs - wholeMs) * 1e6)
  if (nanoseconds === 1_000_000) {
    wholeMs++
    nanoseconds = 0
  }
  const days = Math.floor(wholeMs / msPerDay)
  const msOfDay = wholeMs - days * msPerDay
  const seconds = Math.floor(msOfDay / 1000)
  nanoseconds += (msOfDay - seconds * 1000) * 1_000_000
  const fraction = nanoseconds === 0 ? '' : `.${nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')}`
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return `${renderDay(days)}T${clock}${fraction}Z`
}

/** The date of a day since 1970, by counting from 0000-03-01 in eras of 400 years. */
function renderDay(daysSince1970: number): string {
  const days = daysSince1970 + 719_468
  const era = Math.floor(days / 146_097)
  const dayOfEra = days - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${year.toString().padStart(4, '0')}-${two(month)}-${two(day)}`
}
