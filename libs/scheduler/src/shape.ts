/**
 * What a unit requires, as numbers. Units of equal shape fit the same machines, so that one answer serves all of them;
 * instances of a template mostly share one.
 */
import type { Unit } from './model.ts'

export type Shape = {
  readonly machineId: string | undefined
  readonly machineOf: readonly string[]
  readonly metadata: MetadataRequirement | undefined
  /** Numbers of the unit's own Conflicts globs. */
  readonly conflicts: readonly number[]
  /** Numbers of the unit's own Replaces globs. */
  readonly replaces: readonly number[]
  /** Numbers of all globs, of whichever unit and kind, that match its name. */
  readonly matchedBy: readonly number[]
  /** Equal for equal shapes. */
  readonly key: string
}

/** Equal requirements are one object. */
export type MetadataRequirement = { readonly required: Unit['requirements']['metadata'] }

export type ShapeTable = {
  /** The shape of a unit, one use of it more. Its globs must be known to `idOf`. */
  readonly acquire: (unit: Unit, idOf: (glob: string) => number | undefined, matchedBy: readonly number[]) => Shape
  /** One use less; the metadata requirement that nobody has any more, if any. */
  readonly release: (shape: Shape) => MetadataRequirement | undefined
}

export function createShapeTable(): ShapeTable {
  const shapes = new Map<string, { readonly shape: Shape; readonly metadataKey: string; uses: number }>()
  const metadata = new Map<string, { readonly requirement: MetadataRequirement; uses: number }>()

  return {
    acquire({ requirements }, idOf, matchedBy) {
      const { machineId, machineOf } = requirements
      if (isPlain(requirements) && matchedBy.length === 0) return plain
      const conflicts = idsOf(requirements.conflicts, idOf)
      const replaces = idsOf(requirements.replaces, idOf)
      const metadataKey = keyOfMetadata(requirements.metadata)
      const named = machineId === undefined && machineOf.length === 0 ? '' : keyOfNames(machineId, machineOf)
      const key = `${keyOfNumbers(conflicts)};${keyOfNumbers(replaces)};${keyOfNumbers(matchedBy)};${named};${metadataKey}`
      const known = shapes.get(key)
      if (known !== undefined) {
        known.uses++
        return known.shape
      }
      let shared = metadataKey === '' ? undefined : metadata.get(metadataKey)
      if (shared === undefined && metadataKey !== '') {
        shared = { requirement: { required: requirements.metadata }, uses: 0 }
        metadata.set(metadataKey, shared)
      }
      if (shared !== undefined) shared.uses++
      const shape: Shape = {
        machineId,
        machineOf: machineOf.length === 0 ? none : machineOf,
        metadata: shared?.requirement,
        conflicts,
        replaces,
        matchedBy: matchedBy.length === 0 ? none : matchedBy,
        key,
      }
      shapes.set(key, { shape, metadataKey, uses: 1 })
      return shape
    },
    release(shape) {
      const known = shapes.get(shape.key)
      if (known === undefined) return undefined
      known.uses--
      if (known.uses > 0) return undefined
      shapes.delete(shape.key)
      const shared = metadata.get(known.metadataKey)
      if (shared === undefined) return undefined
      shared.uses--
      if (shared.uses > 0) return undefined
      metadata.delete(known.metadataKey)
      return shared.requirement
    },
  }
}

const none: readonly never[] = []

/** Most units require nothing. */
const plain: Shape = {
  machineId: undefined,
  machineOf: none,
  metadata: undefined,
  conflicts: none,
  replaces: none,
  matchedBy: none,
  key: '',
}

const isPlain = ({ machineId, machineOf, conflicts, replaces, metadata }: Unit['requirements']): boolean =>
  machineId === undefined &&
  machineOf.length === 0 &&
  conflicts.length === 0 &&
  replaces.length === 0 &&
  metadata.size === 0

function idsOf(patterns: readonly string[], idOf: (glob: string) => number | undefined): readonly number[] {
  if (patterns.length === 0) return none
  const ids: number[] = []
  for (const pattern of patterns) {
    const id = idOf(pattern)
    if (id !== undefined && !ids.includes(id)) ids.push(id)
  }
  return ids
}

// Each text behind its length: no text can look like two.

const keyOfNames = (machineId: string | undefined, machineOf: readonly string[]): string =>
  `${machineId === undefined ? '' : keyOfText(machineId)},${keyOfTexts(machineOf)}`

function keyOfMetadata(required: Unit['requirements']['metadata']): string {
  if (required.size === 0) return ''
  if (required.size === 1) {
    for (const [key, allowed] of required) return `${keyOfText(key)}(${keyOfTexts(allowed)})`
  }
  const keys = Array.from(required, ([key, allowed]) => `${keyOfText(key)}(${keyOfTexts(allowed)})`)
  return keys.sort().join('')
}

function keyOfTexts(texts: readonly string[]): string {
  let key = ''
  for (const text of texts) key += keyOfText(text)
  return key
}

function keyOfNumbers(numbers: readonly number[]): string {
  let key = ''
  for (const number of numbers) key += `${number},`
  return key
}

const keyOfText = (text: string): string => `${text.length}:${text}`
