/** Durations as Go writes them: `45s`, `1m30s`, `1.5h`, `250ms`. Rule: Go's time.ParseDuration. */
import { err, ok, type Result } from '@cluster/prelude'

const millisecondsOf: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // U+00B5 and U+03BC, as Go takes both
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Milliseconds; `0` is the only number that needs no unit. The error says what is expected. */
export function parseDuration(text: string): Result<number, string> {
  const [, sign = '', magnitude = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (magnitude === '0') return ok(0)
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
  if (magnitude === '' || magnitude.replaceAll(part, '') !== '') {
    const bare = /^\d+(?:\.\d+)?$/.test(magnitude)
    return err(bare ? `a duration needs a unit, such as ${magnitude}s` : 'expected a duration such as 45s or 1m30s')
  }
  let milliseconds = 0
  for (const [, number = '', unit = ''] of magnitude.matchAll(part)) {
    milliseconds += Number(number) * (millisecondsOf[unit] ?? Number.NaN)
  }
  if (!Number.isFinite(milliseconds) || milliseconds > Number.MAX_SAFE_INTEGER) return err('this duration is too long')
  return ok(sign === '-' ? -milliseconds : milliseconds)
}

/** A duration as a person writes it: `1m30s`, `250ms`, `0s`. Parses back to the same milliseconds. */
export function renderDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${renderDuration(-milliseconds)}`
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000)
  const rest = milliseconds % 60_000
  const seconds = Math.floor(rest / 1000)
  const parts = [
    hours > 0 ? `${hours}h` : '',
    minutes > 0 ? `${minutes}m` : '',
    seconds > 0 ? `${seconds}s` : '',
    rest % 1000 > 0 ? `${Number((rest % 1000).toFixed(6))}ms` : '',
  ].join('')
  return parts === '' ? '0s' : parts
}
