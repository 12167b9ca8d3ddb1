/** Dependencies: UF080 to UF090. Rules: spec/unit-files.md §9. */
import { isUnitName, parseUnitName, unitTypes } from '../unit-name.ts'
import { plainRawWords } from '../words.ts'
import type { Complaint, LintContext, LintFix } from './finding.ts'
import {
  dependenciesOf,
  installedInto,
  isOn,
  type LintedAssignment,
  type LintedUnit,
  lastOf,
  type PlacedName,
  settingOf,
  valuesOf,
} from './linted-unit.ts'
import { insertBelow, keyRange, removeBlock, replaceRange, replaceValue, valueRange } from './place.ts'
import type { LintedSet, LintRule } from './rule.ts'
import { placedWords, wordRange } from './words-in-place.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })

/** Targets that people name without their suffix. */
const wellKnownTargets = new Set(
  `basic default emergency getty graphical local-fs multi-user network network-online network-pre nss-lookup
   nss-user-lookup remote-fs rescue rpcbind shutdown sockets swap sysinit time-set time-sync timers umount`.split(
    /\s+/,
  ),
)

function* badNames(unit: LintedUnit): Iterable<Complaint> {
  for (const { block, key, value, option, path } of unit.assignments) {
    if (option.type !== 'unit names') continue
    if (value === '') {
      yield {
        id: 'UF088',
        range: keyRange(block),
        path,
        message: `${key}= without a value takes nothing back: dependencies only add up`,
        remedy: 'leave it out; to lose a dependency of a lower file, override the whole unit',
        fix: fix(`remove ${key}=`, removeBlock(block)),
      }
      continue
    }
    for (const placed of placedWords(block, plainRawWords)) {
      const { word, raw } = placed
      const name = unit.expand(word)
      if (!name.ok || isUnitName(name.value)) continue
      const range = wordRange(placed)
      if (/["',]/.test(word)) {
        const words = value
          .replaceAll(/["']/g, ' ')
          .split(/[\s,]+/)
          .filter((part) => part !== '')
        const better = words.join(' ')
        const isWhole = words.every((part) => isUnitName(part) || part.includes('%'))
        yield {
          id: 'UF081',
          range,
          path,
          message: `“${raw}” in ${key}= is no unit name: quotes and commas are part of it, and it is ignored`,
          remedy: 'write names separated by blanks',
          fix: isWhole ? fix(`write ${key}=${better}`, replaceValue(block, better)) : undefined,
        }
        continue
      }
      const suffixed = wellKnownTargets.has(word) ? `${word}.target` : undefined
      yield {
        id: 'UF080',
        range,
        path,
        message: `“${raw}” in ${key}= is no unit name, and is ignored`,
        remedy:
          suffixed !== undefined
            ? `write ${suffixed}`
            : word.includes('.') || !isUnitName(`${word}.service`)
              ? `end it in a type of unit: .${unitTypes.slice(0, 4).join(', .')} …; escape other characters`
              : `write ${word}.service, or what type it is of`,
        fix: suffixed === undefined ? undefined : fix(`write ${suffixed}`, replaceRange(range, suffixed)),
      }
    }
  }
}

const inFile = ({ assignment, range }: PlacedName): Pick<Complaint, 'range' | 'path'> => ({
  range,
  path: assignment.path,
})

/** Adds a name to an order or requirement: a new line below the one that asks for it. */
const addBelow = (assignment: LintedAssignment, key: string, name: string): LintFix =>
  fix(`add ${key}=${name}`, insertBelow(assignment.block, `${key}=${name}`))

/** Which names a list of dependencies holds. */
const namesIn = (unit: LintedUnit, ...keys: readonly string[]): ReadonlySet<string> =>
  new Set(dependenciesOf(unit, ...keys).map(({ name }) => name))

/** Units that systemd orders by itself before one that requires them. */
function isOrderedAnyway(unit: LintedUnit, name: string): boolean {
  if (/\.(?:device|slice|mount|swap|automount|scope)$/.test(name) || /^(?:sysinit|basic)\.target$/.test(name))
    return true
  // a target waits for what it pulls in
  if (unit.type === 'target') return true
  const stem = unit.name.slice(0, unit.name.lastIndexOf('.'))
  const isTrigger = /\.(?:socket|timer|path)$/.test(name)
  if (unit.type === 'service' && isTrigger) {
    if (name.startsWith(`${stem}.`) || settingOf(unit, 'Service', 'Sockets')?.split(/\s+/).includes(name) === true)
      return true
    // all sockets and paths come before basic.target, and that before the service
    return !name.endsWith('.timer') && isOn(unit, 'Unit', 'DefaultDependencies', true)
  }
  // a socket, timer or path comes before what it triggers
  return /^(?:socket|timer|path)$/.test(unit.type) && name.startsWith(`${stem}.`)
}

function* missingOrder(unit: LintedUnit): Iterable<Complaint> {
  const ordered = namesIn(unit, 'After', 'Before')
  for (const dependency of dependenciesOf(unit, 'Requires', 'BindsTo')) {
    const { name, assignment } = dependency
    if (!isUnitName(name) || ordered.has(name) || isOrderedAnyway(unit, name)) continue
    yield {
      id: 'UF082',
      ...inFile(dependency),
      message: `${assignment.key}=${name} without After=: both start at once, and a failure of ${name} is not noticed`,
      remedy: `add After=${name}`,
      fix: addBelow(assignment, 'After', name),
    }
  }
}

const online = 'network-online.target'

function* networks(unit: LintedUnit): Iterable<Complaint> {
  const after = dependenciesOf(unit, 'After')
  const wanted = dependenciesOf(unit, 'Wants', 'Requires', 'BindsTo', 'Requisite').find(({ name }) => name === online)
  const ordered = after.find(({ name }) => name === online)
  if (wanted !== undefined && ordered === undefined && !namesIn(unit, 'Before').has(online)) {
    yield {
      id: 'UF083',
      ...inFile(wanted),
      message: `${wanted.assignment.key}=${online} without After=: the unit does not wait for the network`,
      remedy: `add After=${online}`,
      fix: addBelow(wanted.assignment, 'After', online),
    }
  }
  if (ordered !== undefined && wanted === undefined) {
    yield {
      id: 'UF083',
      ...inFile(ordered),
      message: `After=${online} without Wants=: nothing may start it, and then there is nothing to wait for`,
      remedy: `add Wants=${online}`,
      fix: addBelow(ordered.assignment, 'Wants', online),
    }
  }
  const offline = after.find(({ name }) => name === 'network.target')
  if (unit.type === 'service' && offline !== undefined && ordered === undefined) {
    yield {
      id: 'UF084',
      ...inFile(offline),
      message: 'After=network.target says little at start: interfaces may have no address yet',
      remedy: `where the network is needed at start, write Wants=${online} and After=${online}`,
    }
  }
}

function* contradictions(unit: LintedUnit): Iterable<Complaint> {
  const own = unit.parts?.kind === 'template' ? undefined : unit.name
  const keys = [...new Set(unit.assignments.filter(({ option }) => option.type === 'unit names').map(({ key }) => key))]
  for (const dependency of dependenciesOf(unit, ...keys)) {
    const { name, assignment } = dependency
    if (name !== own || assignment.key === 'JoinsNamespaceOf') continue
    yield {
      id: 'UF085',
      ...inFile(dependency),
      message: `${assignment.key}=${name}: the unit depends on itself, which is dropped`,
      remedy: 'take the name out',
      fix: removeName(dependency),
    }
  }
  const conflicts = namesIn(unit, 'Conflicts')
  for (const dependency of dependenciesOf(unit, 'Wants', 'Requires', 'BindsTo', 'Requisite', 'Upholds')) {
    const { name, assignment } = dependency
    if (!conflicts.has(name)) continue
    yield {
      id: 'UF087',
      ...inFile(dependency),
      message: `${name} is in ${assignment.key}= and in Conflicts=: starting one stops the other`,
      remedy: 'take it out of one of them',
    }
  }
  const into = new Set(installedInto(unit))
  for (const dependency of dependenciesOf(unit, 'After')) {
    const { name } = dependency
    if (!/^(?:multi-user|graphical)\.target$/.test(name) || !into.has(name)) continue
    if (!isOn(unit, 'Unit', 'DefaultDependencies', true)) continue
    yield {
      id: 'UF090',
      ...inFile(dependency),
      message: `${name} pulls the unit in and waits for it, and After=${name} has it wait for ${name}`,
      remedy: 'take it out of After=',
      fix: removeName(dependency),
    }
  }
}

/** The assignment without the name; without the assignment where it is the only one. */
function removeName({ assignment, range }: PlacedName): LintFix {
  const { block, value } = assignment
  const words = placedWords(block, plainRawWords)
  const index = words.findIndex((word) => {
    const { start } = wordRange(word)
    return start.line === range.start.line && start.column === range.start.column
  })
  if (words.length < 2 || index === -1) return fix(`remove ${assignment.key}=${value}`, removeBlock(block))
  const [from, to] =
    index === 0 ? [0, words[1]?.from ?? 0] : [words[index - 1]?.to ?? 0, words[index]?.to ?? value.length]
  return fix(`take the name out of ${assignment.key}=`, replaceRange(valueRange(block, from, to), ''))
}

/** What a unit of this name comes after, with where that is written. */
type Edge = { readonly from: string; readonly to: string; readonly name: PlacedName }

function* cycles({ units }: LintedSet): Iterable<Complaint & { readonly path: string }> {
  const edges = new Map<string, Edge[]>()
  const add = (edge: Edge): void => {
    const known = edges.get(edge.from)
    if (known === undefined) edges.set(edge.from, [edge])
    else known.push(edge)
  }
  for (const unit of units) {
    if (unit.parts === undefined) continue
    for (const name of dependenciesOf(unit, 'After')) add({ from: unit.name, to: name.name, name })
    for (const name of dependenciesOf(unit, 'Before')) add({ from: name.name, to: unit.name, name })
  }
  const done = new Set<string>()
  for (const start of edges.keys()) {
    const cycle = cycleFrom(start, edges, done)
    const last = cycle?.at(-1)
    // a unit by itself has a finding of its own
    if (cycle === undefined || last === undefined || cycle.length < 2) continue
    const steps = cycle.map(({ from, to, name }) =>
      name.assignment.key === 'After' ? `${from} After=${to}` : `${to} Before=${from}`,
    )
    yield {
      id: 'UF086',
      range: last.name.range,
      path: last.name.assignment.path,
      message: `the order leads in a circle: ${steps.join(', ')}`,
      remedy: 'take one of them out; at start systemd breaks the circle by leaving out a unit',
    }
  }
}

/** A circle that is met on the way from a unit; each unit is walked through once in all. */
function cycleFrom(
  start: string,
  edges: ReadonlyMap<string, readonly Edge[]>,
  done: Set<string>,
): readonly Edge[] | undefined {
  const path: Edge[] = []
  const onPath = new Map<string, number>([[start, 0]])
  const stack: { readonly unit: string; next: number }[] = [{ unit: start, next: 0 }]
  if (done.has(start)) return undefined
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const edge = edges.get(top.unit)?.[top.next]
    top.next += 1
    if (edge === undefined) {
      done.add(top.unit)
      onPath.delete(top.unit)
      stack.pop()
      path.pop()
      continue
    }
    const seen = onPath.get(edge.to)
    if (seen !== undefined && edge.to !== edge.from) {
      for (const unit of onPath.keys()) done.add(unit)
      return [...path.slice(seen), edge]
    }
    if (seen !== undefined || done.has(edge.to)) continue
    path.push(edge)
    onPath.set(edge.to, path.length)
    stack.push({ unit: edge.to, next: 0 })
  }
  return undefined
}

function* missingUnits(
  { units, names }: LintedSet,
  { unitExists }: LintContext,
): Iterable<Complaint & { readonly path: string }> {
  if (unitExists === undefined) return
  for (const unit of units) {
    if (unit.parts?.kind === 'template') continue
    for (const { name, assignment, range } of dependenciesOf(unit, 'Requires', 'BindsTo', 'Requisite')) {
      const parts = parseUnitName(name)
      if (!parts.ok || /\.(?:slice|device|mount|swap|automount|scope)$/.test(name) || names.has(name)) continue
      if (isAmong(name, names) || unitExists(name) !== false) continue
      yield {
        id: 'UF089',
        range,
        path: assignment.path,
        message: `there is no unit ${name}, and ${unit.name} cannot start without it`,
        remedy: 'create it, or take the name out',
      }
    }
  }
}

/** Whether a unit is among the files, by itself or as an instance of a template. */
export function isAmong(name: string, names: ReadonlySet<string>): boolean {
  if (names.has(name)) return true
  const parts = parseUnitName(name)
  return parts.ok && parts.value.kind === 'instance' && names.has(`${parts.value.prefix}@.${parts.value.type}`)
}

function* triggered(
  { units, names }: LintedSet,
  { unitExists }: LintContext,
): Iterable<Complaint & { readonly path: string }> {
  for (const unit of units) {
    const { main, parts } = unit
    if (main === undefined || parts === undefined || !/^(?:socket|timer|path)$/.test(unit.type)) continue
    const section = `${unit.type.charAt(0).toUpperCase()}${unit.type.slice(1)}`
    const given = unit.type === 'socket' ? lastOf(unit, section, 'Service') : lastOf(unit, section, 'Unit')
    const accepts = unit.type === 'socket' && isOn(unit, 'Socket', 'Accept', false)
    const suffix = parts.kind === 'plain' ? '' : '@'
    const byName = accepts ? `${parts.prefix}@.service` : `${parts.prefix}${suffix}${parts.instance}.service`
    const expanded = given === undefined || accepts ? undefined : unit.expand(given.value)
    const name = expanded === undefined ? byName : expanded.ok ? expanded.value : undefined
    // what another kind of unit is triggered is not looked for
    if (name === undefined || !name.endsWith('.service') || isAmong(name, names) || unitExists?.(name) === true)
      continue
    if (parts.kind === 'template' && names.has(`${parts.prefix}@.service`)) continue
    if (unit.type === 'socket' && names.has(byName)) continue
    if (valuesOf(unit, section, 'Unit').length > 0 && given === undefined) continue
    yield {
      id: accepts ? 'UF105' : 'UF102',
      range: given === undefined ? keyRangeOfFirst(unit) : valueRange(given.block),
      path: given?.path ?? main.path,
      message: accepts
        ? `Accept=yes needs a template for its connections: there is no ${name}`
        : `${unit.name} starts ${name}, and there is no such unit`,
      remedy: accepts || unit.type === 'socket' ? `create ${name}` : `create ${name}, or name another by Unit=`,
    }
  }
}

function keyRangeOfFirst({ main }: LintedUnit): Complaint['range'] {
  const block = main?.source.blocks.find(({ kind }) => kind === 'header')
  const line = block?.line ?? 1
  return { start: { line, column: 1 }, end: { line, column: 1 + (block?.lines[0]?.text.length ?? 0) } }
}

/** What is said of dependencies, of one unit and of several. */
export const dependencyRules: readonly LintRule[] = [
  { kind: 'unit', ids: ['UF080', 'UF081', 'UF088'], check: badNames },
  { kind: 'unit', ids: ['UF082'], check: missingOrder },
  { kind: 'unit', ids: ['UF083', 'UF084'], check: networks },
  { kind: 'unit', ids: ['UF085', 'UF087', 'UF090'], check: contradictions },
  { kind: 'set', ids: ['UF086'], check: cycles },
  { kind: 'set', ids: ['UF089'], check: missingUnits },
  { kind: 'set', ids: ['UF102', 'UF105'], check: triggered },
]
