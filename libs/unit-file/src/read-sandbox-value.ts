/**
 * Values about what a process sees and may do (directories, mounts, images, credentials, system calls), as systemd 252
 * takes them. Messages are systemd's.
 */
import { err, type Result } from '@cluster/prelude'
import { byteLength } from './byte-text.ts'
import { isNormalizedPath } from './path-text.ts'
import { isErrorName, isSystemCall, isSystemCallGroup } from './system-calls.ts'
import type { ValueFinding } from './unit-message.ts'
import {
  error,
  expanded,
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readPath,
  readRelativePath,
  readWords,
  refused,
  type ValueInput,
  type ValueReading,
  warning,
} from './value-reading.ts'
import { parseBoolean, parseInteger } from './values.ts'
import {
  colonParts,
  escapedWords,
  firstWord,
  nextField,
  plainWords,
  quotedRawWords,
  quotedWords,
  splitWords,
  unescapeText,
  wordsUntilError,
} from './words.ts'

/** What is kept of one word, what is said of it, and whether the rest of the line is lost. */
type WordReading = { readonly value?: string; readonly finding?: ValueFinding; readonly ends?: true }

/** Words with colons in them: split once more by `readTuple`. */
function readTuples(input: ValueInput, readTuple: (tuple: string) => WordReading): ValueReading {
  const { words, error: broken } = wordsUntilError(input.value, quotedRawWords)
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const tuple of words) {
    const { value, finding, ends } = readTuple(tuple)
    if (value !== undefined) values.push(value)
    if (finding !== undefined) findings.push(finding)
    if (ends) return { values, findings }
  }
  if (broken !== undefined) {
    findings.push(warning(`Invalid syntax ${input.key}=${input.value}, ignoring: Invalid argument`))
  }
  return { values, findings }
}

/** A path with specifiers, or what is wrong with it. */
function expandPath(
  { key, expand }: ValueInput,
  written: string,
  read: (key: string, path: string) => string | ValueFinding = readPath,
): string | ValueFinding {
  const path = expand(written)
  if (path.ok) return read(key, path.value)
  return warning(`Failed to resolve unit specifiers in "${written}", ignoring: ${path.error.message}`)
}

/** `StateDirectory=` and its like: a path below the kind's own, and for most a link to it. */
export const relativeDirectories: Reader = (input) =>
  readTuples(input, (tuple) => {
    const parts = firstParts(tuple, 2)
    if (parts === undefined || parts[0] === undefined) {
      return { finding: warning(`Invalid syntax in ${input.key}=, ignoring: ${tuple}`), ends: true }
    }
    const [source, link = ''] = parts
    const path = expandPath(input, source, readRelativePath)
    if (typeof path !== 'string') return { finding: path }
    if (path === 'private' || path.startsWith('private/')) {
      return { finding: warning(`${input.key}= path can't be 'private', ignoring assignment: ${tuple}`) }
    }
    if (link === '') return { value: path }
    if (input.key === 'ConfigurationDirectory') {
      return {
        finding: warning(`Destination parameter is not supported for ConfigurationDirectory, ignoring: ${tuple}`),
      }
    }
    const destination = expandPath(input, link, readRelativePath)
    return typeof destination === 'string' ? { value: `${path}:${destination}` } : { finding: destination }
  })

/** Up to `count` parts between colons; `undefined` where an escape is wrong. */
function firstParts(text: string, count: number): readonly string[] | undefined {
  const parts: string[] = []
  for (let start = 0; parts.length < count; ) {
    const part = firstWord(text, start, colonParts)
    if (!part.ok) return undefined
    if (part.value === undefined) return parts
    parts.push(part.value.word)
    start = part.value.rest
  }
  return parts
}

const bindFields = { ...quotedWords, separators: ': \t\n\r' }

