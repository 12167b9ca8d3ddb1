/** Scalars as systemd 252 reads them. Rules: spec/unit-files.md §3.2. */
import { err, ok, type Result } from '@cluster/prelude'

/** Why a number is refused, in systemd's words. */
export type NumberError = { readonly message: 'Invalid argument' | 'Numerical result out of range' }

const invalid = err({ message: 'Invalid argument' } as const)
const outOfRange = err({ message: 'Numerical result out of range' } as const)

const unsigned64Max = 18_446_744_073_709_551_615n

const trueWords: ReadonlySet<string> = new Set(['1', 'yes', 'y', 'true', 't', 'on'])
const falseWords: ReadonlySet<string> = new Set(['0', 'no', 'n', 'false', 'f', 'off'])

/** `yes` and `no` in their spellings, in any case; `undefined` for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase()
  return trueWords.has(word) ? true : falseWords.has(word) ? false : undefined
}

/** A whole number: decimal, `+5`, `0x5`, `0b1`, `010` or `0o10`; the sign is the caller's business. */
export function parseInteger(
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): Result<number, NumberError> {
  const value = readInteger(text)
  if (value === undefined) return invalid
  return value < min || value > max ? outOfRange : ok(Number(value))
}

function readInteger(text: string): bigint | undefined {
  const found = /^[ \t\n\r]*([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|\d+)$/.exec(text)
  if (found === null) return undefined
  const [, sign = '', digits = ''] = found
  const octal = /^0\d/.test(digits)
  if (octal && /[89]/.test(digits)) return undefined
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits)
  return sign === '-' ? -magnitude : magnitude
}

/** An unsigned 64 bit number, in the same spellings. */
export function parseUnsigned64(text: string): Result<bigint, NumberError> {
  const value = readInteger(text)
  if (value === undefined) return invalid
  return value < 0n || value > unsigned64Max ? outOfRange : ok(value)
}

/** An unsigned 32 bit number. */
export const parseUnsigned = (text: string): Result<number, NumberError> =>
  parseInteger(text, { min: 0, max: 4_294_967_295 })

type TimeUnits = readonly (readonly [unit: string, length: bigint])[]

/** Microseconds of each unit, longest spellings first. */
const timeUnits: TimeUnits = [
  ['seconds', 1_000_000n],
  ['second', 1_000_000n],
  ['sec', 1_000_000n],
  ['s', 1_000_000n],
  ['minutes', 60_000_000n],
  ['minute', 60_000_000n],
  ['min', 60_000_000n],
  ['months', 2_629_800_000_000n],
  ['month', 2_629_800_000_000n],
  ['M', 2_629_800_000_000n],
  ['msec', 1000n],
  ['ms', 1000n],
  ['m', 60_000_000n],
  ['hours', 3_600_000_000n],
  ['hour', 3_600_000_000n],
  ['hr', 3_600_000_000n],
  ['h', 3_600_000_000n],
  ['days', 86_400_000_000n],
  ['day', 86_400_000_000n],
  ['d', 86_400_000_000n],
  ['weeks', 604_800_000_000n],
  ['week', 604_800_000_000n],
  ['w', 604_800_000_000n],
  ['years', 31_557_600_000_000n],
  ['year', 31_557_600_000_000n],
  ['y', 31_557_600_000_000n],
  ['usec', 1n],
  ['us', 1n],
  ['\u00b5s', 1n],
  ['\u03bcs', 1n],
]

/**
 * A sum of times such as `2min 30s`, `1.5h` or `90` (seconds), in microseconds.
 *
 * @returns `infinity` for that word; `undefined` for what is no time or too long
 */
export const parseTimeSpan = (text: string): bigint | 'infinity' | undefined => sumTimes(text, timeUnits, 1_000_000n)

/** The same of which a plain number is microseconds. */
export const parseMicroseconds = (text: string): bigint | 'infinity' | undefined => sumTimes(text, timeUnits, 1n)

