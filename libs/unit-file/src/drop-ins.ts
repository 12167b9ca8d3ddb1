/** Which drop-ins and `.wants/` links belong to a unit, and in which order? spec/unit-files.md §7.3, §7.4. */

import { instantiate, templateOf } from './find-unit.ts'
import { baseName } from './path-text.ts'
import type { UnitMessage } from './unit-message.ts'
import { parseUnitName, unitTypes } from './unit-name.ts'
import type { UnitSearchPath } from './unit-search-path.ts'
import { compareBytes, isMask, type UnitTree } from './unit-tree.ts'

/** The names of a unit, its main one first. */
export type NamesOfUnit = { readonly id: string; readonly names: readonly string[] }

/**
 * Paths of the drop-ins of a unit in the order in which they apply: by file name, whatever their directory. Of those
 * with the same file name only the first counts: own name before aliases, higher directory before lower, and the type's
 * own (`service.d`) last of all. Masks are listed too: they hide, and change nothing.
 */
export const findDropIns = (tree: UnitTree, path: UnitSearchPath, unit: NamesOfUnit): readonly string[] =>
  findEntries(tree, path, unit, '.d', '.conf')

/** Other units that a unit wants or requires by links in its directories. */
export type DependencyLinks = { readonly units: readonly string[]; readonly messages: readonly UnitMessage[] }

/** Units linked from the `.wants/` or `.requires/` directories of a unit, sorted. */
export function findDependencyLinks(
  tree: UnitTree,
  path: UnitSearchPath,
  unit: NamesOfUnit,
  kind: 'wants' | 'requires',
): DependencyLinks {
  const units = new Set<string>()
  const messages: UnitMessage[] = []
  const verb = kind === 'wants' ? 'Wants' : 'Requires'
  const warn = (text: string): void => void messages.push({ priority: 'warning', text: `${verb} ${text}` })
  const parts = parseUnitName(unit.id)
  const instance = parts.ok ? parts.value.instance : ''
  for (const link of findEntries(tree, path, unit, `.${kind}`, '')) {
    const name = baseName(link)
    if (isMask(tree.follow(link))) continue
    const node = tree.look(link)
    const entry = parseUnitName(name)
    if (node?.kind !== 'link') warn(`dependency dropin ${link} is not a symlink, ignoring.`)
    else if (!entry.ok) warn(`dependency dropin ${link} is not a valid unit name, ignoring.`)
    else {
      if (!isCompatibleLink(name, baseName(node.target), instance !== '')) {
        warn(`dependency dropin ${link} target ${node.target} has different name`)
      }
      const dependency =
        entry.value.kind === 'template' ? instantiate(name, instance || (parts.ok ? parts.value.prefix : '')) : name
      if (dependency !== undefined) units.add(dependency)
    }
  }
  return { units: [...units].sort(compareBytes), messages }
}

/**
 * Whether a link by this name may lead to a file by that name without raising eyebrows: the same name, an instance's
 * template, or, where an instance is handed on, the same template.
 */
export function isCompatibleLink(name: string, target: string, handsOnInstance: boolean): boolean {
  const [link, file] = [parseUnitName(name), parseUnitName(target)]
  if (!link.ok) return false
  if (link.value.kind !== 'template' && name === target) return true
  if (!file.ok || file.value.kind !== 'template' || templateOf(name) !== target) return false
  return link.value.kind === 'instance' || handsOnInstance
}

function findEntries(
  tree: UnitTree,
  { directories }: UnitSearchPath,
  { id, names }: NamesOfUnit,
  suffix: string,
  fileSuffix: string,
): readonly string[] {
  const type = id.slice(id.lastIndexOf('.') + 1)
  const others = names.filter((name) => name !== id)
  const found = new Map<string, string>()
  for (const name of [id, ...others, type]) {
    const levels = levelsOf(name)
    for (const directory of directories) {
      for (const level of levels) {
        const real = tree.realPath(`${directory}/${level}${suffix}`)
        if (real === undefined) continue
        for (const file of tree.list(real)) {
          if (file.endsWith(fileSuffix) && !isIgnoredFile(file) && !found.has(file)) found.set(file, `${real}/${file}`)
        }
      }
    }
  }
  return [...found].sort(([one], [other]) => compareBytes(one, other)).map(([, path]) => path)
}

/**
 * Names whose directories count for a unit name, in systemd's order: the name, its template with that one's cuts, then
 * the name cut after each dash of its prefix, longest first, each again with its template.
 */
function levelsOf(name: string): readonly string[] {
  if (unitTypes.some((type) => type === name)) return [name]
  const parts = parseUnitName(name)
  if (!parts.ok) return []
  const { kind, prefix, instance, type } = parts.value
  const template = kind === 'instance' ? templateOf(name) : undefined
  const cut = cutPrefix(prefix)
  const levels = [name, ...(template === undefined ? [] : levelsOf(template))]
  // A template is cut to a plain name: `a-b@.service` has `a-.service.d`.
  if (cut !== undefined) levels.push(...levelsOf(kind === 'instance' ? `${cut}@${instance}.${type}` : `${cut}.${type}`))
  return [...new Set(levels)]
}

/** The prefix up to and with its last dash; a dash at the end is passed over once, one at the start is none. */
function cutPrefix(prefix: string): string | undefined {
  const dash = prefix.lastIndexOf('-')
  if (dash <= 0) return undefined
  if (dash < prefix.length - 1) return prefix.slice(0, dash + 1)
  const earlier = prefix.lastIndexOf('-', dash - 1)
  return earlier <= 0 ? undefined : prefix.slice(0, earlier + 1)
}

const backupSuffixes =
  /\.(rpmnew|rpmsave|rpmorig|dpkg-(old|new|tmp|dist|bak|backup|remove)|ucf-(new|old|dist)|swp|bak|old|new)$/

/** Hidden files and the leftovers of editors and package managers. */
export const isIgnoredFile = (name: string): boolean =>
  name.startsWith('.') ||
  name.endsWith('~') ||
  backupSuffixes.test(name) ||
  ['lost+found', 'aquota.user', 'aquota.group'].includes(name)
