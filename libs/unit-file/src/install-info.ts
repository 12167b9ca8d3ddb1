/**
 * The units that an operation on `[Install]` is about: each found by its name, its links followed, its `[Install]` read.
 * Rules: systemd 252, spec/unit-files.md §8.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { byteLength } from './byte-text.ts'
import { isIgnoredFile } from './drop-ins.ts'
import { instantiate, linkTarget, templateOf } from './find-unit.ts'
import { baseName, parentPath } from './path-text.ts'
import { type ReadingStop, readSections } from './read-systemd.ts'
import { expandInstallSpecifiers, type SpecifierContext } from './specifiers.ts'
import { isLoadableName, isUnitName, parseUnitName, type UnitType, unitNameBytesMax } from './unit-name.ts'
import type { UnitSearchPath } from './unit-search-path.ts'
import { compareBytes, isMask, type UnitTree } from './unit-tree.ts'
import { plainWords, quotedRawWords, wordsUntilError } from './words.ts'

/** Why something cannot be done; most have words of their own for install (install.ts), all have the system's. */
export type InstallFailure =
  | 'alias-or-link'
  | 'bad-name'
  | 'bad-reference'
  | 'bad-specifier'
  | 'broken-header'
  | 'broken-link'
  | 'directory'
  | 'exists'
  | 'generated'
  | 'invalid'
  | 'masked'
  | 'missing'
  | 'no-template'
  | 'too-long'
  | 'too-long-line'
  | 'unit-directory'

/** A unit on the way: what is known of it so far. */
export type InstallInfo = {
  readonly name: string
  /** Only named by `Also=`, so that nothing fails when it is not there. */
  isAuxiliary: boolean
  path?: string
  /** `alias` and `linked`: a link that was not followed yet. Absent: not looked for yet. */
  mode?: 'regular' | 'masked' | 'alias' | 'linked'
  linkedTo?: string
  aliases: string[]
  wantedBy: string[]
  requiredBy: string[]
  readonly also: string[]
  defaultInstance?: string
}

export type InstallContext = {
  readonly tree: UnitTree
  readonly machine: SpecifierContext
  readonly searchPath: UnitSearchPath
  /** `places`: where files are is all that is asked, their contents are not looked at. */
  readonly depth: 'contents' | 'places'
  /** What is wrong with links that were met, in systemd's words. */
  readonly remarks: string[]
  /** In order of appearance; grows by aliases' targets and `Also=` while units are read. */
  readonly infos: Map<string, InstallInfo>
}

type Outcome = Result<void, InstallFailure>
const done: Outcome = ok(undefined)

/** Whether links in the directories for configuration are followed too; without it they end the search. */
export type LinkPolicy = 'all' | 'vendor-only'

const linkHopsMax = 64
const aliasableTypes: ReadonlySet<UnitType> = new Set(['service', 'socket', 'target', 'device', 'timer', 'path'])

/** Notes a unit by its name, or by the absolute path of its file; the one already noted, if there is one. */
export function addInfo(
  context: InstallContext,
  nameOrPath: string,
  kind: 'named' | 'auxiliary',
): Result<InstallInfo, InstallFailure> {
  const isPath = nameOrPath.startsWith('/')
  const name = isPath ? baseName(nameOrPath) : nameOrPath
  if (!isUnitName(name)) return err('invalid')
  const known = context.infos.get(name)
  if (known !== undefined) {
    known.isAuxiliary &&= kind === 'auxiliary'
    return ok(known)
  }
  const info = newInfo(name, kind === 'auxiliary')
  if (isPath) info.path = nameOrPath
  context.infos.set(name, info)
  return ok(info)
}

const newInfo = (name: string, isAuxiliary: boolean): InstallInfo => ({
  name,
  isAuxiliary,
  aliases: [],
  wantedBy: [],
  requiredBy: [],
  also: [],
})

