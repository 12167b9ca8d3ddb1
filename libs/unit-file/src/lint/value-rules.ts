/** Values: UF021 to UF037. What systemd itself says of a value is read from its own readers (read-value.ts). */
import { isCalendarExpression } from '../calendar.ts'
import type { OptionType } from '../known-options.ts'
import { readValue } from '../read-value.ts'
import { parseSize, parseTimeSpan } from '../values.ts'
import { escapedWords, quotedWords } from '../words.ts'
import type { LintId } from './catalogue.ts'
import type { Complaint, LintContext, LintFix } from './finding.ts'
import type { LintedAssignment, LintedFile, LintedUnit } from './linted-unit.ts'
import { nearestWord } from './nearest.ts'
import { keyRange, removeBlock, replaceRange, replaceValue, valueRange } from './place.ts'
import type { LintRule } from './rule.ts'
import { knownSpecifiers, placedSpecifiers, specifiersSince } from './specifiers-in-place.ts'
import { capabilityNames, choicesOf } from './value-words.ts'
import { placedWords, wordRange } from './words-in-place.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })

/** Which finding a bad value of a type is; what is not here is told by the words of the complaint. */
const idOfType: Readonly<Partial<Record<OptionType, LintId>>> = {
  boolean: 'UF021',
  'time span': 'UF022',
  'time span, 0 = infinity': 'UF022',
  'time span or empty': 'UF022',
  'time span, empty = infinity': 'UF022',
  'time span in nanoseconds': 'UF022',
  'device and time span': 'UF022',
  'memory size, percent or infinity': 'UF024',
  'unsigned integer, percent or infinity': 'UF024',
  'size, base 1024': 'UF024',
  'device and bandwidth, base 1000': 'UF024',
  percent: 'UF024',
  signal: 'UF026',
  'octal mode': 'UF026',
  limit: 'UF026',
  integer: 'UF026',
  'unsigned integer': 'UF026',
  'integer, -20 to 19': 'UF026',
  'integer, -1000 to 1000': 'UF026',
  'integer, 0 to 7': 'UF026',
  'integer, 1 to 99': 'UF026',
  'weight, 1 to 10000': 'UF026',
  'weight, 10 to 1000': 'UF026',
  'weight, 1 to 10000, or idle': 'UF026',
  'weight, 2 to 262144': 'UF026',
  'device and weight': 'UF026',
  'exit status': 'UF026',
  'exit statuses and signals': 'UF026',
  'cpu list': 'UF026',
  'cpu list or numa': 'UF026',
  'node list': 'UF026',
  'errno or kill': 'UF026',
  capabilities: 'UF037',
  'address families': 'UF037',
  'system calls': 'UF037',
  assignments: 'UF029',
  'variable names': 'UF029',
  'variable names or assignments': 'UF029',
}

/** Types that rules of their own speak of. */
const elsewhere: ReadonlySet<OptionType> = new Set(['command', 'unit names', 'socket names'])

/** Other keys' values that name an instance cannot be judged before there is one. */
const instanceSpecifiers = /%[iIfnNjJpP]/

function* badValues(file: LintedFile, unit: LintedUnit): Iterable<Complaint> {
  for (const assignment of file.assignments) {
    const { section, key, value, option } = assignment
    if (section === 'Install' || elsewhere.has(option.type) || (value === '' && (option.reset || option.list))) continue
    if (option.specifiers && unit.parts?.kind === 'template' && instanceSpecifiers.test(value)) continue
    const { findings } = readValue({
      unitName: unit.loadedName ?? `a.${unit.type}`,
      section,
      key,
      value,
      option,
      isSet: false,
      expand: unit.expand,
    })
    for (const { text } of findings) {
      const complaint = complaintOf(assignment, text)
      if (complaint !== undefined) yield complaint
    }
  }
}

function complaintOf(assignment: LintedAssignment, text: string): Complaint | undefined {
  const { block, key, value, option } = assignment
  // said by the rules about specifiers, obsolete keys and values
  if (/^Failed to resolve|please use|is obsolete|KillMode=none/.test(text)) return undefined
  if (!option.specifiers && placedSpecifiers(value).length > 0) {
    const [first] = placedSpecifiers(value)
    return {
      id: 'UF032',
      range: valueRange(block, first?.from, (first?.from ?? 0) + 2),
      message: `${key}= does not expand specifiers: “${value}” is taken as it stands and ignored`,
      remedy: 'write a fixed value, or one drop-in for each instance',
    }
  }
  const id = idOfText(text) ?? idOfType[option.type] ?? idOfTimer(key, text) ?? 'UF025'
  return { id, range: rangeOfWord(assignment, text), ...wordsFor(id, assignment, text) }
}

