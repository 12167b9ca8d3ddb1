/** What the recorded sets about units have in common: how texts are written, the machine, loose comparison of messages. */
import { createHash } from 'node:crypto'
import { type ExecCommand, encodeText, type SpecifierContext, type UnitMessage } from '@cluster/unit-file'
import { differences } from './differences.ts'
import { isRecorded, objectsIn, type RecordedCase, textIn } from './recorded-cases.ts'
import type { Difference } from './vector-set.ts'

/** The text of a case: `text`, `textBase64`, or `textParts` (pairs of a text and how often it is repeated). */
export function caseText(recorded: RecordedCase): string | Uint8Array {
  const { text, textBase64, textParts } = recorded
  if (typeof textBase64 === 'string') return new Uint8Array(Buffer.from(textBase64, 'base64'))
  if (!Array.isArray(textParts)) return typeof text === 'string' ? text : textIn(recorded, 'text')
  return textParts.map((part: unknown) => (Array.isArray(part) ? String(part[0]).repeat(Number(part[1])) : '')).join('')
}

/** Differences of a text from a recorded one, which may be `{ length, sha256 }` of its UTF-8 bytes. */
export function textDifferences(expected: unknown, actual: string | undefined, at: string): readonly Difference[] {
  if (!isRecorded(expected) || actual === undefined) return differences(expected, actual, at)
  const bytes = encodeText(actual)
  return differences(expected, { length: bytes.length, sha256: sha256(bytes) }, at)
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Commands as the bus shows them; long arguments may be recorded by their hash. */
export function commandDifferences(
  expected: unknown,
  actual: readonly ExecCommand[],
  at: string,
): readonly Difference[] {
  const recorded = Array.isArray(expected) ? expected.filter(isRecorded) : []
  if (recorded.length !== actual.length) return differences(expected ?? [], actual, at)
  return recorded.flatMap((command, index) => {
    const found = actual[index]
    const words = Array.isArray(command['argv']) ? command['argv'] : []
    if (found === undefined || words.length !== found.argv.length) return differences(command, found, `${at}[${index}]`)
    return [
      ...textDifferences(command['path'], found.path, `${at}[${index}].path`),
      ...words.flatMap((word: unknown, place) =>
        textDifferences(word, found.argv[place], `${at}[${index}].argv[${place}]`),
      ),
      ...differences(command['flags'] ?? [], found.flags, `${at}[${index}].flags`),
    ]
  })
}

/** The recorder cut long texts. */
const beginningLength = 100

/**
 * Messages: number, order, priority and line strictly; of the text only how it begins, since the wording after the
 * first words is systemd's own business.
 */
export function messageDifferences(
  recorded: RecordedCase,
  actual: readonly UnitMessage[],
  { lines = 'compared' }: { readonly lines?: 'compared' | 'other-file' } = {},
): readonly Difference[] {
  const outline = (message: { readonly priority?: unknown; readonly line?: unknown; readonly text?: unknown }) => ({
    priority: message.priority,
    line: lines === 'compared' ? message.line : undefined,
    begins: String(message.text).split(/\s+/).slice(0, 3).join(' ').slice(0, beginningLength),
  })
  return differences(objectsIn(recorded, 'messages').map(outline), actual.map(outline), 'messages')
}

/** The machine on which units were recorded, as far as real units ask for it. */
export const recordedMachine: SpecifierContext = {
  scope: 'system',
  architecture: 'x86-64',
  machineId: '11112222333344445555666677778888',
  bootId: 'c27e97824e3a4c63b9f3fa5f19ed7ca8',
  hostName: 'web7.example.org',
  kernelRelease: '6.1.0-40-amd64',
  osRelease: { ID: 'debian', VERSION_ID: '12' },
  user: 'root',
  uid: 0,
  group: 'root',
  gid: 0,
  home: '/root',
  shell: '/bin/bash',
  runtimeDir: '/run',
  stateDir: '/var/lib',
  cacheDir: '/var/cache',
  logsDir: '/var/log',
  configDir: '/etc',
  tmpDir: '/tmp',
  varTmpDir: '/var/tmp',
  credentialsDir: '/run/credentials',
}
