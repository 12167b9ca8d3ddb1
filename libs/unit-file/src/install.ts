/**
 * What `systemctl enable`, `link`, `mask` and `is-enabled` do to a tree of files, as values: nothing is written, the
 * links to make come out. Rules: systemd 252, spec/unit-files.md §8.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { encodeText } from './byte-text.ts'
import { isCompatibleLink, isIgnoredFile } from './drop-ins.ts'
import { aliasRefusal, instantiate, templateOf } from './find-unit.ts'
import {
  addInfo,
  expandFor,
  type InstallContext,
  type InstallFailure,
  type InstallInfo,
  isInstalled,
  nameForSpecifiers,
  peek,
  placesOnly,
  traverse,
} from './install-info.ts'
import { loadUnit } from './load-unit.ts'
import { baseName, isPathLength, parentPath, simplifyPath } from './path-text.ts'
import type { SpecifierContext } from './specifiers.ts'
import { isLoadableName, mangleRemarks, mangleUnitName, parseUnitName } from './unit-name.ts'
import { systemSearchPath, type UnitSearchPath } from './unit-search-path.ts'
import { compareBytes, type UnitTree } from './unit-tree.ts'

/** What enabling, linking and masking depend on. */
export type InstallOptions = {
  /** The machine, for specifiers in `[Install]`. */
  readonly context: SpecifierContext
  /** The system manager's unless given. */
  readonly searchPath?: UnitSearchPath
  /** `runtime`: links that vanish with a reboot, as `--runtime` makes them. */
  readonly lifetime?: 'permanent' | 'runtime'
}

/** A symbolic link: `path` leads to `to`. */
export type UnitLink = { readonly path: string; readonly to: string }

/** What a change of unit links comes to: the exit status, what to make and what to remove, and what is said. */
export type InstallOutcome = {
  readonly exit: 0 | 1
  /** Symbolic links to make, in place of what is there, sorted by path. Also filled where a part has failed. */
  readonly links: readonly UnitLink[]
  /** What systemctl says, without its lines about links made and about `absentUnits`. */
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

/** What `systemctl is-enabled` answers. */
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
  const typed = readNames(run, names, 'to enable')
  if (!typed.ok) return refused(run, typed.error)
  const unfit = lookAtServices(run, typed.value)
  if (unfit.length > 0) return refused(run, ...unfit)
  for (const name of typed.value) {
    const failure = discover(run, name)
    if (failure !== undefined) return refused(run, `Failed to enable unit: ${failure}`)
  }
  let rules = 0
  let failed = false
  // The list grows while it is walked: by aliases' targets and by what Also= names.
  for (const info of run.infos.values()) {
    const found = traverse(run, info, 'vendor-only')
    if (!found.ok && info.isAuxiliary) run.messages.push(`Failed to enable auxiliary unit ${info.name}, ignoring.`)
    else if (!found.ok) {
      note(run, found.error, info.name)
      failed = true
      break
    } else if (info.mode === 'masked') {
      run.messages.push(`Unit ${info.path} is masked, ignoring.`)
      if (!failed) rules++
    } else if (info.mode === 'regular') {
      const applied = apply(run, info)
      if (!applied.ok) failed = true
      else if (!failed) rules += applied.value
    }
  }
  const happened = run.links.size + run.messages.length - run.remarksSaid + run.absentUnits.size > 0
  const [failure] = run.failures
  // What is done already hides what went wrong after it, as long as the operation as a whole counts as done.
  if (failed || (failure !== undefined && !happened)) {
    return refused(run, `Failed to enable unit: ${failure ?? systemWords.invalid}`)
  }
  if (rules === 0) run.messages.push(nothingToInstall)
  return outcome(run, 0)
}