/** Some complaints are the same for keys of all types. */
function idOfText(text: string): LintId | undefined {
  if (/^(?:Invalid syntax|Trailing garbage|Unbalanced)/.test(text)) return 'UF030'
  return /path|normalized|absolute/i.test(text) && !/unit/i.test(text) ? 'UF028' : undefined
}

const idOfTimer = (key: string, text: string): LintId | undefined =>
  key === 'OnCalendar' ? 'UF027' : /timer value/.test(text) ? 'UF022' : undefined

/** The word that a complaint ends in, where it stands in the value; else all of it. */
function rangeOfWord({ block, value }: LintedAssignment, text: string): Complaint['range'] {
  const word = /: ("?[^\s:]+"?)$/.exec(text)?.[1]
  const at = word === undefined || word.length < 2 ? -1 : value.indexOf(word)
  return at === -1 || word === undefined ? valueRange(block) : valueRange(block, at, at + word.length)
}

/** Message, remedy and fix for a bad value. */
function wordsFor(
  id: LintId,
  assignment: LintedAssignment,
  text: string,
): Pick<Complaint, 'message' | 'remedy' | 'fix'> {
  const { block, key, value, option } = assignment
  const better = betterValue(id, assignment)
  const repair = better === undefined ? undefined : fix(`write ${key}=${better}`, replaceValue(block, better))
  const write = better === undefined ? undefined : `write ${key}=${better}`
  const choices = choicesOf(option.type, key)
  switch (id) {
    case 'UF021':
      return { message: `${key}=${value} is neither yes nor no and is ignored`, remedy: 'write yes or no', fix: repair }
    case 'UF022':
      return {
        message: `${key}=${value} is no time and is ignored`,
        remedy: write ?? 'write a time such as 90, 5s, 1min 30s or infinity',
        fix: repair,
      }
    case 'UF024':
      return {
        message: `${key}=${value} is no size that systemd takes, and is ignored`,
        remedy:
          write ?? 'write a number with one of K M G T P E, in a falling sum, or a percentage where the key has it',
        fix: repair,
      }
    case 'UF026':
      return {
        message: `${key}=${value} is not understood or out of range: ${said(text)}`,
        remedy: remedyOfRange[option.type] ?? 'see the manual page systemd.directives for what the key takes',
      }
    case 'UF027':
      return {
        message: `${key}=${value} is no calendar expression and is ignored`,
        remedy:
          write ?? 'write one such as daily, Mon..Fri 09:00 or *-*-01 04:00:00; try it with systemd-analyze calendar',
        fix: repair,
      }
    case 'UF028':
      return {
        message: `${key}=${value}: ${said(text)}`,
        remedy: 'write an absolute path without “..”',
      }
    case 'UF029':
      return {
        message: `${key}=: ${said(text)}`,
        remedy: 'write NAME=value, and quote the whole word where the value has blanks: "NAME=a b"',
      }
    case 'UF030':
      return {
        message: `a quote that does not end or an unknown escape in ${key}=${value}: the assignment is lost`,
        remedy: 'close the quote; write \\\\ for a backslash',
      }
    case 'UF037':
      return { message: `${key}=: ${said(text)}`, remedy: 'write a name that systemd knows', fix: repair }
    default: {
      const words = choices === undefined ? '' : `write one of ${choices.join(', ')}`
      return {
        message: `${key}=${value} is not understood: ${said(text)}`,
        remedy: write ?? (words === '' ? 'see the manual page systemd.directives for what the key takes' : words),
        fix: repair,
      }
    }
  }
}

/** systemd's words, to be put behind our own. */
const said = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