/** `BindPaths=`: `[-]source[:destination[:rbind|norbind]]`; every blank and colon counts. */
export const bindPaths: Reader = (input) => {
  const { key, value } = input
  const values: string[] = []
  const findings: ValueFinding[] = []
  const lost = (finding: ValueFinding): ValueReading => ({ values, findings: [...findings, finding] })
  for (let start: number | undefined = 0; start !== undefined; ) {
    const source = nextField(value, start, bindFields)
    if (!source.ok) return lost(warning(`Failed to parse ${key}, ignoring: ${value}`))
    start = source.value.separator === undefined ? undefined : source.value.rest
    const text = input.expand(source.value.word)
    const path = text.ok
      ? readPath(key, text.value.replace(/^-/, ''))
      : warning(`Failed to resolve unit specifiers in "${source.value.word}", ignoring: ${text.error.message}`)
    if (typeof path !== 'string') {
      findings.push(path)
      continue
    }
    if (source.value.separator !== ':') {
      values.push(source.value.word)
      continue
    }
    const destination = nextField(value, source.value.rest, bindFields)
    if (!destination.ok) return lost(warning(`Failed to parse ${key}, ignoring: ${value}`))
    start = destination.value.separator === undefined ? undefined : destination.value.rest
    const target = expandPath(input, destination.value.word)
    if (typeof target !== 'string') {
      findings.push(target)
      continue
    }
    if (destination.value.separator !== ':') {
      values.push(`${source.value.word}:${destination.value.word}`)
      continue
    }
    const options = firstWord(value, destination.value.rest, quotedWords)
    if (!options.ok) return lost(warning(`Failed to parse ${key}: ${value}`))
    const { word = '', rest = value.length } = options.value ?? {}
    start = rest < value.length ? rest : undefined
    if (/^(?:|rbind|norbind)$/.test(word)) values.push(`${source.value.word}:${destination.value.word}:${word}`)
    else findings.push(warning(`Invalid option string, ignoring setting: ${word}`))
  }
  return { values, findings }
}

/** `TemporaryFileSystem=`: `path[:options]`. */
export const temporaryFileSystems: Reader = (input) => {
  const { words, error: broken } = wordsUntilError(input.value, quotedWords)
  const values: string[] = []
  const findings: ValueFinding[] = []
  for (const word of words) {
    const field = nextField(word, 0, { ...plainWords, separators: ':' })
    if (!field.ok) {
      findings.push(warning(`Failed to extract first word, ignoring: ${word}`))
      continue
    }
    const text = input.expand(field.value.word)
    const path = text.ok
      ? readPath(input.key, text.value)
      : warning(`Failed to resolve unit specifiers in '${field.value.word}', ignoring: ${text.error.message}`)
    if (typeof path === 'string') values.push(word)
    else findings.push(path)
  }
  if (broken !== undefined) findings.push(warning(`Failed to extract first word, ignoring: ${input.value}`))
  return { values, findings }
}

const partitions = new Set(
  `root root-secondary root-other usr usr-secondary usr-other home srv esp xbootldr swap root-verity
   root-secondary-verity root-other-verity usr-verity usr-secondary-verity usr-other-verity root-verity-sig
   root-secondary-verity-sig root-other-verity-sig usr-verity-sig usr-secondary-verity-sig usr-other-verity-sig tmp
   var`.split(/\s+/),
)

/** `MountImages=` and `ExtensionImages=`: a path, for the former a second one, then partitions with mount options. */
export const images: Reader = (input) => {
  const pathCount = input.key === 'MountImages' ? 2 : 1
  const findings: ValueFinding[] = []
  const reading = readTuples(input, (tuple) => {
    const parts = firstParts(tuple, Number.POSITIVE_INFINITY)
    const [source, second = ''] = firstParts(tuple, pathCount) ?? []
    if (firstParts(tuple, pathCount) === undefined) {
      return { finding: warning(`Invalid syntax in ${input.key}=, ignoring: ${tuple}`), ends: true }
    }
    if (source === undefined) return {}
    const image = expandPath(input, source.replace(/^-/, ''))
    if (typeof image !== 'string') return { finding: image }
    if (pathCount === 2) {
      if (second === '') return { finding: warning(`Missing destination in ${input.key}, ignoring: ${input.value}`) }
      const destination = expandPath(input, second)
      if (typeof destination !== 'string') return { finding: destination }
    }
    if (parts === undefined) return { finding: warning(`Failed to parse ${input.key}: ${tuple}`), ends: true }
    findings.push(...partitionFindings(input, parts.slice(pathCount)))
    return { value: tuple }
  })
  return findings.length === 0 ? reading : { ...reading, findings: [...reading.findings, ...findings] }
}

/** What is said of pairs of a partition and its mount options; one part alone are options. */
function partitionFindings(input: ValueInput, parts: readonly string[]): readonly ValueFinding[] {
  const findings: ValueFinding[] = []
  for (let index = 0; index < parts.length; index += 2) {
    const [first = '', second] = parts.slice(index, index + 2)
    const options = second ?? first
    const text = input.expand(options)
    if (second !== undefined && !partitions.has(first)) {
      findings.push(warning(`Invalid partition name ${first}, ignoring`))
    } else if (!text.ok) {
      findings.push(warning(`Failed to resolve unit specifiers in ${options}, ignoring: ${text.error.message}`))
    }
  }
  return findings
}