/** `systemctl link PATH…`: files outside of the search path, made known under their own names. */
export function linkUnits(tree: UnitTree, paths: readonly string[], options: InstallOptions): InstallOutcome {
  const run = createRun(tree, options)
  const typed = readNames(run, paths, 'to link')
  if (!typed.ok) return refused(run, typed.error)
  const relative = typed.value.find((path) => !path.startsWith('/'))
  if (relative !== undefined) {
    return refused(
      run,
      'Link argument must contain at least one directory separator.',
      `If you intended to link a file in the current directory, try ./${relative} instead.`,
    )
  }
  for (const path of typed.value) {
    const failure = linkFailure(run, path)
    if (failure !== undefined) return refused(run, `Failed to link unit: ${failureText(failure, simplifyPath(path))}`)
  }
  for (const path of new Set(typed.value)) {
    if (!isInDirectories(run, path)) link(run, `${run.directory}/${baseName(path)}`, path, 'kept')
  }
  return ended(run, 'link')
}

function linkFailure({ tree, searchPath: { directories } }: Run, path: string): InstallFailure | undefined {
  if (!parseUnitName(baseName(path)).ok) return 'bad-name'
  const node = tree.look(path)
  if (node === undefined) return 'missing'
  if (node.kind === 'link') return 'alias-or-link'
  if (node.kind === 'directory') return 'directory'
  const simple = simplifyPath(path)
  if (directories.includes(parentPath(simple))) return undefined
  return directories.some((directory) => simple.startsWith(`${directory}/`)) ? 'unit-directory' : undefined
}

/** `systemctl mask NAME…`: links to `/dev/null`, so that the units cannot be started in any way. */
export function maskUnits(tree: UnitTree, names: readonly string[], options: InstallOptions): InstallOutcome {
  const run = createRun(tree, options)
  const typed = readNames(run, names, 'to mask')
  if (!typed.ok) return refused(run, typed.error)
  const unnamed = typed.value.find((name) => !isBusName(name))
  for (const name of typed.value.slice(0, unnamed === undefined ? undefined : typed.value.indexOf(unnamed))) {
    if (!isKnownUnit(run, name)) run.messages.push(`Unit ${name} does not exist, proceeding anyway.`)
  }
  if (unnamed !== undefined) {
    const reason = parseUnitName(unnamed).ok
      ? `Unknown object '${busPath(unnamed)}'.`
      : `Unit name ${unnamed} is neither a valid invocation ID nor unit name.`
    return { ...outcome(run, 1), messages: [...run.messages, `Failed to get properties: ${reason}`] }
  }
  for (const name of typed.value) link(run, `${run.directory}/${name}`, '/dev/null', 'kept')
  return ended(run, 'mask')
}

/** Whether the manager has an object for a unit of this name, or the name is a template's, for which none is needed. */
function isBusName(name: string): boolean {
  const parts = parseUnitName(name)
  return parts.ok && (parts.value.kind === 'template' || isLoadableName(parts.value))
}

/** The object of a unit on the bus. */
const busPath = (name: string): string =>
  `/org/freedesktop/systemd1/unit/${Array.from(encodeText(name), (byte, index) => {
    const character = String.fromCharCode(byte)
    const isPlain = /[A-Za-z]/.test(character) || (index > 0 && /[0-9]/.test(character))
    return isPlain ? character : `_${byte.toString(16).padStart(2, '0')}`
  }).join('')}`

/** Whether the manager would load something under this name. */
function isKnownUnit(run: Run, name: string): boolean {
  const { tree, searchPath, machine } = run
  if (parseUnitName(name).ok && templateOf(name) === name) {
    return searchPath.directories.some((directory) => tree.follow(`${directory}/${name}`) !== undefined)
  }
  const loaded = loadUnit(tree, name, { context: machine, searchPath })
  return loaded.ok && loaded.value.loadState !== 'not-found'
}

