/** Which file is a unit's main file, and which names does the unit go by? spec/unit-files.md §5 (aliases), §7.2. */
import { baseName } from './path-text.ts'
import type { UnitMessage } from './unit-message.ts'
import { instanceName, parseUnitName, templateName, type UnitName, type UnitNameParts } from './unit-name.ts'
import type { UnitSearchPath } from './unit-search-path.ts'
import { isMask, type UnitTree } from './unit-tree.ts'

/** All unit files of a tree by name: read once, asked for many units. */
export type UnitFileMap = {
  /** Name → path of its file, or the name it is an alias of. */
  readonly targets: ReadonlyMap<string, string>
  /** Main name → all names that lead to it. */
  readonly aliases: ReadonlyMap<string, readonly string[]>
  /** Links that are no legal alias, with the reason. */
  readonly messages: readonly UnitMessage[]
}

/** Where a unit is, and all the names it goes by. */
export type FoundUnit = {
  /** Path of the main file; absent: nothing found. It may be a mask. */
  readonly fragment?: string
  /** The name that the file gives the unit: its own, with the instance put in. */
  readonly id: string
  /** All names, sorted; `id` and the one asked for among them. */
  readonly names: readonly string[]
}

const aliasHopsMax = 8
const aliasableTypes: ReadonlySet<string> = new Set(['service', 'socket', 'target', 'device', 'timer', 'path'])
const templatableTypes: ReadonlySet<string> = new Set(['service', 'socket', 'target', 'timer', 'path'])

/** Reads the names of all directories of the search path; the highest directory that has a name decides what it is. */
export function mapUnitFiles(tree: UnitTree, { directories }: UnitSearchPath): UnitFileMap {
  const targets = new Map<string, string>()
  const messages: UnitMessage[] = []
  for (const directory of directories) {
    for (const name of tree.list(directory)) {
      if (targets.has(name) || !parseUnitName(name).ok) continue
      const path = `${directory}/${name}`
      const node = tree.look(path)
      if (node?.kind === 'file') targets.set(name, path)
      if (node?.kind !== 'link') continue
      const target = linkTarget(tree, directories, directory, name, node.target)
      if (target.kind === 'refused') {
        if (target.message !== undefined) messages.push({ priority: 'notice', text: target.message })
      } else targets.set(name, target.kind === 'alias' ? target.name : path)
    }
  }
  return { targets, aliases: aliasesOf(tree, targets), messages }
}

export type LinkTarget =
  /** The link's end is in a unit directory: another name of that unit. */
  | { readonly kind: 'alias'; readonly name: string; readonly path: string }
  /** The link's end is elsewhere: the file has the link's name. */
  | { readonly kind: 'linked'; readonly path: string }
  | { readonly kind: 'refused'; readonly reason: AliasRefusal['kind']; readonly message?: string }

/** What a link in a unit directory is. */
export function linkTarget(
  tree: UnitTree,
  directories: readonly string[],
  directory: string,
  name: string,
  target: string,
): LinkTarget {
  const path = tree.realParentPath(target.startsWith('/') ? target : `${directory}/${target}`)
  if (path === undefined) return { kind: 'refused', reason: 'circle' }
  if (!directories.some((unitDirectory) => path.startsWith(`${unitDirectory}/`))) return { kind: 'linked', path }
  const refusal = aliasRefusal(name, baseName(path))
  if (refusal === undefined) return { kind: 'alias', name: baseName(path), path }
  return refusal.kind === 'circle'
    ? { kind: 'refused', reason: refusal.kind }
    : { kind: 'refused', reason: refusal.kind, message: refusal.message }
}

/** `circle`: an alias of itself. `bad-name`: nothing of that name can be an alias. `mismatch`: not of that unit. */
export type AliasRefusal = {
  readonly kind: 'circle' | 'bad-name' | 'mismatch'
  /** In systemd's words. */
  readonly message: string
}

