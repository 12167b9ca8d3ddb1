/** What fleet makes of units: UF112 to UF118. Rules: spec/fleet.md §2.5 to §2.8; fleet 1.0. */
import { fleetKeys } from '../fleet-options.ts'
import { checkUnitRequirements, creationPolicyFor, readRequirements } from '../fleet-requirements.ts'
import { matchGlob } from '../go-glob.ts'
import type { UnitOption } from '../option.ts'
import type { AssignmentBlock } from '../source.ts'
import { parseUnitName } from '../unit-name.ts'
import { isAmong } from './dependency-rules.ts'
import type { Complaint, LintContext, LintFix } from './finding.ts'
import { dependenciesOf, type LintedFile, type LintedUnit, ownSection } from './linted-unit.ts'
import { nearestWord } from './nearest.ts'
import { insertBelow, keyRange, replaceRange, startOfFile, valueRange } from './place.ts'
import type { LintedSet, LintRule } from './rule.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })

/** Assignments of [X-Fleet]; fleet reads no drop-ins. */
const fleetBlocks = ({ main }: LintedUnit): readonly AssignmentBlock[] =>
  main?.source.blocks.filter(
    (block): block is AssignmentBlock => block.kind === 'assignment' && block.section === 'X-Fleet',
  ) ?? []

const optionsOf = (unit: LintedUnit): readonly UnitOption[] =>
  fleetBlocks(unit).map(({ key, value }) => ({ section: 'X-Fleet', name: key, value }))

const knownKeys: readonly string[] = Object.values(fleetKeys).flat()

function* requirements(unit: LintedUnit): Iterable<Complaint> {
  const blocks = fleetBlocks(unit)
  if (blocks.length === 0) return
  for (const { kind, place, message, remedy } of checkUnitRequirements(
    unit.name,
    optionsOf(unit),
    creationPolicyFor(unit.name),
  )) {
    const block =
      blocks.find(({ key, value }) => key === place.key && (place.value === undefined || value === place.value)) ??
      blocks[0]
    const nearest = kind === 'unknown-key' && place.key !== undefined ? nearestWord(place.key, knownKeys) : undefined
    const range = block === undefined ? startOfFile : kind === 'unknown-key' ? keyRange(block) : valueRange(block)
    yield {
      id: 'UF112',
      range,
      message,
      remedy: nearest === undefined ? remedy : `write ${nearest}=`,
      fix: nearest === undefined ? undefined : fix(`write ${nearest}=`, replaceRange(range, nearest)),
    }
  }
}

/** Places that are on one machine only, as a rule. */
const ownPlaces = /^\/(?:srv|mnt|media|home|data)\//

function* unpinnedPaths(unit: LintedUnit): Iterable<Complaint> {
  const isPinned = fleetBlocks(unit).some(({ key }) => /MachineID|MachineMetadata|MachineBootID|MachineOf/.test(key))
  if (isPinned || unit.main === undefined) return
  const section = ownSection(unit.type)
  for (const { block, section: within, key, value, path } of unit.assignments) {
    const isNeeded =
      within === section
        ? /^(?:EnvironmentFile|WorkingDirectory|RootDirectory|RootImage)$/.test(key)
        : within === 'Unit' && key === 'RequiresMountsFor'
    if (!isNeeded || !ownPlaces.test(value)) continue
    yield {
      id: 'UF113',
      range: valueRange(block),
      path,
      message: `${unit.name} needs ${value}, and may be placed on a machine that does not have it`,
      remedy:
        key === 'EnvironmentFile' || key === 'WorkingDirectory'
          ? `pin it by MachineMetadata= in [X-Fleet], or write ${key}=-${value} where it can do without`
          : 'pin it by MachineMetadata= in [X-Fleet]',
    }
  }
}

function* sidekicks(unit: LintedUnit): Iterable<Complaint> {
  const bound = new Set(
    dependenciesOf(unit, 'BindsTo', 'Requires', 'PartOf', 'Requisite', 'BindTo').map(({ name }) => name),
  )
  const ordered = new Set(dependenciesOf(unit, 'After').map(({ name }) => name))
  const anchor = unit.main?.source.blocks.findLast((other) => other.kind === 'header' && other.name === 'Unit')
  for (const { name, block } of peersOf(unit)) {
    if (bound.has(name) || parseUnitName(name).ok === false) continue
    const isOrdered = ordered.has(name)
    yield {
      id: 'UF118',
      range: valueRange(block),
      message: `${unit.name} goes where ${name} is, and stays when ${name} stops`,
      remedy: `add BindsTo=${name}${isOrdered ? '' : ` and After=${name}`} in [Unit]`,
      fix:
        anchor === undefined || name.includes('%')
          ? undefined
          : fix(`add BindsTo=${name}`, insertBelow(anchor, `BindsTo=${name}${isOrdered ? '' : `\nAfter=${name}`}`)),
    }
  }
}

type Peer = { readonly name: string; readonly block: AssignmentBlock }

/** The units of MachineOf=, with the assignment that names each. */
function peersOf(unit: LintedUnit): readonly Peer[] {
  return fleetBlocks(unit).flatMap((block) => {
    const options = [{ section: 'X-Fleet', name: block.key, value: block.value }]
    const { machineOf } = readRequirements(unit.loadedName ?? unit.name, options)
    return machineOf.filter((name) => name !== '').map((name) => ({ name, block }))
  })
}

type Found = Complaint & { readonly path: string }