const remedyOfRange: Readonly<Partial<Record<OptionType, string>>> = {
  signal: 'write a signal such as SIGTERM, TERM or 15, in upper case',
  'octal mode': 'write an octal number up to 7777, such as 0755',
  limit: 'write a number, infinity, or SOFT:HARD with the lower one first; K M G only where the limit is in bytes',
  'integer, -20 to 19': 'write a number from -20 to 19',
  'integer, -1000 to 1000': 'write a number from -1000 to 1000',
  'integer, 0 to 7': 'write a number from 0 to 7',
  'integer, 1 to 99': 'write a number from 1 to 99',
  'weight, 1 to 10000': 'write a number from 1 to 10000',
  'weight, 10 to 1000': 'write a number from 10 to 1000',
  'weight, 1 to 10000, or idle': 'write a number from 1 to 10000, or idle',
  'weight, 2 to 262144': 'write a number from 2 to 262144',
  'exit status': 'write a number from 0 to 255',
  'exit statuses and signals': 'write numbers from 0 to 255, names such as TEMPFAIL, or signals, separated by blanks',
  'cpu list': 'write numbers and ranges such as 0-3 7',
  integer: 'write a whole number',
  'unsigned integer': 'write a whole number from 0',
}

const calendarWords: Readonly<Record<string, string>> = {
  minute: 'minutely',
  hour: 'hourly',
  day: 'daily',
  night: 'daily',
  week: 'weekly',
  month: 'monthly',
  year: 'yearly',
}