/** `systemctl is-enabled NAME…`. */
export function unitFileStates(tree: UnitTree, names: readonly string[], options: InstallOptions): EnabledOutcome {
  const remarks = createRun(tree, options)
  const typed = readNames(remarks, names, 'to check')
  if (!typed.ok) return { exit: 1, states: [], messages: [...remarks.messages, typed.error] }
  const unfit = lookAtServices(remarks, typed.value)
  if (unfit.length > 0) return { exit: 1, states: [], messages: [...remarks.messages, ...unfit] }
  const states: UnitFileState[] = []
  for (const name of typed.value) {
    const run = createRun(tree, options)
    const info = name.startsWith('/') ? err('invalid' as const) : addInfo(run, name, 'named')
    const found = info.ok ? traverse(run, info.value, 'all') : info
    if (!found.ok) {
      const message = `Failed to get unit file state for ${name}: ${systemWords[found.error]}`
      return { exit: 1, states, messages: [...remarks.messages, message] }
    }
    states.push(stateOf(run, name, found.value))
  }
  const isOn = states.some((state) => onStates.has(state))
  return { exit: isOn ? 0 : 1, states, messages: remarks.messages }
}

const onStates: ReadonlySet<UnitFileState> = new Set([
  'enabled',
  'enabled-runtime',
  'static',
  'alias',
  'indirect',
  'generated',
])

const nothingToInstall =
  'The unit files have no installation config (WantedBy=, RequiredBy=, Also= or Alias= in [Install], DefaultInstance= in a template), so there is nothing to enable.'

type Run = InstallContext & {
  /** Where links go. */
  readonly directory: string
  readonly links: Map<string, string>
  readonly messages: string[]
  /** How many of the messages were said before anything was done. */
  remarksSaid: number
  /** In words; only the first is ever shown. */
  readonly failures: string[]
  readonly absentUnits: Set<string>
}

