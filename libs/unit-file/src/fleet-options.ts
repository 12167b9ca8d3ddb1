/** What a unit asks of the machine it runs on: the [X-Fleet] section. Rules: fleet 1.0, spec/fleet.md §2.5–2.8. */
import { err, ok, type Result } from '@cluster/prelude'
import { expandFleetSpecifiers } from './fleet-specifiers.ts'
import { matchGlob } from './go-glob.ts'
import { goQuote } from './go-quote.ts'
import type { UnitOption } from './option.ts'
import { readAsFleet } from './read-fleet.ts'
import { renderOptions } from './render.ts'
import { compareBytes } from './unit-tree.ts'

/** Requirements with legacy spellings merged, specifiers expanded and lists split. */
export type FleetRequirements = {
  /** Full machine ID or its first 8 characters; `''` is a requirement that no machine meets. */
  readonly machineId?: string
  /** Exact names of units that must be on the same machine. */
  readonly machineOf: readonly string[]
  /** Globs (Go `path.Match`) on names of units that must not be on the same machine. */
  readonly conflicts: readonly string[]
  /** Globs on names of units that this one pushes to another machine. */
  readonly replaces: readonly string[]
  /** Key → allowed values; every key must match one of its values. */
  readonly metadata: ReadonlyMap<string, readonly string[]>
  readonly global: boolean
}

/** Why fleet refuses the options of a unit. */
export type FleetOptionsError = {
  /** Byte for byte what fleet answers. */
  readonly message: string
}

/** Which spellings of a requirement count, in the order in which their values are taken. */
export const fleetKeys = {
  machineId: ['MachineID', 'X-ConditionMachineID', 'X-ConditionMachineBootID'],
  machineOf: ['X-ConditionMachineOf', 'MachineOf'],
  metadata: ['X-ConditionMachineMetadata', 'MachineMetadata'],
  conflicts: ['X-Conflicts', 'Conflicts'],
  replaces: ['Replaces'],
  global: ['Global'],
} as const

const knownKeys: ReadonlySet<string> = new Set(Object.values(fleetKeys).flat())

/** Go's `unicode.IsSpace`, which is neither systemd's nor ECMAScript's idea of white space. */
const goSpaces = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/

/**
 * The requirements of a unit exactly as fleet 1.0 reads them, its traps 33, 35 and 36 included.
 * `readRequirements` is the repaired reading.
 *
 * @param unitName fills the specifiers; a name without a dot leaves them as they are
 * @param options all options of the unit, any section; only `X-Fleet` counts
 */
export function readFleetRequirements(unitName: string, options: readonly UnitOption[]): FleetRequirements {
  return requirementsOf(fleetItems(options), (item) => expandFleetSpecifiers(unitName, item))
}

/**
 * Key → raw items of section `X-Fleet`, in file order, unexpanded. A value that starts and ends with `"` is cut at
 * blanks outside of quotes; any other value is one item.
 *
 * @see spec/fleet.md §2.5
 */
export function fleetItems(options: readonly UnitOption[]): ReadonlyMap<string, readonly string[]> {
  const items = new Map<string, string[]>()
  for (const { section, name, value } of options) {
    if (section !== 'X-Fleet') continue
    const existing = items.get(name)
    if (existing === undefined) items.set(name, splitFleetValue(value))
    else existing.push(...splitFleetValue(value))
  }
  return items
}

/**
 * Refuses the combinations that fleet refuses on create, in its words. As in fleet, specifiers are not expanded here
 * (trap 37); peers are looked at in file order, where fleet's order is random.
 *
 * @see spec/fleet.md §2.8
 */
export function checkFleetOptions(options: readonly UnitOption[]): Result<void, FleetOptionsError> {
  const parsedBack = readAsFleet(renderOptions(options))
  if (!parsedBack.ok) return err({ message: parsedBack.error.message })
  const message = combinationError(requirementsOf(fleetItems(options), (item) => item))
  return message === undefined ? ok(undefined) : err({ message })
}