/** Finds and reads a unit and follows its links; gives the unit at their end, which may go by another name. */
export function traverse(
  context: InstallContext,
  start: InstallInfo,
  policy: LinkPolicy,
): Result<InstallInfo, InstallFailure> {
  const { configDirectory, runtimeDirectory } = context.searchPath
  const found = search(context, start)
  if (!found.ok) return found
  let info = start
  for (let hops = 1; info.mode === 'alias' || info.mode === 'linked'; hops++) {
    if (hops > linkHopsMax) return err('alias-or-link')
    const directory = parentPath(info.path ?? '')
    if (policy === 'vendor-only' && (directory === configDirectory || directory === runtimeDirectory)) {
      return err('alias-or-link')
    }
    const target = info.linkedTo ?? ''
    const name = filledFor(info.name, baseName(target))
    // What is linked from elsewhere goes by the link's name; so does a link from an instance to its own template.
    if (info.mode === 'linked' || name === info.name) {
      info.path = target
      const read = readFile(context, info, target)
      if (!read.ok) return read
      continue
    }
    const next = addInfo(context, name, 'named')
    if (!next.ok) return next
    info = next.value
    const searched = search(context, info)
    if (!searched.ok) return searched.error === 'missing' ? err('broken-link') : searched
  }
  return ok(info)
}

/** The template with the instance of `name`; any other target stays. */
function filledFor(name: string, target: string): string {
  const parts = parseUnitName(name)
  return (parts.ok && parts.value.kind === 'instance' ? instantiate(target, parts.value.instance) : undefined) ?? target
}

/** Finds the file of a unit, reads it if it is one, and the drop-ins of its name and its template. */
function search(context: InstallContext, info: InstallInfo): Outcome {
  if (info.mode !== undefined) return done
  if (info.path !== undefined) return readFile(context, info, info.path)
  const place = findPlace(context, info)
  if (!place.ok) return place
  info.path = place.value
  if (info.mode === 'masked' || context.depth === 'places') return done
  for (const path of dropInsOf(context, info.name)) {
    const read = readDropIn(context, info, path)
    if (!read.ok) return read
  }
  return done
}

function findPlace(context: InstallContext, info: InstallInfo): Result<string, InstallFailure> {
  for (const candidate of ownAndTemplate(info.name)) {
    for (const directory of context.searchPath.directories) {
      const tried = readFile(context, info, `${directory}/${candidate}`)
      if (tried.ok) return ok(`${directory}/${candidate}`)
      if (tried.error !== 'missing') return tried
    }
  }
  return err('missing')
}

const ownAndTemplate = (name: string): readonly string[] => [...new Set([name, templateOf(name) ?? name])]

/** Whether `enable` would find a unit of this name, a masked one included. */
export const isInstalled = ({ tree, searchPath: { directories } }: InstallContext, name: string): boolean =>
  ownAndTemplate(name).some((candidate) => directories.some((directory) => tree.look(`${directory}/${candidate}`)))

/** A context of its own in which units are looked for but not read. */
export const placesOnly = (context: InstallContext): InstallContext => ({
  ...context,
  depth: 'places',
  remarks: [],
  infos: new Map(),
})

/** The place of a unit, its links not followed. */
export function peek(context: InstallContext, name: string): Result<InstallInfo, InstallFailure> {
  const info = newInfo(name, false)
  const place = findPlace(placesOnly(context), info)
  if (!place.ok) return place
  info.path = place.value
  return ok(info)
}

/** What is at a path: a file, a mask, or a link of some kind. */
function classify({ tree, searchPath, remarks }: InstallContext, info: InstallInfo, path: string): Outcome {
  const unit = parseUnitName(info.name)
  if (!unit.ok || (unit.value.kind !== 'plain' && !isLoadableName({ ...unit.value, kind: 'instance' }))) {
    return err('invalid')
  }
  const node = tree.look(path)
  if (node === undefined) return err('missing')
  if (node.kind === 'directory') return err('directory')
  if (node.kind !== 'link') {
    info.mode = isMask(node) ? 'masked' : 'regular'
    return done
  }
  const target = linkTarget(tree, searchPath.directories, parentPath(path), baseName(path), node.target)
  if (target.kind === 'refused') {
    if (target.message !== undefined) remarks.push(target.message)
    return err(refusals[target.reason])
  }
  info.linkedTo = target.path
  info.mode = isMask(tree.follow(target.path)) ? 'masked' : target.kind
  return done
}

const refusals = { circle: 'alias-or-link', 'bad-name': 'invalid', mismatch: 'bad-reference' } as const

function readFile(context: InstallContext, info: InstallInfo, path: string): Outcome {
  const classified = classify(context, info, path)
  if (!classified.ok || info.mode !== 'regular' || context.depth === 'places') return classified
  delete info.mode
  const read = readInstall(context, info, path)
  if (read.ok) info.mode = 'regular'
  return read
}