function createRun(tree: UnitTree, options: InstallOptions): Run {
  const { context, searchPath = systemSearchPath, lifetime = 'permanent' } = options
  return {
    tree,
    machine: context,
    depth: 'contents',
    remarks: [],
    searchPath,
    infos: new Map(),
    directory: lifetime === 'runtime' ? searchPath.runtimeDirectory : searchPath.configDirectory,
    links: new Map(),
    messages: [],
    remarksSaid: 0,
    failures: [],
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
const refused = (run: Run, ...reasons: readonly string[]): InstallOutcome => ({
  ...outcome(run, 1),
  messages: [...run.messages.slice(0, run.remarksSaid), ...reasons],
})

function ended(run: Run, verb: string): InstallOutcome {
  const [failure] = run.failures
  if (failure === undefined) return outcome(run, 0)
  return { ...outcome(run, 1), messages: [...run.messages, `Failed to ${verb} unit: ${failure}`] }
}

/** What a person typed, as names and absolute paths; how names were changed is said. */
function readNames(run: Run, names: readonly string[], operation: string): Result<readonly string[], string> {
  const read: string[] = []
  for (const typed of names) {
    if (typed.includes('/')) {
      read.push(typed.startsWith('/') ? typed : `/${typed}`)
      continue
    }
    run.messages.push(...mangleRemarks(typed, operation))
    run.remarksSaid = run.messages.length
    const name = mangleUnitName(typed)
    if (!name.ok) return err(`Failed to mangle unit name or path '${typed}': ${systemWords.invalid}`)
    read.push(name.value)
  }
  return ok(read)
}

/**
 * What systemctl finds wrong with services before it asks the manager: it looks whether they are there, to try scripts
 * of old otherwise.
 */
function lookAtServices(run: Run, names: readonly string[]): readonly string[] {
  for (const name of names.filter((typed) => typed.endsWith('.service') && !typed.startsWith('/'))) {
    const places = placesOnly(run)
    const info = addInfo(places, name, 'named')
    const found = info.ok ? traverse(places, info.value, 'vendor-only') : info
    if (found.ok || found.error === 'missing' || found.error === 'alias-or-link') continue
    return [...places.remarks, `Failed to look up unit file state: ${systemWords[found.error]}`]
  }
  return []
}

const systemWords: Readonly<Record<InstallFailure, string>> = {
  'alias-or-link': 'Too many levels of symbolic links',
  'bad-name': 'Structure needs cleaning',
  'bad-reference': 'Invalid cross-device link',
  'bad-specifier': 'Invalid slot',
  'broken-header': 'Bad message',
  'broken-link': 'Link has been severed',
  directory: 'Is a directory',
  exists: 'File exists',
  generated: 'Cannot assign requested address',
  invalid: 'Invalid argument',
  masked: 'Operation not possible due to RF-kill',
  missing: 'No such file or directory',
  'no-template': 'Identifier removed',
  'too-long': 'File name too long',
  'too-long-line': 'No buffer space available',
  'unit-directory': 'Text file busy',
}

/** What the manager says of a failure. */
function failureText(failure: InstallFailure, subject: string): string {
  switch (failure) {
    case 'alias-or-link':
      return `Refusing to operate on alias name or linked unit file: ${subject}`
    case 'bad-name':
      return `"${subject}" is not a valid unit name.`
    case 'bad-reference':
      return `Invalid unit reference ${subject}.`
    case 'bad-specifier':
      return `Invalid specifier in ${subject}.`
    case 'exists':
      return `File ${subject} already exists.`
    case 'generated':
      return `Unit ${subject} is transient or generated.`
    case 'masked':
      return `Unit file ${subject} is masked.`
    case 'missing':
      return `Unit file ${subject} does not exist.`
    case 'no-template':
      return `Destination unit ${subject} is a non-template unit.`
    case 'unit-directory':
      return `File ${subject} is under the systemd unit hierarchy already.`
    default:
      return `File ${subject}: ${systemWords[failure]}`
  }
}

/** Subjects are shown as paths are, without slashes that say nothing. */
const note = (run: Run, failure: InstallFailure, subject: string): void =>
  void run.failures.push(failureText(failure, simplifyPath(subject)))

/** Notes a unit that was asked for; why it cannot be enabled at all. */
function discover(run: Run, nameOrPath: string): string | undefined {
  const info = addInfo(run, nameOrPath, 'named')
  const found = info.ok ? traverse(run, info.value, 'all') : info
  if (!found.ok) return failureText(found.error, simplifyPath(nameOrPath))
  const { mode, path = '' } = found.value
  if (mode === 'masked') return failureText('masked', simplifyPath(path))
  const { generatorDirectories, transientDirectory } = run.searchPath
  const isMade = [...generatorDirectories, transientDirectory].includes(parentPath(path))
  return isMade ? failureText('generated', simplifyPath(path)) : undefined
}

const isInDirectories = ({ searchPath: { directories } }: Run, path: string): boolean =>
  directories.includes(parentPath(simplifyPath(path)))

/** How many links a unit asks for; not ok: what went wrong counts. */
type Applied = Result<number, 'failed'>

/** The links of one unit: the file itself where it lies elsewhere, then aliases, then wants, then requires. */
function apply(run: Run, info: InstallInfo): Applied {
  const path = info.path ?? ''
  if (!isInDirectories(run, path) && !link(run, `${run.directory}/${info.name}`, path, 'kept')) return err('failed')
  let result = applyAliases(run, info, path)
  for (const [words, suffix] of [
    [info.wantedBy, 'wants'],
    [info.requiredBy, 'requires'],
  ] as const) {
    const applied = applyDependencies(run, info, path, words, suffix)
    // The first list that asks for anything decides for all.
    if (result.ok && result.value === 0) result = applied
  }
  return result
}

function applyAliases(run: Run, info: InstallInfo, path: string): Applied {
  let count = 0
  let failed = false
  for (const word of info.aliases) {
    const alias = expandFor(run, info, word)
    if (!alias.ok) note(run, alias.error, word)
    const verified = alias.ok ? verifyAlias(run, alias.value, info) : err('failed' as const)
    if (verified.ok && verified.value === undefined) continue
    if (verified.ok && link(run, `${run.directory}/${verified.value}`, path, 'kept')) count = 1
    else failed = true
  }
  return failed ? err('failed') : ok(count)
}

function applyDependencies(
  run: Run,
  info: InstallInfo,
  path: string,
  words: readonly string[],
  suffix: 'wants' | 'requires',
): Applied {
  if (words.length === 0) return ok(0)
  const name = nameForSpecifiers(info)
  if (info.defaultInstance !== undefined) {
    const instance = name === info.name ? err('invalid' as const) : peek(run, name)
    if (!instance.ok) {
      run.failures.push(systemWords[instance.error])
      return err('failed')
    }
    if (instance.value.mode === 'masked') {
      note(run, 'masked', instance.value.path ?? '')
      return err('failed')
    }
  }
  let failed = false
  for (const word of words) {
    const wanting = expandFor(run, info, word)
    const parts = wanting.ok ? parseUnitName(wanting.value) : wanting
    if (!wanting.ok) note(run, wanting.error, word)
    else if (!parts.ok) note(run, 'bad-name', wanting.value)
    else if (parts.value.kind === 'plain' && templateOf(name) === name) note(run, 'no-template', wanting.value)
    else {
      if (!link(run, `${run.directory}/${wanting.value}.${suffix}/${name}`, path, 'replaced')) failed = true
      if (!isInstalled(run, wanting.value)) run.absentUnits.add(wanting.value)
      continue
    }
    failed = true
  }
  return failed ? err('failed') : ok(1)
}

/** The alias with the unit's instance put in; absent for the unit itself. */
function verifyAlias(run: Run, alias: string, { name }: InstallInfo): Result<string | undefined, 'failed'> {
  const cannot = (shown: string): Result<never, 'failed'> => {
    run.failures.push(`Cannot alias ${name} as ${simplifyPath(shown)}.`)
    return err('failed')
  }
  const slash = alias.lastIndexOf('/')
  if (slash !== -1) {
    // An old form of WantedBy=: an alias in another unit's directory.
    const wanting = parseUnitName(/^(.+)\.(?:wants|requires)\/*$/.exec(alias.slice(0, slash))?.[1] ?? '')
    if (!wanting.ok) {
      note(run, 'bad-reference', alias)
      return err('failed')
    }
    const fits = isCompatibleLink(alias.slice(slash + 1), name, wanting.value.kind === 'template')
    return fits ? ok(alias) : cannot(alias)
  }
  const unit = parseUnitName(name)
  const filled = unit.ok && unit.value.kind === 'instance' ? (instantiate(alias, unit.value.instance) ?? alias) : alias
  const refusal = aliasRefusal(filled, name)
  if (refusal?.kind === 'circle') return ok(undefined)
  return refusal === undefined ? ok(filled) : cannot(filled)
}

/** Notes a link to make unless it is there; false, and why, where something else stands in its place. */
function link(run: Run, path: string, to: string, existing: 'kept' | 'replaced'): boolean {
  if (!isPathLength(path)) {
    note(run, 'too-long', path)
    return false
  }
  const made = run.links.get(path)
  const node = run.tree.look(path)
  const target = made ?? (node?.kind === 'link' ? node.target : undefined)
  if (target === undefined && node !== undefined) {
    note(run, 'exists', path)
    return false
  }
  if (target !== undefined) {
    if (isEquivalent(run, path, target, to)) return true
    if (existing === 'kept') {
      run.failures.push(`File ${path} already exists and is a symlink to ${simplifyPath(target)}.`)
      return false
    }
    run.messages.push(`Removed "${path}".`)
  }
  run.links.set(path, to)
  return true
}

/** Whether two targets of one link are as good as the same: the same file, or of one name in unit directories. */
function isEquivalent({ tree, searchPath: { directories } }: Run, path: string, target: string, to: string): boolean {
  const absolute = target.startsWith('/') ? target : `${parentPath(path)}/${target}`
  if (simplifyPath(absolute) === simplifyPath(to)) return true
  if (tree.follow(to) !== undefined && tree.realPath(absolute) === tree.realPath(to)) return true
  const isUnitFile = (file: string): boolean =>
    directories.some((directory) => simplifyPath(file).startsWith(`${directory}/`))
  return baseName(absolute) === baseName(to) && isUnitFile(absolute) && isUnitFile(to)
}

function stateOf(run: Run, name: string, info: InstallInfo): UnitFileState {
  const path = info.path ?? ''
  const directory = parentPath(path)
  const { generatorDirectories, transientDirectory } = run.searchPath
  if (info.mode === 'masked') return isRuntime(run, directory) ? 'masked-runtime' : 'masked'
  const isInstance = templateOf(info.name) !== undefined && templateOf(info.name) !== info.name
  if (!isInstance && baseName(path) !== name) return 'alias'
  if (generatorDirectories.includes(directory)) return 'generated'
  if (directory === transientDirectory) return 'transient'
  const known = new Set([info.name, ...info.aliases, nameForSpecifiers(info)])
  const enabled = stateByLinks(run, info, (link) => known.has(link))
  if (enabled !== undefined) return enabled
  // Links by names that [Install] does not know: somebody uses the unit in a way of their own.
  if (stateByLinks(run, info, () => true) !== undefined) return 'indirect'
  if (info.aliases.length + info.wantedBy.length + info.requiredBy.length > 0) return 'disabled'
  return info.also.length > 0 ? 'indirect' : 'static'
}

const isRuntime = ({ searchPath: { runtimeDirectories } }: Run, directory: string): boolean =>
  directory.startsWith('/run/') || runtimeDirectories.includes(directory)

function stateByLinks(
  run: Run,
  { name, path = '' }: InstallInfo,
  counts: (linkName: string) => boolean,
): UnitFileState | undefined {
  const { directories, configDirectory } = run.searchPath
  let best: UnitFileState | undefined
  let elsewhere = false
  let linked: UnitFileState | undefined
  let isBelowFile = false
  for (const directory of directories) {
    const links = linksTo(run.tree, directory, name, isBelowFile)
    if (links.names.some(counts)) {
      if (directory === configDirectory) return 'enabled'
      if (isRuntime(run, directory)) best = 'enabled-runtime'
      else elsewhere = true
    } else if (links.sameName) {
      if (directory === configDirectory) linked = 'linked'
      else if (isRuntime(run, directory)) linked ??= 'linked-runtime'
    }
    // Below the file itself its own name means nothing any more.
    if (path.startsWith(`${directory}/`)) isBelowFile = true
  }
  if (best !== undefined) return best
  const isInstance = templateOf(name) !== undefined && templateOf(name) !== name
  return elsewhere && isInstance ? 'static' : linked
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
  for (const entry of tree.list(directory).filter((file) => !isIgnoredFile(file))) {
    const path = `${directory}/${entry}`
    const node = tree.look(path)
    if (node?.kind === 'directory' && /\.(wants|requires)$/.test(entry)) {
      const links = tree
        .list(path)
        .filter((file) => !isIgnoredFile(file) && tree.look(`${path}/${file}`)?.kind === 'link')
      // A template is in use where one of its instances is.
      names.push(...links.filter((file) => file === name || templateOf(file) === name))
    } else if (node?.kind === 'link') {
      const leadsToIt = baseName(node.target) === name
      const isNamedSo = entry === name && !isBelowFile
      if (leadsToIt && isNamedSo) sameName = true
      else if (leadsToIt || isNamedSo) names.push(entry)
    }
  }
  return { names, sameName }
}