/** Why `name` cannot be an alias of `target`. */
export function aliasRefusal(name: string, target: string): AliasRefusal | undefined {
  const badName = (message: string): AliasRefusal => ({ kind: 'bad-name', message: `${name}: ${message}` })
  const mismatch = (message: string): AliasRefusal => ({ kind: 'mismatch', message: `${name}${message}` })
  const from = parseUnitName(name)
  if (!from.ok) return badName(`not a valid unit name "${name}": Invalid argument`)
  const { kind, type, instance } = from.value
  if (!aliasableTypes.has(type)) return badName('symlinks are not allowed for units of this type, rejecting.')
  if (kind !== 'plain' && !templatableTypes.has(type))
    return badName(`templates not allowed for ${type} units, rejecting.`)
  if (name === target) return { kind: 'circle', message: `${name}: an alias of itself` }
  const to = parseUnitName(target)
  if (!to.ok) return mismatch(` points to "${target}" which is not a valid unit name: Invalid argument`)
  if (to.value.kind !== kind && !(kind === 'instance' && to.value.kind === 'template')) {
    return mismatch(`: symlink target name type "${target}" does not match source, rejecting.`)
  }
  if (to.value.kind === 'instance' && to.value.instance !== instance) {
    return mismatch(`: unit symlink target "${target}" instance name doesn't match, rejecting.`)
  }
  if (to.value.type !== type) return mismatch(`: symlink target "${target}" has incompatible suffix, rejecting.`)
  return undefined
}

type Lookup =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'loop' }

/** Follows aliases to a file. An alias of an instance that has no file leads on to its template. */
function lookUp(targets: ReadonlyMap<string, string>, name: string): Lookup {
  let current = name
  for (let hops = 0; hops < aliasHopsMax; hops++) {
    const target = targets.get(current) ?? (hops === 0 ? undefined : targets.get(templateOf(current) ?? ''))
    if (target === undefined) return { kind: 'missing' }
    if (target.startsWith('/')) return { kind: 'found', path: target }
    current = target
  }
  return { kind: 'loop' }
}

function aliasesOf(tree: UnitTree, targets: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const aliases = new Map<string, string[]>()
  for (const name of targets.keys()) {
    const found = lookUp(targets, name)
    if (found.kind !== 'found') continue
    const node = tree.follow(found.path)
    if (node === undefined || isMask(node)) continue
    const main = withInstanceOf(baseName(found.path), name)
    if (main === undefined) continue
    const known = aliases.get(main)
    if (known === undefined) aliases.set(main, [name])
    else known.push(name)
  }
  return aliases
}

/** The main file and the names of a unit. `unit` is plain or an instance. */
export function findUnit({ targets, aliases }: UnitFileMap, unit: UnitNameParts): FoundUnit {
  const own = lookUp(targets, unit.name)
  const found = own.kind === 'missing' && unit.kind === 'instance' ? lookUp(targets, templateOf(unit.name) ?? '') : own
  if (found.kind !== 'found') return { id: unit.name, names: [unit.name] }
  const file = baseName(found.path)
  const main = withInstanceOf(file, unit.name) ?? unit.name
  const known = new Set<string>([
    unit.name,
    file,
    ...(aliases.get(unit.name) ?? []).map((alias) => filled(alias, unit)),
  ])
  for (const alias of aliases.get(file) ?? []) {
    const name = filled(alias, unit)
    // An instance with a file of its own is no alias, though its template is one.
    const other = name === alias ? undefined : lookUp(targets, name)
    if (other?.kind !== 'found' || baseName(other.path) === file) known.add(name)
  }
  // A template gives its instance a name, but the main one only where the map knows it: not when it is masked, nor when
  // the instance has a file of its own.
  const names = new Set([...known].map((name) => filled(name, unit)))
  return { fragment: found.path, id: known.has(main) ? main : unit.name, names: [...names].sort() }
}

const filled = (name: string, { kind, instance }: UnitNameParts): string =>
  (kind === 'instance' ? instantiate(name, instance) : undefined) ?? name

/** The template with the instance of `name` put in; any other name stays. Absent where the result is no name. */
function withInstanceOf(file: string, name: string): string | undefined {
  const unit = parseUnitName(name)
  if (!unit.ok || unit.value.kind !== 'instance' || templateOf(file) !== file) return file
  return instantiate(file, unit.value.instance)
}

/** A template's name with an instance; absent when `template` is none, or the result too long. */
export function instantiate(template: string, instance: string): UnitName | undefined {
  const parts = parseUnitName(template)
  if (!parts.ok || parts.value.kind !== 'template') return undefined
  const name = instanceName(parts.value, instance)
  return name.ok ? name.value : undefined
}

/** The template of an instance's or a template's name. */
export function templateOf(name: string): UnitName | undefined {
  const parts = parseUnitName(name)
  return parts.ok ? templateName(parts.value) : undefined
}
