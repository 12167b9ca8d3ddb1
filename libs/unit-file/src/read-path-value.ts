/**
 * Values that are paths, alone or in lists, and addresses to listen on, which may be paths, as systemd 252 takes them.
 * Messages are systemd's.
 */
import { isNetlinkAddress, listenAddressKind } from './address.ts'
import type { ValueFinding } from './unit-message.ts'
import {
  error,
  expanded,
  ignored,
  invalidSyntax,
  kept,
  type Reader,
  readPath,
  readWords,
  refused,
  type ValueReading,
  warning,
} from './value-reading.ts'
import { nextField, plainWords, quotedWords, wordsUntilError } from './words.ts'

/** One path; a wrong root of the file system refuses the unit. */
export const pathOption: Reader = (input) => {
  const { key, value, expand } = input
  // a wrong root is not ignored: the program must not run outside of it
  const fatal = key === 'RootDirectory' || key === 'RootImage' || key === 'RootVerity'
  const ending = fatal ? '' : ', ignoring'
  const text = expand(value)
  const complaint = (finding: ValueFinding): ValueReading => (fatal ? refused(finding) : ignored(finding))
  if (!text.ok) {
    const line = `Failed to resolve unit specifiers in '${value}'${ending}: ${text.error.message}`
    return complaint(fatal ? error(line) : warning(line))
  }
  if (key === 'PIDFile') {
    const path = readPath(key, text.value.startsWith('/') ? text.value : `/run/${text.value}`)
    if (typeof path !== 'string') return { findings: [path], stop: 'error' }
    return kept(path.replace(/^\/var\/run\//, '/run/'))
  }
  const path = readPath(key, text.value, ending)
  return typeof path === 'string' ? kept(path) : complaint(path)
}

/** A path or `~`; with `-` before it, one that need not exist. */
export const workingDirectory: Reader = ({ key, value, expand }) => {
  const tolerated = value.startsWith('-')
  const written = tolerated ? value.slice(1) : value
  if (written === '~') return kept(value)
  const ending = tolerated ? ', ignoring' : ''
  const text = expand(written)
  if (!text.ok) {
    const line = `Failed to resolve unit specifiers in working directory path '${written}'${ending}: ${text.error.message}`
    return tolerated ? ignored(warning(line)) : refused(error(line))
  }
  const path = readPath(key, text.value, ending)
  if (typeof path === 'string') return kept(tolerated ? `-${path}` : path)
  return tolerated ? ignored(path) : refused(path)
}

/** A path; with `-` before it, one that need not exist. */
export const environmentFile: Reader = (input) =>
  expanded(input, (text) => {
    const prefix = text.startsWith('-') ? '-' : ''
    const path = readPath(input.key, text.slice(prefix.length))
    return typeof path === 'string' ? kept(prefix + path) : ignored(path)
  })

/** `PathExists=` and its like: one path for each assignment. */
export const pathTrigger: Reader = (input) =>
  expanded(input, (text) => {
    const path = readPath(input.key, text)
    return typeof path === 'string' ? kept(path) : ignored(path)
  })

/** Paths; the first wrong one of `Symlinks=` loses the rest of the line. */
export const paths: Reader = (input) => {
  const { key, value } = input
  const isOne = key === 'IPIngressFilterPath' || key === 'IPEgressFilterPath'
  if (isOne) return pathTrigger(input)
  const reading = readWords(input, quotedWords, invalidSyntax, (word) => readPath(key, word))
  if (key !== 'Symlinks' || reading.findings.length === 0) return reading
  const values: string[] = []
  for (const word of wordsUntilError(value, quotedWords).words) {
    const text = input.expand(word)
    const path = text.ok ? readPath(key, text.value) : undefined
    if (typeof path !== 'string') break
    values.push(path)
  }
  return { values, findings: reading.findings.slice(0, 1) }
}

/** Paths with colons between them; those before a bad one are kept. */
export const colonSeparatedPaths: Reader = (input) => {
  const { key, value } = input
  const values: string[] = []
  for (let start: number | undefined = 0; start !== undefined; ) {
    const field = nextField(value, start, { ...plainWords, separators: ':' })
    if (!field.ok) return { values, findings: [warning(`Failed to extract first word, ignoring: ${value}`)] }
    const { word, rest, separator } = field.value
    const text = input.expand(word)
    const path = text.ok
      ? readPath(key, text.value)
      : warning(`Failed to resolve unit specifiers in '${word}', ignoring: ${text.error.message}`)
    if (typeof path !== 'string') return { values, findings: [path] }
    values.push(path)
    start = separator === undefined ? undefined : rest
  }
  return { values, findings: [] }
}

/** Paths that may have `-` (need not exist) and `+` (below the root directory) before them. */
export const pathsWithPrefixes: Reader = (input) =>
  readWords(
    input,
    quotedWords,
    (value) => `Failed to extract first word, ignoring: ${value}`,
    (word) => {
      const prefix = /^-?\+?/.exec(word)?.[0] ?? ''
      const path = readPath(input.key, word.slice(prefix.length))
      return typeof path === 'string' ? prefix + path : path
    },
    (word, message) => `Failed to resolve unit specifiers in ${word}, ignoring: ${message}`,
  )

/** What a socket listens on: an address, a path or a netlink family. */
export const listenAddress: Reader = (input) =>
  expanded(input, (text) => {
    const badAddress = ignored(warning(`Failed to parse address value in '${text}', ignoring: Invalid argument`))
    if (input.key === 'ListenNetlink') return isNetlinkAddress(text) ? kept(text) : badAddress
    if (!/^Listen(?:Stream|Datagram|SequentialPacket)$/.test(input.key)) {
      const path = readPath(input.key, text)
      return typeof path === 'string' ? kept(path) : ignored(path)
    }
    const kind = listenAddressKind(text)
    if (kind === undefined) return badAddress
    if (kind !== 'unix' && input.key === 'ListenSequentialPacket') {
      return ignored(warning(`Address family not supported, ignoring: ${input.value}`))
    }
    return kept(text)
  })
