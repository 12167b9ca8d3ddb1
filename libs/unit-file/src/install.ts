/**
 * What `systemctl enable`, `link`, `mask` and `is-enabled` do to a tree of files, as values: nothing is written, the
 * links to make come out. Rules: systemd 252, spec/unit-files.md §8.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { isCompatibleLink } from './drop-ins.ts'
import { aliasRefusal, instantiate, linkTarget, templateOf } from './find-unit.ts'
import { baseName, parentPath } from './path-text.ts'
import { parseUnitFile, type UnitFileBlock } from './source.ts'
import { expandInstallSpecifiers, type SpecifierContext } from './specifiers.ts'
import { mangleUnitName, parseUnitName, type UnitNameParts } from './unit-name.ts'
import { systemSearchPath, type UnitSearchPath } from './unit-search-path.ts'
import { compareBytes, isMask, type UnitTree } from './unit-tree.ts'
import { plainWords, quotedRawWords, splitWords } from './words.ts'

export type InstallOptions = {
  /** The machine, for specifiers in `[Install]`. */
  readonly context: SpecifierContext
  /** The system manager's unless given. */
  readonly searchPath?: UnitSearchPath
  /** `runtime`: links that vanish with a reboot, as `--runtime` makes them. */
  readonly lifetime?: 'permanent' | 'runtime'
}

export type UnitLink = { readonly path: string; readonly to: string }

export type InstallOutcome = {
  readonly exit: 0 | 1
  /** Symbolic links to make, in place of what is there, sorted by path. Also filled where a part has failed. */
  readonly links: readonly UnitLink[]
  /** What systemctl says, without its lines about links made. */
  readonly messages: readonly string[]
  /** Units that links lead to though no file of theirs exists; systemctl warns of them. */
  readonly absentUnits: readonly string[]
}

/** The words of `systemctl is-enabled`. */
export type UnitFileState =
  | 'enabled'
  | 'enabled-runtime'
  | 'linked'
  | 'linked-runtime'
  | 'alias'
  | 'masked'
  | 'masked-runtime'
  | 'static'
  | 'indirect'
  | 'disabled'
  | 'generated'
  | 'transient'
  | 'not-found'

export type EnabledOutcome = {
  /** 0 as soon as one of the units is enabled in some way, static and indirect included. */
  readonly exit: 0 | 1
  /** One for each name, in their order; nothing behind a name that has no file. */
  readonly states: readonly UnitFileState[]
  readonly messages: readonly string[]
}

/**
 * `systemctl enable NAME…`: the links that `[Install]` of these units asks for.
 *
 * @param names names as a person types them, or absolute paths of files outside of the search path
 */
export function enableUnits(tree: UnitTree, names: readonly string[], options: InstallOptions): InstallOutcome {
  const run = createRun(tree, options)
  for (const name of names) {
    const added = addNamed(run, name)
    if (!added.ok) return failed(run, 'enable', added.error)
  }
  let rules = 0
  let firstFailure: string | undefined
  // The list grows while it is walked: by aliases' targets and by what Also= names.
  for (const entry of run.waiting.values()) {
    const found = discover(run, entry)
    if (!found.ok) {
      if (!entry.auxiliary) return failed(run, 'enable', firstFailure ?? found.error)
      run.messages.push(`Failed to enable auxiliary unit ${entry.name}, ignoring.`)
    } else if (found.value.kind === 'masked') {
      run.messages.push(`Unit ${entry.name} is masked, ignoring.`)
      rules++
    } else if (found.value.kind === 'regular') {
      const applied = apply(run, found.value)
      rules += applied.rules
      firstFailure ??= applied.failure
    }
  }
  if (firstFailure !== undefined) return failed(run, 'enable', firstFailure)
  if (rules === 0) run.messages.push(nothingToInstall)
  return outcome(run, 0)
}

/** `systemctl link PATH…`: files outside of the search path, made known under their own names. */
export function linkUnits(tree: UnitTree, paths: readonly string[], options: InstallOptions): InstallOutcome {
  const run = createRun(tree, options)
  for (const path of paths) {
    const name = baseName(path)
    const node = tree.look(path)
    if (!path.startsWith('/') || !parseUnitName(name).ok) return failed(run, 'link', `File ${path}: Invalid argument`)
    if (node === undefined) return failed(run, 'link', `Unit file ${path} does not exist.`)
    if (node.kind !== 'file') return failed(run, 'link', `Refusing to operate on linked unit file ${path}.`)
    if (run.searchPath.directories.includes(parentPath(path))) continue
    const failure = link(run, `${run.directory}/${name}`, path, 'kept')
    if (failure !== undefined) return failed(run, 'link', failure)
  }
  return outcome(run, 0)
}