const nanosecondUnits: TimeUnits = [
  ...timeUnits.map(([unit, length]) => [unit, length * 1000n] as const),
  ['nsec', 1n],
  ['ns', 1n],
]

/** The same in nanoseconds, with `ns` and `nsec`; a plain number is nanoseconds. */
export const parseNanoseconds = (text: string): bigint | 'infinity' | undefined => sumTimes(text, nanosecondUnits, 1n)

function sumTimes(text: string, units: TimeUnits, plainUnit: bigint): bigint | 'infinity' | undefined {
  if (/^\s*infinity\s*$/.test(text)) return 'infinity'
  let total = 0n
  let rest = text.replace(/^[ \t\n\r]+/, '')
  if (rest === '') return undefined
  while (rest !== '') {
    const number = /^(?:(\+?\d+)(?:\.(\d+))?|\.(\d+))/.exec(rest)
    if (number === null) return undefined
    const [whole, digits = '', fraction = number[3] ?? ''] = number
    const behind = rest.slice(whole.length)
    const spaced = behind.replace(/^[ \t\n\r]+/, '')
    const unit = units.find(([name]) => spaced.startsWith(name))
    // a number may run into the end or a blank, but not into what is no unit
    if (unit === undefined && behind !== '' && spaced === behind) return undefined
    const length = unit?.[1] ?? plainUnit
    const count = BigInt(digits.replace('+', '') || '0')
    if (count >= unsigned64Max / length) return undefined
    total += count * length
    let part = length / 10n
    for (const digit of fraction) {
      total += BigInt(digit) * part
      part /= 10n
    }
    if (total >= unsigned64Max) return undefined
    rest = spaced.slice(unit?.[0].length ?? 0).replace(/^[ \t\n\r]+/, '')
  }
  return total
}

/** Bytes of `512M`, `1.5G`, `1G 512M`; suffixes K…E are powers of `base` and must get smaller. */
export function parseSize(text: string, base: 1000n | 1024n = 1024n): Result<bigint, NumberError> {
  const suffixes = ['E', 'P', 'T', 'G', 'M', 'K', 'B', '']
  let next = 0
  let total = 0n
  for (let rest = text; ; ) {
    const number = /^[ \t\n\r]*([+-]?)(\d+)(?:\.(\d*))?[ \t\n\r]*/.exec(rest)
    if (number === null) return invalid
    const [whole, sign, digits = '', fraction = ''] = number
    if (sign === '-' || BigInt(digits) > unsigned64Max) return outOfRange
    const behind = rest.slice(whole.length)
    const found = suffixes.findIndex((suffix, index) => index >= next && behind.startsWith(suffix))
    const suffix = suffixes[found]
    if (suffix === undefined) return invalid
    const factor = base ** BigInt(Math.max(0, 6 - found))
    total += BigInt(digits) * factor
    if (fraction !== '') total += (BigInt(fraction) * factor) / 10n ** BigInt(fraction.length)
    if (total > unsigned64Max) return outOfRange
    rest = behind.slice(suffix.length)
    next = found + 1
    if (rest === '') return ok(total)
  }
}

/** Hundredths of a percent: `12.5%` is 1250. At most two decimals. */
export function parsePermyriad(text: string): number | undefined {
  const found = /^(\d+)(?:\.(\d{1,2}))?%$/.exec(text)
  if (found === null) return undefined
  const [, whole = '', fraction = ''] = found
  return Number(whole) * 100 + Number(fraction.padEnd(2, '0'))
}

/** A file mode, octal, up to 7777. */
export function parseMode(text: string): number | undefined {
  const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
  return mode !== undefined && mode <= 0o7777 ? mode : undefined
}

