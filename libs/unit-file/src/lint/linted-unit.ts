/** What rules look at: a file with its assignments, and a unit made of a main file and drop-ins. */
import { decodeBytes } from '../byte-text.ts'
import type { ExpandWord } from '../exec-line.ts'
import { type KnownOption, knownOption } from '../known-options.ts'
import { sectionsOf } from '../read-systemd.ts'
import { type AssignmentBlock, type HeaderBlock, parseUnitFile, type UnitFile } from '../source.ts'
import { expandSpecifiers, type SpecifierContext } from '../specifiers.ts'
import { parseUnitName, type UnitNameParts, type UnitType, unitTypes } from '../unit-name.ts'
import { parseBoolean } from '../values.ts'
import { plainRawWords, wordsUntilError } from '../words.ts'
import type { LintFile, LintRange } from './finding.ts'
import { startOfFile, textRange } from './place.ts'
import { placedWords, wordRange } from './words-in-place.ts'

/** An assignment to a key that systemd knows in that section. */
export type LintedAssignment = {
  readonly block: AssignmentBlock
  readonly section: string
  readonly key: string
  readonly value: string
  readonly option: KnownOption
  /** Of the file that it stands in. */
  readonly path: string
}

/** One file as lint sees it. */
export type LintedFile = {
  readonly path: string
  readonly mode?: number
  readonly text: string
  readonly source: UnitFile
  readonly role: 'unit' | 'drop-in'
  /** The last part of the path. */
  readonly fileName: string
  /** The directory without its `.d` for a drop-in, the file's name for a unit. */
  readonly unitName: string
  readonly type: UnitType
  /** Absent where the name is none. */
  readonly parts?: UnitNameParts
  readonly assignments: readonly LintedAssignment[]
}

/** A unit as its files among those given make it. */
export type LintedUnit = {
  readonly name: string
  readonly type: UnitType
  readonly parts?: UnitNameParts
  /** Absent where only drop-ins are given. */
  readonly main?: LintedFile
  readonly dropIns: readonly LintedFile[]
  /** Of all files, in order of application. */
  readonly assignments: readonly LintedAssignment[]
  /** The same by `Section.Key`. */
  readonly byKey: ReadonlyMap<string, readonly LintedAssignment[]>
  /** Replaces specifiers as an instance `i` of the unit would have them. */
  readonly expand: ExpandWord
  /** The name that the unit has, or that an instance of it would have; absent where the name is none. */
  readonly loadedName?: string
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const typeOf = (name: string): UnitType =>
  unitTypes.find((type) => name === type || name.endsWith(`.${type}`)) ?? 'service'

/** The unit whose drop-in a path is; absent for a unit itself. */
export const dropInOwner = (path: string): string | undefined => /(?:^|\/)([^/]+)\.d\/[^/]+$/.exec(path)?.[1]

/** Reads a file; whatever is in it, there is something to look at. */
export function lintedFile({ path, text: given, mode }: LintFile): LintedFile {
  const text = typeof given === 'string' ? given : decodeBytes(given)
  const source = parseUnitFile(text)
  const owner = dropInOwner(path)
  const unitName = owner ?? baseName(path)
  const parts = parseUnitName(unitName)
  const type = typeOf(unitName)
  const sections = sectionsOf(type)
  const assignments: LintedAssignment[] = []
  for (const block of source.blocks) {
    if (block.kind !== 'assignment' || block.section === undefined || !sections.has(block.section)) continue
    const option = knownOption(block.section, block.key)
    if (option === undefined) continue
    assignments.push({ block, section: block.section, key: block.key, value: block.value, option, path })
  }
  return {
    path,
    text,
    source,
    role: owner === undefined ? 'unit' : 'drop-in',
    fileName: baseName(path),
    unitName,
    type,
    assignments,
    ...(mode === undefined ? {} : { mode }),
    ...(parts.ok ? { parts: parts.value } : {}),
  }
}

/** Puts the files of one unit together; drop-ins in order of application. */
export function lintedUnit(name: string, main: LintedFile | undefined, dropIns: readonly LintedFile[]): LintedUnit {
  const parts = parseUnitName(name)
  const loadedName = parts.ok
    ? parts.value.kind === 'template'
      ? `${parts.value.prefix}@i.${parts.value.type}`
      : parts.value.name
    : undefined
  const assignments = [...(main === undefined ? [] : [main]), ...dropIns].flatMap((file) => file.assignments)
  const byKey = new Map<string, LintedAssignment[]>()
  for (const assignment of assignments) {
    const key = `${assignment.section}.${assignment.key}`
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [assignment])
    else known.push(assignment)
  }
  return {
    name,
    type: typeOf(name),
    dropIns,
    assignments,
    byKey,
    expand: (word) => expandSpecifiers(loadedName ?? 'a.service', word, anyMachine),
    ...(main === undefined ? {} : { main }),
    ...(parts.ok ? { parts: parts.value } : {}),
    ...(loadedName === undefined ? {} : { loadedName }),
  }
}

