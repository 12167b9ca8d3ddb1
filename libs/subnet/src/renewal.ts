/** When to renew a lease. Pure of time: moments and delays in milliseconds of the caller's own clock. */
import type { Random } from '@cluster/prelude'
import { leaseTtlSeconds } from './lease.ts'

/** How long before its end a lease is renewed, in seconds: `--subnet-lease-renew-margin`, 60 minutes. */
export const renewMarginSeconds = 3_600

/** The longest and the shortest margin that is sensible for a lease of 24 hours, in minutes. */
export const renewMarginMinutes = { min: 1, max: 1_439 } as const

/** Renewals are spread over this share of the time before they are due: machines started together part company. */
export const renewalSpread = 0.05

/** How long to wait after a renewal that failed, at most. */
export const renewRetryMs = 60_000

/**
 * When a lease ends for its owner: counted from before the write was sent, so never later than for the store.
 *
 * @param sentMs when the write that gave it its time was sent
 */
export const leaseEndMs = (sentMs: number, ttlSeconds: number = leaseTtlSeconds): number => sentMs + ttlSeconds * 1_000

/**
 * How long to wait before the next renewal: until the margin before the end, less up to `renewalSpread` of that by
 * chance. 0 when it is due.
 *
 * @param endMs when the lease ends
 */
export function renewalDelayMs({
  nowMs,
  endMs,
  marginSeconds = renewMarginSeconds,
  random,
}: {
  readonly nowMs: number
  readonly endMs: number
  readonly marginSeconds?: number
  readonly random: Random
}): number {
  const leftMs = endMs - nowMs
  const dueMs = leftMs - marginSeconds * 1_000
  return Math.floor(Math.max(0, dueMs) * (1 - renewalSpread * random.next()))
}

/**
 * How long to wait after a renewal that failed: at most `renewRetryMs`, and never so long that less than a half of
 * what is left of the lease would remain. At least a second, drawn by chance.
 */
export function renewalRetryMs({
  nowMs,
  endMs,
  random,
}: {
  readonly nowMs: number
  readonly endMs: number
  readonly random: Random
}): number {
  const longest = Math.min(renewRetryMs, Math.max(0, endMs - nowMs) / 2)
  return Math.max(1_000, Math.floor(longest * (0.5 + random.next() / 2)))
}