function* peers({ units, names }: LintedSet, { unitExists }: LintContext): Iterable<Found> {
  const byName = new Map(units.map((unit) => [unit.loadedName ?? unit.name, unit]))
  const reported = new Set<LintedUnit>()
  for (const unit of units) {
    for (const { name, block } of peersOf(unit)) {
      const path = unit.main?.path ?? unit.name
      if (!byName.has(name) && !isAmong(name, names) && unitExists?.(name) !== true) {
        yield {
          id: 'UF115',
          range: valueRange(block),
          path,
          message: `there is no unit ${name}: ${unit.name} waits for it, and is placed nowhere`,
          remedy: 'correct the name, or submit that unit too',
        }
      }
    }
    const circle = reported.has(unit) ? undefined : circleOf(unit, byName)
    if (circle === undefined) continue
    for (const member of circle) reported.add(member)
    const [own] = peersOf(unit)
    if (own === undefined) continue
    yield {
      id: 'UF114',
      range: valueRange(own.block),
      path: unit.main?.path ?? unit.name,
      message: `MachineOf= leads in a circle: ${[...circle, unit].map(({ name }) => name).join(' → ')}; each waits for the other, and none is placed`,
      remedy: 'let one of them be placed by itself',
    }
  }
}

/** The units on the way by MachineOf= from a unit back to itself. */
function circleOf(start: LintedUnit, byName: ReadonlyMap<string, LintedUnit>): readonly LintedUnit[] | undefined {
  const seen = new Set<LintedUnit>()
  const walk: { readonly unit: LintedUnit; readonly way: readonly LintedUnit[] }[] = [{ unit: start, way: [start] }]
  for (let step = walk.pop(); step !== undefined; step = walk.pop()) {
    for (const { name } of peersOf(step.unit)) {
      const next = byName.get(name)
      if (next === start) return step.way
      if (next === undefined || seen.has(next)) continue
      seen.add(next)
      walk.push({ unit: next, way: [...step.way, next] })
    }
  }
  return undefined
}

function* unmatchedGlobs({ units }: LintedSet, { unitExists }: LintContext): Iterable<Found> {
  for (const unit of units) {
    for (const block of fleetBlocks(unit)) {
      const options = [{ section: 'X-Fleet', name: block.key, value: block.value }]
      const { conflicts, replaces } = readRequirements(unit.loadedName ?? unit.name, options)
      for (const glob of [...conflicts, ...replaces]) {
        if (units.some((other) => matches(glob, other)) || unitExists?.(glob) === true) continue
        yield {
          id: 'UF116',
          range: valueRange(block),
          path: unit.main?.path ?? unit.name,
          message: `${block.key}=${glob} matches none of the units`,
          remedy: 'correct the pattern: it is matched with whole names, such as web@*.service',
        }
      }
    }
  }
}

/** Whether a glob matches a unit, or an instance that there may be of it. */
function matches(glob: string, { name, parts }: LintedUnit): boolean {
  if (matchGlob(glob, name)) return true
  if (parts?.kind !== 'template') return false
  const instance = glob.slice(glob.indexOf('@') + 1, glob.lastIndexOf('.')) || '1'
  return ['1', 'i', instance].some((text) => matchGlob(glob, `${parts.prefix}@${text}.${parts.type}`))
}

function* unusedTemplates({ units, files }: LintedSet): Iterable<Found> {
  const asked = new Set(files.flatMap(({ source }) => source.blocks.flatMap(instancesIn)))
  const given = new Set(
    units.flatMap(({ parts }) => (parts?.kind === 'instance' ? [`${parts.prefix}@.${parts.type}`] : [])),
  )
  for (const unit of units) {
    if (unit.parts?.kind !== 'template' || unit.main === undefined || asked.has(unit.name) || given.has(unit.name))
      continue
    if (isStartedOtherwise(unit, units)) continue
    yield {
      id: 'UF117',
      range: startOfFile,
      path: unit.main.path,
      message: `no unit here is or asks for an instance of ${unit.name}`,
      remedy: `start one: fleetctl start ${unit.parts.prefix}@1`,
    }
  }
}

/** A socket makes instances for its connections, and DefaultInstance= names one. */
const isStartedOtherwise = (unit: LintedUnit, units: readonly LintedUnit[]): boolean =>
  unit.assignments.some(({ key }) => key === 'DefaultInstance') ||
  units.some(({ name }) => name === `${unit.parts?.prefix}.socket`)

/** Templates of the instances that a value names. */
function instancesIn(block: LintedFile['source']['blocks'][number]): readonly string[] {
  if (block.kind !== 'assignment' || !block.value.includes('@')) return []
  if (block.key === 'Conflicts' || block.key === 'Replaces') return []
  return [...block.value.matchAll(/([\w:.\\%-]+)@[^\s.]*\.(service|socket|target|timer|path)\b/g)].map(
    ([, prefix = '', type = '']) => `${prefix}@.${type}`,
  )
}

/** What is said of [X-Fleet] and of units in a cluster. */
export const fleetRules: readonly LintRule[] = [
  { kind: 'unit', ids: ['UF112'], check: requirements },
  { kind: 'unit', ids: ['UF113'], check: unpinnedPaths },
  { kind: 'unit', ids: ['UF118'], check: sidekicks },
  { kind: 'set', ids: ['UF114', 'UF115'], check: peers },
  { kind: 'set', ids: ['UF116'], check: unmatchedGlobs },
  { kind: 'set', ids: ['UF117'], check: unusedTemplates },
]