/** Keys of section `X-Fleet` that fleet does not know, each once, in file order. Keys are case-sensitive. */
export function unrecognizedFleetKeys(options: readonly UnitOption[]): readonly string[] {
  return [...fleetItems(options).keys()].filter((key) => !knownKeys.has(key))
}

/** What fleetctl says of a key it does not know, without its `Unit NAME: `. */
export const unrecognizedFleetKeyMessage = (key: string): string =>
  `unrecognized requirement in [X-Fleet] section: ${goQuote(key)}`

/** The first refused combination of these requirements in fleet's words; `undefined` when they go together. */
export function combinationError(requirements: FleetRequirements): string | undefined {
  const { machineId, machineOf, conflicts, replaces, global } = requirements
  for (const peer of machineOf) {
    for (const [word, globs] of [
      ['conflict', conflicts],
      ['replace', replaces],
    ] as const) {
      const glob = globs.find((pattern) => matchGlob(pattern, peer))
      if (glob === undefined) continue
      return `unresolvable requirements: peer ${goQuote(peer)} matches ${word} ${goQuote(glob)}`
    }
  }
  const given = {
    MachineID: machineId !== undefined,
    Peers: machineOf.length > 0,
    Conflicts: conflicts.length > 0,
    Global: global,
    Replaces: replaces.length > 0,
  }
  const clash = refusedPairs.find(([one, other]) => given[one] && given[other])
  return clash && `${clash[0]} cannot be used with ${clash[1]}`
}

const refusedPairs = [
  ['MachineID', 'Peers'],
  ['MachineID', 'Conflicts'],
  ['MachineID', 'Global'],
  ['MachineID', 'Replaces'],
  ['Global', 'Peers'],
  ['Global', 'Replaces'],
  ['Conflicts', 'Replaces'],
] as const

type Items = ReadonlyMap<string, readonly string[]>

function requirementsOf(items: Items, expand: (item: string) => string): FleetRequirements {
  const of = (keys: readonly string[]): readonly string[] => keys.flatMap((key) => items.get(key) ?? []).map(expand)
  // Not `of`: the first spelling that is present decides, the others are not looked at.
  const machineId = fleetKeys.machineId.map((key) => items.get(key)?.[0]).find((item) => item !== undefined)
  return {
    ...(machineId === undefined ? {} : { machineId: expand(machineId) }),
    machineOf: of(fleetKeys.machineOf),
    conflicts: of(fleetKeys.conflicts).flatMap(goFields),
    replaces: of(fleetKeys.replaces),
    metadata: metadataOf(of(fleetKeys.metadata).flatMap(metadataPair)),
    global: isFleetTrue(of(fleetKeys.global).at(-1) ?? ''),
  }
}

/** Whether a value of `Global=` means yes. Only these five words do, in any case. */
export const isFleetTrue = (value: string): boolean => ['true', 'yes', '1', 'on', 't'].includes(value.toLowerCase())

/** Key → its values, sorted and each once, from key-value pairs in any order. */
export function metadataOf(pairs: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, Set<string>>()
  for (const [key, value] of pairs) values.set(key, (values.get(key) ?? new Set()).add(value))
  return new Map([...values].map(([key, set]) => [key, [...set].sort(compareBytes)]))
}

/** `k=v` with exactly one `=` and text on both sides; fleet ignores everything else (trap 33). */
function metadataPair(item: string): readonly (readonly [string, string])[] {
  const [key, value, ...more] = item.split('=')
  return key && value && more.length === 0 ? [[key, value]] : []
}

const goFields = (text: string): readonly string[] => text.split(goSpaces).filter((word) => word !== '')

function splitFleetValue(value: string): string[] {
  if (!value.startsWith('"') || !value.endsWith('"')) return [value]
  const items: string[] = []
  let item = ''
  let inQuotes = false
  for (const char of value) {
    if (char === '"') inQuotes = !inQuotes
    else if (char === ' ' && !inQuotes) {
      items.push(item)
      item = ''
    } else item += char
  }
  items.push(item)
  return items
}