const signalNames = [
  ...[
    'HUP',
    'INT',
    'QUIT',
    'ILL',
    'TRAP',
    'ABRT',
    'BUS',
    'FPE',
    'KILL',
    'USR1',
    'SEGV',
    'USR2',
    'PIPE',
    'ALRM',
    'TERM',
  ],
  ...['STKFLT', 'CHLD', 'CONT', 'STOP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'XCPU', 'XFSZ', 'VTALRM', 'PROF', 'WINCH', 'IO'],
  ...['PWR', 'SYS'],
]
const firstRealTimeSignal = 34
const lastRealTimeSignal = 64

/** The number of a signal: `SIGTERM`, `TERM`, `15`, `RTMIN+3`, `SIGRTMAX-1`; case counts. */
export function parseSignal(text: string): number | undefined {
  const given = parseInteger(text, { min: -2_147_483_648, max: 2_147_483_647 })
  if (given.ok) return given.value >= 1 && given.value <= lastRealTimeSignal ? given.value : undefined
  const name = text.startsWith('SIG') ? text.slice(3) : text
  const position = signalNames.indexOf(name)
  if (position !== -1) return position + 1
  const realTime = /^RT(?:MIN(\+.*)?|MAX(-.*)?)$/.exec(name)
  if (realTime === null) return undefined
  const [, up, down] = realTime
  const offset = parseInteger(up ?? down ?? '0', { min: -lastRealTimeSignal, max: lastRealTimeSignal })
  if (!offset.ok) return undefined
  const number = (name.startsWith('RTMIN') ? firstRealTimeSignal : lastRealTimeSignal) + offset.value
  return number >= firstRealTimeSignal && number <= lastRealTimeSignal ? number : undefined
}

/** Names of exit statuses that systemd knows, without those that only mean a signal. */
const exitStatusNames: ReadonlySet<string> = new Set(
  `SUCCESS FAILURE INVALIDARGUMENT NOTIMPLEMENTED NOPERMISSION NOTINSTALLED NOTCONFIGURED NOTRUNNING
   USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT IOERR TEMPFAIL PROTOCOL NOPERM CONFIG
   CHDIR NICE FDS EXEC MEMORY LIMITS OOM_ADJUST SIGNAL_MASK STDIN STDOUT CHROOT IOPRIO TIMERSLACK SECUREBITS SETSCHEDULER
   CPUAFFINITY GROUP USER CAPABILITIES CGROUP SETSID CONFIRM STDERR PAM NETWORK NAMESPACE NO_NEW_PRIVILEGES SECCOMP
   SELINUX_CONTEXT PERSONALITY APPARMOR_PROFILE ADDRESS_FAMILIES RUNTIME_DIRECTORY CHOWN SMACK_PROCESS_LABEL KEYRING
   STATE_DIRECTORY CACHE_DIRECTORY LOGS_DIRECTORY CONFIGURATION_DIRECTORY NUMA_POLICY CREDENTIALS EXCEPTION BPF`
    .split(/\s+/)
    .filter((name) => name !== ''),
)

/** Whether a word is an exit status (0…255 or a name) or a signal by name. */
export function isExitStatusOrSignal(word: string): boolean {
  if (exitStatusNames.has(word)) return true
  const number = parseInteger(word, { min: 0, max: 255 })
  return number.ok || (!/^\d+$/.test(word) && parseSignal(word) !== undefined)
}

/** Whether systemd keeps a `Documentation=` entry. */
export function isDocumentationUrl(url: string): boolean {
  const rest = /^(?:https?:\/\/|file:(?=\/)|info:|man:)(.+)$/s.exec(url)?.[1]
  return rest !== undefined && /^[\0-\x7f]+$/.test(rest)
}

/** Whether systemd takes a name or number for `User=` and `Group=`: nearly everything but paths and reserved ids. */
export function isUserOrGroup(name: string): boolean {
  if (/^-?\d+$/.test(name)) return /^(?:0|[1-9]\d*)$/.test(name) && Number(name) < 4_294_967_295 && name !== '65535'
  return name !== '' && name !== '.' && name !== '..' && !/[\0-\x1f\x7f:/]/.test(name)
}