/** `RootImageOptions=`: `[partition:]options`. */
export const imageOptions: Reader = (input) => {
  const words = splitWords(input.value, quotedRawWords)
  const pairs = words.ok ? words.value.map((word) => firstParts(word, 3)) : []
  if (!words.ok || pairs.some((pair) => pair === undefined || pair.length > 2)) {
    return ignored(warning(`Failed to parse ${input.key}, ignoring: ${input.value}`))
  }
  return {
    values: words.value,
    findings: pairs.flatMap((pair) => partitionFindings(input, pair ?? [])),
  }
}

/** `AppArmorProfile=` and its like: a `-` in front makes failures harmless. */
export const label: Reader = ({ value, expand }) => {
  const tolerated = value.startsWith('-')
  const written = tolerated ? value.slice(1) : value
  const text = expand(written)
  if (text.ok) return kept(value)
  const line = `Failed to resolve unit specifiers in '${written}'${tolerated ? ', ignoring' : ''}: ${text.error.message}`
  return tolerated ? ignored(warning(line)) : refused(error(line))
}

/** Whether a credential may have this name: a file name of printable ASCII without colon. */
const isCredentialName = (name: string): boolean => name !== '.' && name !== '..' && /^[ -.0-9;-~]{1,255}$/.test(name)

/** The name of a credential and what stands behind the first colon, or what is wrong. */
function readCredential(input: ValueInput): Result<{ readonly id: string; readonly rest?: string }, ValueFinding> {
  const field = nextField(input.value, 0, { ...plainWords, separators: ':' })
  if (!field.ok) return err(warning(invalidSyntax(input.value)))
  const { word, separator, rest } = field.value
  const id = input.expand(word)
  if (!id.ok) {
    return err(warning(`Failed to resolve unit specifiers in "${word}", ignoring: ${id.error.message}`))
  }
  if (!isCredentialName(id.value)) return err(warning(`Credential name "${id.value}" not valid, ignoring.`))
  return {
    ok: true,
    value: separator === undefined ? { id: id.value } : { id: id.value, rest: input.value.slice(rest) },
  }
}

/** `LoadCredential=`: `id[:path]`. */
export const credentialPath: Reader = (input) => {
  const read = readCredential(input)
  if (!read.ok) return ignored(read.error)
  const { id, rest = '' } = read.value
  if (rest === '') return kept(id)
  const path = input.expand(rest)
  if (!path.ok) {
    return ignored(warning(`Failed to resolve unit specifiers in "${rest}", ignoring: ${path.error.message}`))
  }
  const isSource = path.value.startsWith('/')
    ? isNormalizedPath(path.value) && !/\/(?:\/|\.(?:\/|$))/.test(path.value)
    : isCredentialName(path.value)
  return isSource
    ? kept(`${id}:${path.value}`)
    : ignored(warning(`Credential source "${path.value}" not valid, ignoring.`))
}

/** `SetCredential=`: `id:text`. */
export const credentialText: Reader = (input) => {
  if (!/^(?:[^:\\]|\\.)*:./s.test(input.value)) return ignored(warning(invalidSyntax(input.value)))
  const read = readCredential(input)
  if (!read.ok) return ignored(read.error)
  const { rest = '' } = read.value
  if (input.key === 'SetCredentialEncrypted') {
    return isBase64(rest)
      ? kept(input.value)
      : ignored(warning('Encrypted credential data not valid Base64 data, ignoring.'))
  }
  if (unescapeText(rest, 'allowed') !== undefined) return kept(input.value)
  return ignored(warning(`Can't unescape "${rest}", ignoring: Invalid argument`))
}

