/** Calendar expressions of `OnCalendar=`: which texts systemd 252 takes for one. Rules: spec/unit-files.md §3.2. */

const shorthands = new Set(
  `minutely hourly daily monthly weekly yearly annually anually quarterly biannually bi-annually semiannually
   semi-annually`.split(/\s+/),
)

const weekdays = 'mon monday tue tuesday wed wednesday thu thursday fri friday sat saturday sun sunday'.split(' ')

type Bounds = { readonly min: number; readonly max: number }
const years: Bounds = { min: 1970, max: 2199 }
const months: Bounds = { min: 1, max: 12 }
const days: Bounds = { min: 1, max: 31 }
const hours: Bounds = { min: 0, max: 23 }
const minutes: Bounds = { min: 0, max: 59 }
const seconds: Bounds = { min: 0, max: 60 }

/** Whether a text is a calendar expression: `[weekdays] [date] [time] [zone]`, a shorthand word, or `@seconds`. */
export function isCalendarExpression(text: string): boolean {
  if (/^@\d+$/.test(text)) return true
  const parts = text.split(/\s+/).filter((part) => part !== '')
  if (parts.length > 1 && isTimeZone(parts.at(-1) ?? '')) parts.pop()
  if (parts.length === 1 && shorthands.has(parts[0]?.toLowerCase() ?? '')) return true
  const given = parts.length
  if (isWeekdays(parts[0] ?? '')) parts.shift()
  if (isDate(parts[0] ?? '')) parts.shift()
  if (isTime(parts[0] ?? '')) parts.shift()
  return given > 0 && parts.length === 0
}

/** Zones are known by their form only: `UTC`, `Area/City`. */
const isTimeZone = (text: string): boolean => /^(?:UTC|[A-Z][A-Za-z_]+(?:\/[A-Z][A-Za-z_+-]+)+|[A-Z]{3,4})$/.test(text)

const isWeekdays = (text: string): boolean =>
  text
    .replace(/,$/, '')
    .split(/,|\.\.|-/)
    .every((day) => weekdays.includes(day.toLowerCase()))

function isDate(text: string): boolean {
  const found = /^(?:([^-~]+)-)?([^-~]+)[-~]([^-~]+)$/.exec(text)
  if (found === null) return false
  const [, year = '*', month = '', day = ''] = found
  const short = year.replaceAll(/\d+/g, fullYear)
  return isChain(short, years) && isChain(month, months) && isChain(day, days)
}

/** Years below 100 are of this century up to 69, of the last one from 70. */
function fullYear(digits: string): string {
  const year = Number(digits)
  return String(year < 70 ? year + 2000 : year < 100 ? year + 1900 : year)
}

function isTime(text: string): boolean {
  const [hour = '', minute = '', second = '*', ...more] = text.split(':')
  if (more.length > 0) return false
  const whole = second.replaceAll(/(\d)\.\d+/g, '$1')
  return isChain(hour, hours) && isChain(minute, minutes) && isChain(whole, seconds)
}

/** Values, ranges and steps between bounds: `*`, `1,5`, `1..5`, `0/15`. */
function isChain(text: string, { min, max }: Bounds): boolean {
  return text.split(',').every((link) => {
    const found = /^(?:\*|(\d+)(?:\.\.(\d+))?)(?:\/(\d+))?$/.exec(link)
    if (found === null) return false
    const [, first, last = first, step = '1'] = found
    if (Number(step) === 0) return false
    if (first === undefined || last === undefined) return true
    return Number(first) >= min && Number(last) <= max && Number(first) <= Number(last)
  })
}
