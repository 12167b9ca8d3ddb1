/** Recorded from systemd 252 and go-systemd: validity and parts of names, escaping, unescaping, mangling. */
import type { Result } from '@cluster/prelude'
import {
  encodeText,
  escapeName,
  escapePath,
  expandSpecifiers,
  goEscapeName,
  goEscapePath,
  goUnescapeName,
  goUnescapePath,
  hasFleetUnitType,
  isLoadableName,
  mangleUnitName,
  parseFleetName,
  parseUnitName,
  pathRemark,
  unescapeName,
  unescapePath,
} from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { longTextIn, type RecordedCase, recordedFiles } from '../recorded-cases.ts'
import type { Difference, VectorFolder, VectorSet } from '../vector-set.ts'
import { contextOf } from './specifiers.ts'

/** Files of the folder whose cases have `valid`, `escape`, `unescape` or `mangled`. */
export const unitNames: VectorSet = {
  name: 'unit-names',
  cases: (folder) => kinds.flatMap(([field, subjectField, actualOf]) => casesOf(folder, field, subjectField, actualOf)),
}

const kinds = [
  ['valid', 'name', namesCase],
  ['escape', 'text', escapeCase],
  ['unescape', 'text', unescapeCase],
  ['mangled', 'text', mangleCase],
] as const

function casesOf(
  folder: VectorFolder,
  field: string,
  subjectField: string,
  actualOf: (subject: string) => RecordedCase,
): ReturnType<VectorSet['cases']> {
  return recordedFiles(folder, [field]).flatMap(({ file, cases }) =>
    cases.map((recorded) => {
      const subject = longTextIn(recorded, subjectField)
      const shown = subject.length > 60 ? `${subject.slice(0, 40)}… (${subject.length} characters)` : subject
      return {
        name: `${file}: ${JSON.stringify(shown)}`,
        run: () => recordedDifferences(recorded, actualOf(subject)),
      }
    }),
  )
}

/** Only what was recorded is compared: parts are absent where a unit of that name could not be loaded. */
const recordedDifferences = (recorded: RecordedCase, actual: RecordedCase): readonly Difference[] =>
  Object.keys(recorded)
    .filter((field) => !['name', 'nameParts', 'text', 'textParts', 'note'].includes(field))
    .flatMap((field) => differences(recorded[field], actual[field], field))

function namesCase(name: string): RecordedCase {
  const fleet = { info: fleetInfo(name), knownType: hasFleetUnitType(name) }
  const parsed = parseUnitName(name)
  if (!parsed.ok) return { valid: false, fleet }
  const specifier = (text: string): string | null => nullIfRefused(expandSpecifiers(name, text, noMachine))
  return {
    valid: true,
    loadable: parsed.value.kind === 'template' ? undefined : isLoadableName(parsed.value),
    type: parsed.value.type,
    template: parsed.value.kind === 'template',
    instantiated: parsed.value.kind === 'instance',
    prefixAndInstance: specifier('%N'),
    prefix: specifier('%p'),
    instance: specifier('%i'),
    lastComponent: specifier('%j'),
    unescapedPrefix: specifier('%P'),
    unescapedInstance: specifier('%I'),
    path: specifier('%f'),
    fleet,
  }
}

function fleetInfo(name: string): RecordedCase | null {
  const parts = parseFleetName(name)
  if (parts === undefined) return null
  const { fullName: _fullName, ...info } = parts
  return info
}

/** Names are expanded without a machine; none of the specifiers asked for here needs one. */
const noMachine = contextOf(
  Object.fromEntries(
    [
      ...['architecture', 'machineId', 'bootId', 'hostName', 'kernelRelease', 'user', 'group', 'home', 'shell'],
      ...['runtimeDir', 'stateDir', 'cacheDir', 'logsDir', 'configDir', 'tmpDir', 'varTmpDir', 'credentialsDir'],
    ].map((field) => [field, '']),
  ),
)

function escapeCase(text: string): RecordedCase {
  const path = escapePath(text)
  return {
    escape: escapeName(text),
    pathEscape: nullIfRefused(path),
    pathEscapeMessage: pathMessage(pathRemark(text), path.ok),
    fleet: { escape: goEscapeName(text), pathEscape: goEscapePath(text) },
  }
}

function pathMessage(remark: ReturnType<typeof pathRemark>, isEscaped: boolean): string | undefined {
  if (remark === undefined) return undefined
  const isInvalid = remark === 'empty' || remark === 'too-long'
  const expectation = isInvalid ? 'a valid' : remark === 'relative' ? 'an absolute' : 'a normalized'
  // The program's own words, the missing “to” included.
  const warning = `escaping is likely not going ${isInvalid ? '' : 'to '}be reversible`
  const outcome = isEscaped ? warning : 'failed to escape'
  return `Input 'TEXT' is not ${expectation} file system path, ${outcome}.`
}

function unescapeCase(text: string): RecordedCase {
  const [unescaped, path] = [unescapeName(text), unescapePath(text)]
  return {
    unescape: unescaped.ok ? recordedText(unescaped.value) : null,
    pathUnescape: path.ok ? recordedText(path.value) : null,
    fleet: { unescape: goUnescapeName(text), pathUnescape: goUnescapePath(text) },
  }
}

/** Bytes that are not UTF-8 were recorded as base64. */
const recordedText = (text: string): unknown =>
  /[\udc80-\udcff]/u.test(text) ? { base64: Buffer.from(encodeText(text)).toString('base64') } : text

function mangleCase(text: string): RecordedCase {
  const mangled = mangleUnitName(text)
  return mangled.ok ? { mangled: mangled.value } : { mangled: null, message: 'Failed to mangle name: Invalid argument' }
}

const nullIfRefused = (result: Result<string, unknown>): string | null => (result.ok ? result.value : null)