/** `systemctl mask NAME…`: links to `/dev/null`, so that the units cannot be started in any way. */
export function maskUnits(tree: UnitTree, names: readonly string[], options: InstallOptions): InstallOutcome {
  const run = createRun(tree, options)
  for (const typed of names) {
    const name = mangleUnitName(typed)
    if (!name.ok) return failed(run, 'mask', name.error.message)
    if (!existsInSearchPath(run, name.value)) run.messages.push(`Unit ${name.value} does not exist, proceeding anyway.`)
    const failure = link(run, `${run.directory}/${name.value}`, '/dev/null', 'kept')
    if (failure !== undefined) return failed(run, 'mask', failure)
  }
  return outcome(run, 0)
}

/** `systemctl is-enabled NAME…`. */
export function unitFileStates(tree: UnitTree, names: readonly string[], options: InstallOptions): EnabledOutcome {
  const states: UnitFileState[] = []
  for (const typed of names) {
    const name = mangleUnitName(typed)
    const run = createRun(tree, options)
    const found = name.ok ? follow(run, { name: name.value, auxiliary: false }) : err('')
    if (!name.ok || !found.ok) {
      const message = `Failed to get unit file state for ${name.ok ? name.value : typed}: No such file or directory`
      return { exit: 1, states, messages: [message] }
    }
    states.push(stateOf(run, name.value, found.value))
  }
  const isOn = states.some(
    (state) => !['disabled', 'masked', 'masked-runtime', 'linked', 'linked-runtime'].includes(state),
  )
  return { exit: isOn ? 0 : 1, states, messages: [] }
}

const nothingToInstall =
  'The unit files have no installation config (WantedBy=, RequiredBy=, Also= or Alias= in [Install], DefaultInstance= in a template), so there is nothing to enable.'

type Waiting = { readonly name: string; readonly path?: string; readonly auxiliary: boolean }

type Run = {
  readonly tree: UnitTree
  readonly context: SpecifierContext
  readonly searchPath: UnitSearchPath
  /** Where links go. */
  readonly directory: string
  readonly waiting: Map<string, Waiting>
  readonly links: Map<string, string>
  readonly messages: string[]
  readonly absentUnits: Set<string>
}

function createRun(tree: UnitTree, options: InstallOptions): Run {
  const { context, searchPath = systemSearchPath, lifetime = 'permanent' } = options
  const directory = lifetime === 'runtime' ? searchPath.runtimeDirectory : searchPath.configDirectory
  return {
    tree,
    context,
    searchPath,
    directory,
    waiting: new Map(),
    links: new Map(),
    messages: [],
    absentUnits: new Set(),
  }
}

const outcome = ({ links, messages, absentUnits }: Run, exit: 0 | 1): InstallOutcome => ({
  exit,
  links: [...links].map(([path, to]) => ({ path, to })).sort((one, other) => compareBytes(one.path, other.path)),
  messages,
  absentUnits: [...absentUnits],
})

/** The manager answers with its first error only; what it has warned of before is lost with the answer. */
const failed = (run: Run, verb: string, reason: string): InstallOutcome => ({
  ...outcome(run, 1),
  messages: [`Failed to ${verb} unit: ${reason}`],
})

/** Notes a unit that was asked for, after a first look that refuses what cannot be enabled at all. */
function addNamed(run: Run, typed: string): Result<void, string> {
  const byPath = typed.startsWith('/')
  const name = byPath ? ok(baseName(typed)) : mangleUnitName(typed)
  if (!name.ok) return err(name.error.message)
  const entry = { name: name.value, auxiliary: false, ...(byPath ? { path: typed } : {}) }
  run.waiting.set(entry.name, entry)
  const found = follow(run, entry)
  if (!found.ok) return found
  const { kind, path } = found.value
  if (kind === 'masked') return err(`Unit file ${path} is masked.`)
  const { generatorDirectories, transientDirectory } = run.searchPath
  if ([...generatorDirectories, transientDirectory].includes(parentPath(path))) {
    return err(`Unit ${path} is transient or generated.`)
  }
  return ok(undefined)
}

type Found =
  | { readonly kind: 'regular'; readonly unit: UnitNameParts; readonly path: string }
  | { readonly kind: 'masked'; readonly path: string }
  | { readonly kind: 'alias'; readonly target: string; readonly path: string }