/** Only the unit's own name and its template have drop-ins here; of one file name the highest directory's counts. */
function dropInsOf({ tree, searchPath: { directories } }: InstallContext, name: string): readonly string[] {
  const found = new Map<string, string>()
  for (const owner of ownAndTemplate(name)) {
    for (const directory of directories) {
      for (const file of tree.list(`${directory}/${owner}.d`)) {
        if (!file.endsWith('.conf') || isIgnoredFile(file) || found.has(file)) continue
        found.set(file, `${directory}/${owner}.d/${file}`)
      }
    }
  }
  return [...found].sort(([one], [other]) => compareBytes(one, other)).map(([, path]) => path)
}

function readDropIn(context: InstallContext, info: InstallInfo, path: string): Outcome {
  const node = context.tree.follow(path)
  if (node === undefined) return err(context.tree.realPath(path) === undefined ? 'alias-or-link' : 'missing')
  if (node.kind === 'directory') return err('directory')
  return isMask(node) ? done : readInstall(context, info, path)
}

const stops: Readonly<Record<ReadingStop, InstallFailure>> = {
  'Invalid argument': 'invalid',
  'Bad message': 'broken-header',
  'No buffer space available': 'too-long-line',
}

/** Reads `[Install]` of a file. All other sections only have to be written well. */
function readInstall(context: InstallContext, info: InstallInfo, path: string): Outcome {
  const node = context.tree.follow(path)
  if (node?.kind !== 'file') return err('missing')
  const { events, stop } = readSections({ text: node.content }, 'target')
  for (const event of events) {
    if (event.kind !== 'assignment' || event.assignment.section !== 'Install') continue
    const assigned = assign(context, info, event.assignment.key, event.assignment.value)
    if (!assigned.ok) return assigned
  }
  return stop === undefined ? done : err(stops[stop])
}

function assign(context: InstallContext, info: InstallInfo, key: string, value: string): Outcome {
  const added = (list: readonly string[]): string[] =>
    value === '' ? [] : [...list, ...wordsUntilError(value, quotedRawWords).words]
  if (key === 'WantedBy') info.wantedBy = added(info.wantedBy)
  else if (key === 'RequiredBy') info.requiredBy = added(info.requiredBy)
  else if (key === 'Alias') {
    if (mayHaveAliases(info.name)) info.aliases = added(info.aliases)
  } else if (key === 'Also') return assignAlso(context, info, value)
  else if (key === 'DefaultInstance') return assignDefaultInstance(context, info, value)
  return done
}

function mayHaveAliases(name: string): boolean {
  const parts = parseUnitName(name)
  return parts.ok && aliasableTypes.has(parts.value.type)
}

function assignAlso(context: InstallContext, info: InstallInfo, value: string): Outcome {
  const { words, error } = wordsUntilError(value, plainWords)
  for (const word of words) {
    const name = expandFor(context, info, word)
    if (!name.ok) return name
    const noted = name.value.startsWith('/') ? err('invalid' as const) : addInfo(context, name.value, 'auxiliary')
    if (!noted.ok) return noted
    info.also.push(name.value)
  }
  return error === undefined ? done : err('invalid')
}

function assignDefaultInstance(context: InstallContext, info: InstallInfo, value: string): Outcome {
  const parts = parseUnitName(info.name)
  if (!parts.ok || parts.value.kind !== 'template') return done
  const instance = expandFor(context, info, value)
  if (!instance.ok) return instance
  if (/[^A-Za-z0-9:_.\\@-]/u.test(instance.value)) return err('invalid')
  if (instance.value === '') delete info.defaultInstance
  else info.defaultInstance = instance.value
  return done
}

/** The unit's name; a template's with its default instance. */
export const nameForSpecifiers = ({ name, defaultInstance }: InstallInfo): string =>
  instantiate(name, defaultInstance ?? '') ?? name

/** A word of `[Install]` with specifiers put in, as they are at this point of the reading. */
export function expandFor(
  { machine }: InstallContext,
  info: InstallInfo,
  word: string,
): Result<string, InstallFailure> {
  const expanded = expandInstallSpecifiers(nameForSpecifiers(info), word, machine)
  if (!expanded.ok) return err(expanded.error.kind === 'unknown-specifier' ? 'bad-specifier' : 'invalid')
  return byteLength(expanded.value) > unitNameBytesMax + 1 ? err('too-long') : ok(expanded.value)
}