/** All assignments to a key that count: those behind its last reset, of a plain key the last one. */
export function valuesOf(unit: LintedUnit, section: string, key: string): readonly LintedAssignment[] {
  const all = unit.byKey.get(`${section}.${key}`)
  const last = all?.at(-1)
  if (all === undefined || last === undefined) return []
  if (!last.option.list) return last.value === '' ? [] : [last]
  const reset = last.option.reset ? all.findLastIndex(({ value }) => value === '') : -1
  return all.slice(reset + 1).filter(({ value }) => value !== '')
}

export const lastOf = (unit: LintedUnit, section: string, key: string): LintedAssignment | undefined =>
  valuesOf(unit, section, key).at(-1)

/** The value of a plain key. */
export const settingOf = (unit: LintedUnit, section: string, key: string): string | undefined =>
  lastOf(unit, section, key)?.value

export const isOn = (unit: LintedUnit, section: string, key: string, byDefault: boolean): boolean =>
  parseBoolean(settingOf(unit, section, key) ?? '') ?? byDefault

/** A name in a dependency list and where it stands. */
export type PlacedName = { readonly name: string; readonly assignment: LintedAssignment; readonly range: LintRange }

/** The units that a dependency names, specifiers replaced; templates as they are written. */
export function dependenciesOf(unit: LintedUnit, ...keys: readonly string[]): readonly PlacedName[] {
  return keys.flatMap((key) =>
    valuesOf(unit, 'Unit', key).flatMap((assignment) =>
      placedWords(assignment.block, plainRawWords).flatMap((word) => {
        const name = unit.expand(word.word)
        return name.ok ? [{ name: name.value, assignment, range: wordRange(word) }] : []
      }),
    ),
  )
}

/** The names that `[Install]` asks to be pulled in by. */
export const installedInto = (unit: LintedUnit): readonly string[] =>
  ['WantedBy', 'RequiredBy'].flatMap((key) =>
    valuesOf(unit, 'Install', key).flatMap(({ value }) => wordsUntilError(value, plainRawWords).words),
  )

/** Where to point for what a unit as a whole lacks: its section of that name, else its first line. */
export function sectionRange({ source }: LintedFile, section: string): LintRange {
  const header = source.blocks.find((block): block is HeaderBlock => block.kind === 'header' && block.name === section)
  return header === undefined ? startOfFile : textRange(header)
}

/** The section that is named after the type. */
export const ownSection = (type: UnitType): string => `${type.charAt(0).toUpperCase()}${type.slice(1)}`

/** Findings do not depend on the machine: it has something for every specifier. */
export const anyMachine: SpecifierContext = {
  scope: 'system',
  architecture: 'x86-64',
  machineId: '0'.repeat(32),
  bootId: '0'.repeat(32),
  hostName: 'machine',
  kernelRelease: '6.1.0',
  osRelease: { ID: 'linux' },
  user: 'root',
  uid: 0,
  group: 'root',
  gid: 0,
  home: '/root',
  shell: '/bin/sh',
  runtimeDir: '/run',
  stateDir: '/var/lib',
  cacheDir: '/var/cache',
  logsDir: '/var/log',
  configDir: '/etc',
  tmpDir: '/tmp',
  varTmpDir: '/var/tmp',
  credentialsDir: '/run/credentials',
  fragmentPath: '/etc/systemd/system/unit',
}