const aliasHopsMax = 64

/** The file of a unit, at the end of all aliases; these come to the list of units to look at. */
function follow(run: Run, start: Waiting): Result<Exclude<Found, { kind: 'alias' }>, string> {
  let entry = start
  for (let hops = 0; hops < aliasHopsMax; hops++) {
    const found = discover(run, entry)
    if (!found.ok) return found
    if (found.value.kind !== 'alias') return ok(found.value)
    entry = { name: found.value.target, auxiliary: false }
    if (!run.waiting.has(entry.name)) run.waiting.set(entry.name, entry)
  }
  return err(`Refusing to operate on linked unit file ${start.name}.`)
}

function discover(run: Run, { name, path }: Waiting): Result<Found, string> {
  const unit = parseUnitName(name)
  if (!unit.ok) return err(`"${name}" is not a valid unit name.`)
  const missing = err(`Unit file ${path ?? name} does not exist.`)
  const places = path === undefined ? placesOf(run, name) : [path]
  const place = places.find((candidate) => run.tree.look(candidate) !== undefined)
  if (place === undefined) return missing
  const node = run.tree.look(place)
  if (node?.kind === 'file')
    return ok(isMask(node) ? { kind: 'masked', path: place } : { kind: 'regular', unit: unit.value, path: place })
  if (node?.kind !== 'link') return missing
  const target = linkTarget(run.tree, run.searchPath.directories, parentPath(place), baseName(place), node.target)
  if (target.kind === 'refused') return err(`Refusing to operate on linked unit file ${place}.`)
  const end = run.tree.follow(target.path)
  if (isMask(end)) return ok({ kind: 'masked', path: place })
  if (target.kind === 'linked') {
    return end?.kind === 'file' ? ok({ kind: 'regular', unit: unit.value, path: target.path }) : missing
  }
  const alias = instantiate(target.name, unit.value.instance) ?? target.name
  // A link from an instance to its own template says nothing new.
  if (alias === name && end?.kind === 'file') return ok({ kind: 'regular', unit: unit.value, path: target.path })
  return ok({ kind: 'alias', target: alias, path: place })
}

function placesOf({ searchPath: { directories } }: Run, name: string): readonly string[] {
  const names = [...new Set([name, templateOf(name) ?? name])]
  return names.flatMap((candidate) => directories.map((directory) => `${directory}/${candidate}`))
}

const existsInSearchPath = (run: Run, name: string): boolean =>
  placesOf(run, name).some((place) => run.tree.look(place) !== undefined)

type Rules = {
  readonly aliases: readonly string[]
  readonly wantedBy: readonly string[]
  readonly requiredBy: readonly string[]
  readonly also: readonly string[]
  readonly defaultInstance?: string
}

/** `[Install]` of the file and of the drop-ins of the unit's name and its template; other levels do not count here. */
function readRules(run: Run, unit: UnitNameParts, path: string): Rules {
  const template = templateOf(unit.name)
  const dropIns = new Map<string, string>()
  for (const name of new Set([unit.name, template ?? unit.name])) {
    for (const directory of run.searchPath.directories) {
      for (const file of run.tree.list(`${directory}/${name}.d`)) {
        if (file.endsWith('.conf') && !file.startsWith('.') && !dropIns.has(file)) {
          dropIns.set(file, `${directory}/${name}.d/${file}`)
        }
      }
    }
  }
  const files = [path, ...[...dropIns].sort(([one], [other]) => compareBytes(one, other)).map(([, file]) => file)]
  const lists = {
    Alias: new Set<string>(),
    WantedBy: new Set<string>(),
    RequiredBy: new Set<string>(),
    Also: new Set<string>(),
  }
  let defaultInstance: string | undefined
  for (const { key, value } of files.flatMap((file) => installAssignments(run.tree, file))) {
    if (key === 'DefaultInstance') {
      if (unit.kind === 'template') defaultInstance = readDefaultInstance(run, unit, value) ?? defaultInstance
    } else if (key === 'Also') {
      for (const word of wordsOf(value, plainWords)) lists.Also.add(word)
    } else if (key === 'Alias' || key === 'WantedBy' || key === 'RequiredBy') {
      if (value === '') lists[key].clear()
      for (const word of wordsOf(value, quotedRawWords)) lists[key].add(word)
    }
  }
  const mayHaveAliases = !['slice', 'swap', 'mount', 'automount', 'scope'].includes(unit.type)
  return {
    aliases: mayHaveAliases ? [...lists.Alias] : [],
    wantedBy: [...lists.WantedBy],
    requiredBy: [...lists.RequiredBy],
    also: [...lists.Also],
    ...(defaultInstance ? { defaultInstance } : {}),
  }
}

