/**
 * A unit as systemd loads it from a tree of files: main file, names, drop-ins in their order, links to other units, and
 * what all of them add up to. spec/unit-files.md §5 (aliases), §7.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { findDependencyLinks, findDropIns } from './drop-ins.ts'
import { evaluateUnit, type LoadState, type UnitEvaluation } from './evaluate-unit.ts'
import { findUnit, mapUnitFiles, type UnitFileMap } from './find-unit.ts'
import type { SystemdFile } from './read-systemd.ts'
import type { SpecifierContext } from './specifiers.ts'
import type { UnitMessage } from './unit-message.ts'
import { defaultSlice, isLoadableName, isSliceName, parseUnitName, type UnitNameError } from './unit-name.ts'
import { systemSearchPath, type UnitSearchPath } from './unit-search-path.ts'
import { compareBytes, isMask, type UnitTree } from './unit-tree.ts'

/** What a unit is loaded with, beside its files. */
export type LoadOptions = {
  /** The machine, for specifiers; `fragmentPath` is filled in by the loader. */
  readonly context: SpecifierContext
  /** The system manager's unless given. */
  readonly searchPath?: UnitSearchPath
  /** `mapUnitFiles(tree, searchPath)`, for callers that load many units of one tree. */
  readonly files?: UnitFileMap
}

/** A unit of a tree as systemd loads it: its state, its names, its files and what they come to. */
export type LoadedUnit = {
  readonly loadState: LoadState | 'not-found'
  /** The main name: that of the file at the end of all aliases, with the instance put in. */
  readonly id: string
  /** All names, sorted. */
  readonly names: readonly string[]
  /** Path of the main file. */
  readonly fragment?: string
  /** Paths in order of application, masked ones included. */
  readonly dropIns: readonly string[]
  /** By assignments and by links in `.wants/`, sorted; without those that systemd adds by itself. */
  readonly wants: readonly string[]
  /** By assignments and by links in `.requires/`, and a slice's parent, sorted. */
  readonly requires: readonly string[]
  /** What is said while the unit is looked for and read, in this order. */
  readonly messages: readonly UnitMessage[]
  /** What the files add up to; absent when there are none. */
  readonly evaluation?: UnitEvaluation
}

/** Why a name cannot be loaded, whatever files there are. */
export type LoadError = UnitNameError | { readonly kind: 'template' | 'no-instances-of-type'; readonly message: string }

/**
 * Loads a unit by one of its names.
 *
 * @param name complete; refused if it is none, a template, or an instance of a type that has no instances
 */
export function loadUnit(tree: UnitTree, name: string, options: LoadOptions): Result<LoadedUnit, LoadError> {
  const { context, searchPath = systemSearchPath, files = mapUnitFiles(tree, searchPath) } = options
  const parsed = parseUnitName(name)
  if (!parsed.ok) return parsed
  const unit = parsed.value
  if (unit.kind === 'template') {
    return err({ kind: 'template', message: `Unit name ${name} is missing the instance name.` })
  }
  if (!isLoadableName(unit)) {
    return err({ kind: 'no-instances-of-type', message: `“${name}”: units of type ${unit.type} have no instances` })
  }
  const found = findUnit(files, unit)
  const main = found.fragment === undefined ? undefined : readMain(tree, found.fragment)
  if (main === undefined && !(found.fragment === undefined && unit.type === 'slice')) {
    return ok(notFound(name, files, found.fragment))
  }
  const { fragmentPath: _other, ...machine } = context
  const specifiers = main === undefined ? machine : { ...machine, fragmentPath: tree.realPath(main.path) ?? main.path }
  const sources = {
    unitName: found.id,
    aliases: found.names,
    mainName: name,
    specifiers,
    ...(main === undefined ? {} : { main }),
  }

  // A main file that cannot be read to its end ends the loading: drop-ins and other names do not come into play.
  const alone = evaluateUnit({ ...sources, unitName: name, aliases: [] })
  if (alone.mainFile === 'stopped') {
    return ok({
      loadState: alone.loadState,
      id: name,
      names: [name],
      ...(main === undefined ? {} : { fragment: main.path }),
      dropIns: [],
      ...dependenciesOf(files, alone, [], []),
      messages: messagesOf(alone),
      evaluation: alone,
    })
  }

  const dropIns = findDropIns(tree, searchPath, found)
  const wants = findDependencyLinks(tree, searchPath, found, 'wants')
  const requires = findDependencyLinks(tree, searchPath, found, 'requires')
  // A link to the unit itself says nothing.
  const others = (units: readonly string[]): readonly string[] => units.filter((name) => !found.names.includes(name))
  const evaluation = evaluateUnit({
    ...sources,
    linkMessages: [...wants.messages, ...requires.messages],
    dropIns: dropIns.map((path) => readDropIn(tree, path)),
  })
  return ok({
    loadState: evaluation.loadState,
    id: found.id,
    names: found.names,
    ...(main === undefined ? {} : { fragment: main.path }),
    dropIns,
    ...dependenciesOf(files, evaluation, others(wants.units), [
      ...others(requires.units),
      ...(evaluation.loadState === 'loaded' ? parentSlice(found.id) : []),
    ]),
    messages: messagesOf(evaluation),
    evaluation,
  })
}

type File = SystemdFile & { readonly path: string }

/** Absent: a link that leads nowhere, or something that is no file. A mask is an empty text. */
function readMain(tree: UnitTree, path: string): File | undefined {
  const node = tree.follow(path)
  if (isMask(node)) return { path, text: '' }
  return node?.kind === 'file' ? { path, text: node.content } : undefined
}

/** What cannot be read counts as empty: it hides the same name in lower places and changes nothing. */
const readDropIn = (tree: UnitTree, path: string): File => readMain(tree, path) ?? { path, text: '' }

function notFound(name: string, { messages }: UnitFileMap, fragment: string | undefined): LoadedUnit {
  const unreadable =
    fragment === undefined
      ? []
      : [{ priority: 'notice' as const, text: `${name}: Failed to open ${fragment}: No such file or directory` }]
  return {
    loadState: 'not-found',
    id: name,
    names: [name],
    dropIns: [],
    wants: [],
    requires: [],
    messages: [...messages.filter(({ text }) => text.startsWith(`${name}: `)), ...unreadable],
  }
}

/** Verdicts name the unit; what is said about a line names its file. */
const messagesOf = ({ messages, unitName }: UnitEvaluation): readonly UnitMessage[] =>
  messages.map(({ unit = unitName, ...message }) =>
    message.line === undefined ? { ...message, text: `${unit}: ${message.text}` } : message,
  )

/** Dependencies under the main names of the units they lead to. */
function dependenciesOf(
  files: UnitFileMap,
  { dependencies }: UnitEvaluation,
  wantedByLink: readonly string[],
  requiredByLink: readonly string[],
): Pick<LoadedUnit, 'wants' | 'requires'> {
  const merged = (key: string, links: readonly string[]): readonly string[] => {
    const names = [...(dependencies.get(key) ?? []), ...links].map((name) => {
      const parts = parseUnitName(name)
      return parts.ok ? findUnit(files, parts.value).id : name
    })
    return [...new Set(names)].sort(compareBytes)
  }
  return { wants: merged('Wants', wantedByLink), requires: merged('Requires', requiredByLink) }
}

/** A slice requires the slice that it lies in, unless that is the root. */
function parentSlice(id: string): readonly string[] {
  const parts = parseUnitName(id)
  if (!parts.ok || !isSliceName(parts.value)) return []
  const parent = defaultSlice(parts.value)
  return parent === undefined || parent === '-.slice' ? [] : [parent]
}