const isBase64 = (text: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/.test(
    text.replaceAll(/[ \t\n\r]/g, ''),
  )

/** `StandardInputData=`. */
export const base64: Reader = ({ value }) =>
  isBase64(value) ? kept(value) : ignored(warning(`Failed to decode base64 data, ignoring: ${value}`))

/** `RootHash=`: an absolute path, or at least 16 bytes in hexadecimal figures. */
export const rootHash: Reader = (input) => {
  if (input.value.startsWith('/')) return kept(input.value)
  const figures = input.value.replaceAll(/[ \t\n\r]/g, '')
  if (!/^(?:[\da-fA-F]{2})+$/.test(figures)) {
    return ignored(warning(`Failed to decode RootHash=, ignoring: ${input.value}`))
  }
  return figures.length >= 32 ? kept(figures) : ignored(warning(`RootHash= is too short, ignoring: ${input.value}`))
}

/** `RootHashSignature=`: an absolute path, or `base64:` and data. */
export const rootHashSignature: Reader = (input) => {
  const { value } = input
  if (value.startsWith('/')) return kept(value)
  if (!value.startsWith('base64:')) {
    const what = "not a path but doesn't start with 'base64:'"
    return ignored(warning(`Failed to decode RootHashSignature=, ${what}, ignoring: ${value}`))
  }
  return isBase64(value.slice('base64:'.length))
    ? kept(value)
    : ignored(warning(`Failed to decode RootHashSignature=, ignoring: ${value}`))
}

/** `LogExtraFields=`. */
export const logFields: Reader = (input) =>
  readWords(input, escapedWords, invalidSyntax, (word) => {
    if (!word.includes('=')) return warning(`Log field lacks '=' character, ignoring: ${word}`)
    return /^[A-Z][A-Z0-9_]{0,63}=/.test(word) ? word : warning(`Log field name is invalid, ignoring: ${word}`)
  })

const logNamespaceBytesMax = 222

/** `LogNamespace=`. */
export const logNamespace: Reader = (input) =>
  expanded(input, (name) =>
    /^[A-Za-z0-9:_.@-]+$/.test(name) && !/^\.\.?$/.test(name) && byteLength(name) <= logNamespaceBytesMax
      ? kept(name)
      : ignored(warning(`Specified log namespace name is not valid, ignoring: ${name}`)),
  )

const coredumpParts = new Set(
  `private-anonymous shared-anonymous private-file-backed shared-file-backed elf-headers private-huge shared-huge
   private-dax shared-dax default all`.split(/\s+/),
)

/** `CoredumpFilter=`: names and hexadecimal masks. */
export const coredumpFilter: Reader = ({ key, value }) => {
  const words = splitWords(value, plainWords)
  const isMask = (word: string): boolean => /^\+?(?:0[xX])?0*[\da-fA-F]{1,16}$/.test(word)
  return words.ok && words.value.every((word) => coredumpParts.has(word) || isMask(word))
    ? { values: words.value, findings: [] }
    : ignored(warning(`Failed to parse the ${key}=${value}, ignoring: Invalid argument`))
}

/** `RestrictNamespaces=`. */
export const namespaces: Reader = ({ value }) => {
  if (parseBoolean(value) !== undefined) return kept(value)
  const words = splitWords(value.replace(/^~/, ''), plainWords)
  return words.ok && words.value.every((word) => /^(?:cgroup|ipc|net|mnt|pid|user|uts|time)$/.test(word))
    ? kept(value)
    : ignored(warning(`Failed to parse namespace type string, ignoring: ${value}`))
}

const siblings: Readonly<Record<string, string>> = { 'x86-64': 'x86', arm64: 'arm', ppc64: 'ppc', s390x: 's390' }

/** `Personality=`: the machine's architecture, or its 32 bit sibling. */
export const personality: Reader = ({ value, expand }) => {
  const own = expand('%a')
  const isOwn = own.ok && (value === own.value || value === siblings[own.value])
  return isOwn ? kept(value) : ignored(warning(`Failed to parse personality, ignoring: ${value}`))
}

const errorNumberMax = 4095

function isErrorNumber(text: string): boolean {
  return isErrorName(text) || parseInteger(text, { min: 0, max: errorNumberMax }).ok
}

/** `SystemCallErrorNumber=`. */
export const errorNumber: Reader = ({ value }) => {
  if (value !== 'kill' && !isErrorNumber(value)) {
    return ignored(warning(`Failed to parse error number, ignoring: ${value}`))
  }
  const number = parseInteger(value, { min: 0, max: 0 })
  return number.ok ? ignored(warning(`Invalid error number, ignoring: ${value}`)) : kept(value)
}

/** `SystemCallFilter=` and `SystemCallLog=`: names and groups, of which those of a `~` list may have an error. */
export const systemCalls: Reader = (input) => {
  const isDenied = input.value.startsWith('~')
  const names = { ...input, value: isDenied ? input.value.slice(1) : input.value }
  return readWords(
    names,
    plainWords,
    () => invalidSyntax(input.value),
    (word) => {
      const colon = input.key === 'SystemCallLog' ? -1 : word.indexOf(':')
      const name = colon === -1 ? word : word.slice(0, colon)
      const failure = colon === -1 ? undefined : word.slice(colon + 1)
      if (failure !== undefined && (name === '' || !(failure === 'kill' || isErrorNumber(failure)))) {
        return warning(`Failed to parse syscall:errno, ignoring: ${word}`)
      }
      if (!isDenied && failure !== undefined) {
        return warning(`Allow-listed system calls cannot take error number, ignoring: ${word}`)
      }
      if (name.startsWith('@')) {
        if (!isSystemCallGroup(name)) return warning(`Unknown system call group, ignoring: ${name}`)
      } else if (!isSystemCall(name)) return warning(`Failed to parse system call, ignoring: ${name}`)
      return isDenied ? `~${word}` : word
    },
  )
}