/** `''` takes an earlier instance back; absent: the value is no instance and changes nothing. */
function readDefaultInstance(run: Run, unit: UnitNameParts, value: string): string | undefined {
  const expanded = expandInstallSpecifiers(unit.name, value, run.context)
  if (!expanded.ok) return undefined
  return expanded.value === '' || instantiate(unit.name, expanded.value) !== undefined ? expanded.value : undefined
}

function wordsOf(value: string, syntax: typeof plainWords): readonly string[] {
  const words = splitWords(value, syntax)
  return words.ok ? words.value : []
}

function installAssignments(tree: UnitTree, path: string): readonly { readonly key: string; readonly value: string }[] {
  const node = tree.follow(path)
  if (node?.kind !== 'file') return []
  const blocks = parseUnitFile(node.content).blocks
  // A broken header ends a file, here as everywhere.
  const end = blocks.findIndex(
    (block) => block.kind === 'overlong' || (block.kind === 'junk' && block.reason === 'broken-header'),
  )
  return blocks.slice(0, end === -1 ? undefined : end).filter(isInstallAssignment)
}

const isInstallAssignment = (block: UnitFileBlock): block is Extract<UnitFileBlock, { kind: 'assignment' }> =>
  block.kind === 'assignment' && block.section === 'Install'

type Applied = { readonly rules: number; readonly failure?: string }

/** The links of one unit: aliases, then wants, then requires, then the file itself where it lies elsewhere. */
function apply(run: Run, { unit, path }: Extract<Found, { kind: 'regular' }>): Applied {
  const rules = readRules(run, unit, path)
  const failures: string[] = []
  let count = 0
  const name =
    rules.defaultInstance === undefined ? unit.name : (instantiate(unit.name, rules.defaultInstance) ?? unit.name)
  const expand = (word: string): string | undefined => {
    const expanded = expandInstallSpecifiers(name, word, run.context)
    if (expanded.ok) return expanded.value
    failures.push(`Invalid specifier in ${word}.`)
    return undefined
  }
  const make = (linkPath: string, existing: 'kept' | 'replaced'): void => {
    const failure = link(run, linkPath, path, existing)
    if (failure === undefined) count++
    else failures.push(failure)
  }

  for (const word of rules.also) {
    const also = expand(word)
    if (also !== undefined && !run.waiting.has(also)) run.waiting.set(also, { name: also, auxiliary: true })
  }
  for (const word of rules.aliases) {
    const alias = expand(word)
    if (alias === undefined) continue
    const verified = verifyAlias(alias, unit)
    if (!verified.ok) failures.push(verified.error)
    else if (verified.value !== undefined) make(`${run.directory}/${verified.value}`, 'kept')
  }
  for (const [words, suffix] of [
    [rules.wantedBy, 'wants'],
    [rules.requiredBy, 'requires'],
  ] as const) {
    for (const word of words) {
      const wanting = expand(word)
      if (wanting === undefined) continue
      const parts = parseUnitName(wanting)
      if (!parts.ok) failures.push(`"${wanting}" is not a valid unit name.`)
      else if (parts.value.kind === 'plain' && templateOf(name) === name) {
        failures.push(`Destination unit ${wanting} is a non-template unit.`)
      } else {
        make(`${run.directory}/${wanting}.${suffix}/${name}`, 'replaced')
        if (!existsInSearchPath(run, wanting)) run.absentUnits.add(wanting)
      }
    }
  }
  if (!run.searchPath.directories.includes(parentPath(path))) {
    const failure = link(run, `${run.directory}/${unit.name}`, path, 'kept')
    if (failure !== undefined) failures.push(failure)
  }
  const [failure] = failures
  return failure === undefined ? { rules: count } : { rules: count, failure }
}

/** The alias with the unit's instance put in; absent for the unit itself. */
function verifyAlias(alias: string, unit: UnitNameParts): Result<string | undefined, string> {
  const refused = (name: string): Result<never, string> => err(`Cannot alias ${unit.name} as ${name}.`)
  const slash = alias.lastIndexOf('/')
  if (slash !== -1) {
    // An old form of WantedBy=: an alias in another unit's directory.
    const wanting = /^(.+)\.(?:wants|requires)$/.exec(alias.slice(0, slash))?.[1]
    const parts = parseUnitName(wanting ?? '')
    const fits = parts.ok && isCompatibleLink(alias.slice(slash + 1), unit.name, parts.value.kind === 'template')
    return fits ? ok(alias) : refused(alias)
  }
  const name = unit.kind === 'instance' ? (instantiate(alias, unit.instance) ?? alias) : alias
  const refusal = aliasRefusal(name, unit.name)
  if (refusal === 'self') return ok(undefined)
  return refusal === undefined ? ok(name) : refused(name)
}