/** What was meant, where that is plain. */
function betterValue(id: LintId, { key, value, option }: LintedAssignment): string | undefined {
  switch (id) {
    case 'UF021': {
      const words: Readonly<Record<string, string>> = { enable: 'yes', enabled: 'yes', disable: 'no', disabled: 'no' }
      return words[value.toLowerCase().replace(/^["']|["']$/g, '')]
    }
    case 'UF022': {
      const plain = value
        .replace(/^["']|["']$/g, '')
        .replace(/\.$/, '')
        .toLowerCase()
        .replace(/\b(\d+)\s*(sec|min|hr)s\b/g, '$1$2')
      return plain !== value && parseTimeSpan(plain) !== undefined ? plain.replace(/\s*sec$/, 's') : undefined
    }
    case 'UF024': {
      if (option.type === 'percent') return /^\d+(?:\.\d{1,2})?$/.test(value) ? `${value}%` : undefined
      const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmgtpe])i?b?$/i.exec(value) ?? []
      const size = number === undefined || unit === undefined ? undefined : `${number}${unit.toUpperCase()}`
      return size !== undefined && parseSize(size).ok ? size : undefined
    }
    case 'UF027': {
      const word = /^(?:every|each|once a|per)\s+(\w+?)$/i.exec(value)?.[1]?.toLowerCase()
      const known = word === undefined ? undefined : calendarWords[word]
      return known !== undefined && isCalendarExpression(known) ? known : undefined
    }
    case 'UF025': {
      const choices = choicesOf(option.type, key)
      return choices === undefined ? undefined : nearestWord(value.replace(/^["']|["']$/g, ''), choices)
    }
    default:
      return undefined
  }
}

/** Keys of which a plain number is often meant as milliseconds. */
const restartDelayMax = 500n * 1_000_000n
const timeMax = 100_000n * 1_000_000n

function* suspiciousTimes({ assignments }: LintedFile): Iterable<Complaint> {
  for (const { block, key, value, option } of assignments) {
    if (!option.type.startsWith('time span') && option.type !== 'timer trigger') continue
    if (key === 'OnCalendar') continue
    const time = parseTimeSpan(value)
    if (time === undefined || time === 'infinity') continue
    const months = /(\d)\s*M(?![a-z])/.exec(value)
    if (months !== null) {
      const minutes = value.replace(/(\d)\s*M(?![a-z])/g, '$1min')
      yield {
        id: 'UF023',
        range: valueRange(block),
        message: `“M” is months: ${key}=${value} is ${time / 86_400_000_000n} days`,
        remedy: `write ${key}=${minutes}, or “month” for months`,
        fix: fix(`write ${key}=${minutes}`, replaceValue(block, minutes)),
      }
      continue
    }
    const limit = key === 'RestartSec' ? restartDelayMax : timeMax
    if (!/^\d+$/.test(value) || time < limit) continue
    yield {
      id: 'UF023',
      range: valueRange(block),
      message: `a plain number is seconds: ${key}=${value} is ${time / 60_000_000n} minutes`,
      remedy: `write the unit: ${key}=${value}ms, or ${value}s`,
    }
  }
}

function* specifiers(file: LintedFile, unit: LintedUnit, { systemdVersion = 252 }: LintContext): Iterable<Complaint> {
  const isPlain = unit.parts?.kind === 'plain' && file.role === 'unit'
  for (const { section, block, key, value, option } of file.assignments) {
    if (!option.specifiers && section !== 'Install') continue
    for (const { letter, from } of placedSpecifiers(value)) {
      const range = valueRange(block, from, from + 2)
      const since = specifiersSince.get(letter)
      if (since !== undefined && since > systemdVersion) {
        yield {
          id: 'UF111',
          range,
          message: `%${letter} is known since systemd ${since}; ${systemdVersion} refuses or ignores ${key}=`,
          remedy: 'keep to %n %N %p %P %i %I %f %t %u %U %h %s %m %b %H %v',
        }
      } else if (!knownSpecifiers.has(letter) && since === undefined) {
        yield {
          id: 'UF031',
          range,
          message: `there is no specifier %${letter}: ${option.type === 'command' ? 'the unit is refused' : `${key}= is ignored`}`,
          remedy: `write %%${letter} where a percent sign is meant`,
          fix: fix(`write %%${letter}`, replaceRange(range, `%%${letter}`)),
        }
      } else if ('crR'.includes(letter)) {
        yield {
          id: 'UF034',
          range,
          message: `%${letter} is deprecated and does not give what it did`,
          remedy: 'leave it out',
        }
      } else if (isPlain && 'iIj'.includes(letter) && section !== 'Install') {
        if (letter === 'j' && /-./.test(unit.parts?.prefix ?? '')) continue
        yield {
          id: 'UF033',
          range,
          message: `%${letter} in ${unit.name}, which is no template: ${letter === 'j' ? 'it is the whole name' : 'there is no instance, and it is empty'}`,
          remedy: `rename the file to ${unit.parts?.prefix ?? ''}@.${unit.type}, or use %p`,
        }
      }
    }
    const unresolved = option.type === 'command' ? undefined : noValue(value, unit)
    if (unresolved === undefined) continue
    yield {
      id: 'UF031',
      range: valueRange(block),
      message: `specifiers in ${key}=${value} have no value here: ${unresolved}`,
      remedy: 'use %p or %i, which always have one',
    }
  }
}

/** Why known specifiers have no value; absent where they have, or where another finding says it. */
function noValue(value: string, unit: LintedUnit): string | undefined {
  const letters = placedSpecifiers(value).map(({ letter }) => letter)
  if (letters.length === 0 || unit.parts?.kind === 'template') return undefined
  if (!letters.every((letter) => knownSpecifiers.has(letter))) return undefined
  const expanded = unit.expand(value)
  return expanded.ok ? undefined : expanded.error.message
}

function* environments({ assignments }: LintedFile): Iterable<Complaint> {
  for (const { block, key, value } of assignments) {
    if (key === 'EnvironmentFile' && /^-?\/\S+[ \t]+-?\/\S/.test(value)) {
      const paths = value.split(/[ \t]+/)
      yield {
        id: 'UF035',
        range: valueRange(block),
        message: `EnvironmentFile=${value} is one path with a blank in it`,
        remedy: 'write one EnvironmentFile= for each file',
        fix: fix('write one line each', replaceValue(block, paths.join(`\n${key}=`))),
      }
    }
    if (key !== 'Environment') continue
    for (const word of placedWords(block, escapedWords)) {
      const [, name, secret] = /^([A-Za-z_]\w*)=(.+)$/s.exec(word.word) ?? []
      if (name === undefined || secret === undefined || !isSecretName(name) || /^[/%@$]|^file:/.test(secret)) continue
      yield {
        id: 'UF036',
        range: wordRange(word),
        message: `${name} looks like a secret: everyone on the machine can read it with systemctl show`,
        remedy: 'use LoadCredential=, or EnvironmentFile= with a file of mode 0600',
      }
    }
  }
}

const isSecretName = (name: string): boolean =>
  /PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY/i.test(name) &&
  !/_(?:FILE|PATH|DIR|URL|TTL|TIMEOUT|COMMAND|CMD)$/i.test(name)

function* capabilities({ assignments }: LintedFile): Iterable<Complaint> {
  for (const { block, key, option } of assignments) {
    if (option.type !== 'capabilities') continue
    for (const placed of placedWords(block, quotedWords)) {
      const { word, raw } = placed
      const name = word.replace(/^~/, '').toLowerCase()
      if (name === '' || capabilityNames.has(name) || /^\d{1,2}$/.test(name)) continue
      const nearest = nearestWord(name, [...capabilityNames])?.toUpperCase()
      const bare = capabilityNames.has(`cap_${name}`) ? `CAP_${name.toUpperCase()}` : nearest
      const range = wordRange(placed)
      const written = bare === undefined ? undefined : `${raw.startsWith('~') ? '~' : ''}${bare}`
      yield {
        id: 'UF037',
        range,
        message: `there is no capability ${word.replace(/^~/, '')}: it vanishes from ${key}= without a word`,
        remedy: written === undefined ? 'see capabilities(7) for the names' : `write ${written}`,
        fix: written === undefined ? undefined : fix(`write ${written}`, replaceRange(range, written)),
      }
    }
  }
}

/** Keys of the same meaning, of which only the name has changed. */
function* obsoleteKeys({ assignments }: LintedFile, unit: LintedUnit): Iterable<Complaint> {
  for (const { section, block, key, value, option } of assignments) {
    const { replacedBy } = option
    if (replacedBy !== undefined && !replacedBy.endsWith(' in [Unit]')) {
      const isKey = /^\w+$/.test(replacedBy)
      // the weights of BlockIO and CPUShares are on other scales
      const isSame = isKey && !/Weight|Shares/.test(key) && !unit.assignments.some((other) => other.key === replacedBy)
      const isWarned = /^(?:BlockIO|CPUShares|StartupCPUShares|MemoryLimit|Requi\w+Overridable)/.test(key)
      yield {
        id: 'UF064',
        range: keyRange(block),
        message: `${key}= is an old name`,
        remedy: isKey ? `write ${replacedBy}=` : `use the ${replacedBy}`,
        fix: isSame ? fix(`write ${replacedBy}=`, replaceRange(keyRange(block), replacedBy)) : undefined,
        // systemd takes these as their new names, without a word
        ...(isWarned ? {} : { severity: 'info' as const }),
      }
    }
    if (/^Standard(?:Output|Error)$/.test(key) && /^syslog(?:\+console)?$/.test(value)) {
      const instead = value === 'syslog' ? 'journal' : 'journal+console'
      yield {
        id: 'UF073',
        range: valueRange(block),
        message: `${key}=${value} is obsolete: systemd takes it as ${instead}`,
        remedy: value === 'syslog' ? 'leave it out: the journal is the default' : `write ${key}=${instead}`,
        fix:
          value === 'syslog'
            ? fix('remove it', removeBlock(block))
            : fix(`write ${instead}`, replaceValue(block, instead)),
      }
    }
    if (key === 'KillMode' && /^(?:none|process)$/.test(value)) {
      yield {
        id: 'UF063',
        range: valueRange(block),
        message: `KillMode=${value} leaves processes of the ${section.toLowerCase()} behind when it stops`,
        remedy: 'write KillMode=mixed or control-group',
        fix: value === 'none' ? fix('write KillMode=mixed', replaceValue(block, 'mixed')) : undefined,
        // what serves sessions of people means it so, and systemd says nothing of it
        ...(value === 'process' ? { severity: 'info' as const } : {}),
      }
    }
    if (key === 'PIDFile' && value.startsWith('/var/run/')) {
      const path = value.slice('/var'.length)
      yield {
        id: 'UF072',
        range: valueRange(block),
        message: `PIDFile=${value}: /var/run is the old name of /run`,
        remedy: `write PIDFile=${path}`,
        fix: fix(`write ${path}`, replaceValue(block, path)),
      }
    }
  }
}

/** What is said of values by themselves. */
export const valueRules: readonly LintRule[] = [
  {
    kind: 'file',
    ids: ['UF021', 'UF022', 'UF024', 'UF025', 'UF026', 'UF027', 'UF028', 'UF029', 'UF030', 'UF032', 'UF037'],
    check: badValues,
  },
  { kind: 'file', ids: ['UF023'], check: suspiciousTimes },
  { kind: 'file', ids: ['UF031', 'UF033', 'UF034', 'UF111'], check: specifiers },
  { kind: 'file', ids: ['UF035', 'UF036'], check: environments },
  { kind: 'file', ids: ['UF037'], check: capabilities },
  { kind: 'file', ids: ['UF063', 'UF064', 'UF072', 'UF073'], check: obsoleteKeys },
]