/** Notes a link to make unless it is there; why not, where something else stands in its place. */
function link(run: Run, path: string, to: string, existing: 'kept' | 'replaced'): string | undefined {
  const made = run.links.get(path)
  const node = run.tree.look(path)
  const target = made ?? (node?.kind === 'link' ? node.target : undefined)
  if (target === undefined && node !== undefined) return `File ${path} already exists.`
  if (target !== undefined) {
    const absolute = target.startsWith('/') ? target : `${parentPath(path)}/${target}`
    if (run.tree.realPath(absolute) === run.tree.realPath(to)) return undefined
    // A link that leads nowhere is in nobody's way.
    const isBroken = made === undefined && run.tree.follow(path) === undefined
    if (existing === 'kept' && !isBroken) return `File ${path} already exists and is a symlink to ${target}.`
  }
  run.links.set(path, to)
  return undefined
}

function stateOf(run: Run, name: string, found: Exclude<Found, { kind: 'alias' }>): UnitFileState {
  const directory = parentPath(found.path)
  const { generatorDirectories, transientDirectory, runtimeDirectories } = run.searchPath
  if (found.kind === 'masked') return runtimeDirectories.includes(directory) ? 'masked-runtime' : 'masked'
  const { unit, path } = found
  if (unit.kind !== 'instance' && baseName(path) !== name) return 'alias'
  if (generatorDirectories.includes(directory)) return 'generated'
  if (directory === transientDirectory) return 'transient'
  const rules = readRules(run, unit, path)
  const known = new Set([unit.name, ...rules.aliases, instantiate(unit.name, rules.defaultInstance ?? '') ?? unit.name])
  const enabled = stateByLinks(run, unit, path, (link) => known.has(link))
  if (enabled !== undefined) return enabled
  // Links by names that [Install] does not know: somebody uses the unit in a way of their own.
  if (stateByLinks(run, unit, path, () => true) !== undefined) return 'indirect'
  if (rules.aliases.length + rules.wantedBy.length + rules.requiredBy.length > 0) return 'disabled'
  return rules.also.length > 0 ? 'indirect' : 'static'
}

function stateByLinks(
  run: Run,
  unit: UnitNameParts,
  path: string,
  counts: (linkName: string) => boolean,
): UnitFileState | undefined {
  const { directories, configDirectory, runtimeDirectories } = run.searchPath
  let best: UnitFileState | undefined
  let elsewhere = false
  let linked: UnitFileState | undefined
  let isBelowFile = false
  for (const directory of directories) {
    const isRuntime = runtimeDirectories.includes(directory)
    const links = linksTo(run.tree, directory, unit.name, isBelowFile)
    if (links.names.some(counts)) {
      if (directory === configDirectory) return 'enabled'
      if (isRuntime) best = 'enabled-runtime'
      else elsewhere = true
    } else if (links.sameName) {
      if (directory === configDirectory) linked = 'linked'
      else if (isRuntime) linked ??= 'linked-runtime'
    }
    // Below the file itself its own name means nothing any more.
    if (parentPath(path) === directory) isBelowFile = true
  }
  if (best !== undefined) return best
  return elsewhere && unit.kind === 'instance' ? 'static' : linked
}

/** Names of links in a unit directory that make the unit start or give it another name. */
function linksTo(
  tree: UnitTree,
  directory: string,
  name: string,
  isBelowFile: boolean,
): { readonly names: readonly string[]; readonly sameName: boolean } {
  const names: string[] = []
  let sameName = false
  for (const entry of tree.list(directory)) {
    const path = `${directory}/${entry}`
    const node = tree.look(path)
    if (node?.kind === 'directory' && /\.(wants|requires)$/.test(entry)) {
      if (tree.look(`${path}/${name}`)?.kind === 'link') names.push(name)
    } else if (node?.kind === 'link') {
      const leadsToIt = baseName(node.target) === name
      const isNamedSo = entry === name && !isBelowFile
      if (leadsToIt && isNamedSo) sameName = true
      else if (leadsToIt || isNamedSo) names.push(entry)
    }
  }
  return { names, sameName }
}
