/**
 * Values under fleet's keys. Written byte for byte as the original writes them; read with tolerance: unknown fields are
 * passed over, names match without regard to case, and what cannot be read is said, never thrown.
 * Source: spec/fleet.md §4 "Unit state JSON", "Reading rules", "Old registries".
 */
import { renderGoJson } from '@cluster/fleet-api'
import { err, ok, type Result } from '@cluster/prelude'
import type { BrakeReason } from '@cluster/scheduler'

/** Why a stored value cannot be used. */
export type Damage = { readonly message: string }

export type JobObject = { readonly name: string /** 40 hex digits. */; readonly hash: string }

/** What a machine says of itself. */
export type MachineObject = {
  readonly id: string
  readonly publicIp: string
  readonly metadata: Readonly<Record<string, string>>
  /** Never leads. */
  readonly engineDisabled: boolean
  readonly version: string
}

/** What systemd says of a unit on one machine. */
export type UnitState = {
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly machine: string
  /** 40 hex digits. */
  readonly hash: string
}

export type EngineLease = {
  readonly machine: string
  /** 0: written by an engine that knew no versions; such a lease may be taken over. */
  readonly version: number
}

/** The value of `unit/HASH`. */
export const encodeUnitText = (text: string): string => renderGoJson({ Raw: text })

export function decodeUnitText(value: string): Result<string, Damage> {
  const fields = readFields(value)
  if (!fields.ok) return fields
  const text = fields.value.get('raw')
  return typeof text === 'string' ? ok(text) : err({ message: '"Raw" is missing or no text' })
}

/** The value of `job/N/object`. */
export const encodeJobObject = ({ name, hash }: JobObject): string =>
  renderGoJson({ Name: name, UnitHash: (hash.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16)) })

export function decodeJobObject(value: string): Result<JobObject, Damage> {
  const fields = readFields(value)
  if (!fields.ok) return fields
  const name = fields.value.get('name')
  if (typeof name !== 'string' || name === '') return err({ message: '"Name" is missing or no text' })
  const bytes = fields.value.get('unithash')
  if (!Array.isArray(bytes) || bytes.length !== 20 || !bytes.every(isByte)) {
    return err({ message: '"UnitHash" is not a list of 20 bytes' })
  }
  return ok({ name, hash: bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') })
}

const isByte = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255

/** The value of `machines/ID/object`. Metadata keys are sorted. */
export const encodeMachine = ({ id, publicIp, metadata, engineDisabled, version }: MachineObject): string =>
  renderGoJson({
    ID: id,
    PublicIP: publicIp,
    Metadata: Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
    Capabilities: { DISABLE_ENGINE: engineDisabled, GRPC: false },
    Version: version,
  })

export function decodeMachine(value: string): Result<MachineObject, Damage> {
  const fields = readFields(value)
  if (!fields.ok) return fields
  const id = fields.value.get('id')
  if (typeof id !== 'string' || id === '') return err({ message: '"ID" is missing or no text' })
  const metadata: Record<string, string> = {}
  for (const [name, text] of Object.entries(objectOr(fields.value.get('metadata')))) {
    if (typeof text === 'string') metadata[name] = text
  }
  return ok({
    id,
    publicIp: textOr(fields.value.get('publicip')),
    metadata,
    engineDisabled: objectOr(fields.value.get('capabilities'))['DISABLE_ENGINE'] === true,
    version: textOr(fields.value.get('version')),
  })
}

/** The value of `states/N/ID` and `state/N`. */
export const encodeUnitState = ({ loadState, activeState, subState, machine, hash }: UnitState): string =>
  renderGoJson({
    loadState,
    activeState,
    subState,
    machineState: { ID: machine, PublicIP: '', Metadata: null, Capabilities: null, Version: '' },
    unitHash: hash,
  })

/** A state without a machine is none of use: its `machine` is `''`. */
export function decodeUnitState(value: string): Result<UnitState, Damage> {
  const fields = readFields(value)
  if (!fields.ok) return fields
  const machine = foldNames(objectOr(fields.value.get('machinestate'))).get('id')
  return ok({
    loadState: textOr(fields.value.get('loadstate')),
    activeState: textOr(fields.value.get('activestate')),
    subState: textOr(fields.value.get('substate')),
    machine: textOr(machine),
    hash: textOr(fields.value.get('unithash')),
  })
}

/** The version of the engine's rules. A registry with a higher one is left to newer engines. */
export const engineVersion = 1

/** The value of `lease/engine-leader`. */
export const encodeLease = ({ machine, version }: EngineLease): string =>
  renderGoJson({ MachineID: machine, Version: version })

/** A value that is no JSON object is the bare machine ID of an engine without a version. */
export function decodeLease(value: string): EngineLease {
  const fields = readFields(value)
  if (!fields.ok) return { machine: value, version: 0 }
  const version = fields.value.get('version')
  return { machine: textOr(fields.value.get('machineid')), version: typeof version === 'number' ? version : 0 }
}

/** A machine that is to get no further scheduled units. Ours; the original knows none. */
export type Cordon = {
  /** Its units are to move elsewhere, as far as they fit there. */
  readonly drain: boolean
}

/** The value of `cordon/ID`. */
export const encodeCordon = ({ drain }: Cordon): string => renderGoJson({ drain })

export function decodeCordon(value: string): Result<Cordon, Damage> {
  const fields = readFields(value)
  return fields.ok ? ok({ drain: fields.value.get('drain') === true }) : fields
}

/** What the brake holds back, and why. Ours. */
export type BrakeRecord = BrakeReason & {
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number
}

/** The value of `brake/held`. */
export const encodeBrakeRecord = ({
  lostMachines,
  wouldMove,
  moved,
  allowed,
  placedUnits,
  sinceMs,
}: BrakeRecord): string => renderGoJson({ allowed, lostMachines, moved, placedUnits, sinceMs, wouldMove })

export function decodeBrakeRecord(value: string): Result<BrakeRecord, Damage> {
  const fields = readFields(value)
  if (!fields.ok) return fields
  const lostMachines = textsOr(fields.value.get('lostmachines'))
  if (lostMachines === undefined) return err({ message: '"lostMachines" is not a list of texts' })
  return ok({
    lostMachines,
    wouldMove: numberOr(fields.value.get('wouldmove')),
    moved: numberOr(fields.value.get('moved')),
    allowed: numberOr(fields.value.get('allowed')),
    placedUnits: numberOr(fields.value.get('placedunits')),
    sinceMs: numberOr(fields.value.get('sincems')),
  })
}

/** That units may leave these lost machines all the same. Ours. */
export type BrakeRelease = { readonly machines: readonly string[] }

/** The value of `brake/release`. */
export const encodeBrakeRelease = ({ machines }: BrakeRelease): string => renderGoJson({ machines })

export function decodeBrakeRelease(value: string): Result<BrakeRelease, Damage> {
  const fields = readFields(value)
  if (!fields.ok) return fields
  const machines = textsOr(fields.value.get('machines'))
  return machines === undefined ? err({ message: '"machines" is not a list of texts' }) : ok({ machines })
}

/** Names in lower case; where two differ in case only, the later wins, as in the original's reader. */
function readFields(value: string): Result<ReadonlyMap<string, unknown>, Damage> {
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch {
    return err({ message: `no JSON: ${excerpt(value)}` })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return err({ message: `no JSON object: ${excerpt(value)}` })
  }
  return ok(foldNames(parsed))
}

const foldNames = (value: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]))

const objectOr = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}

const textsOr = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined

const numberOr = (value: unknown): number => (typeof value === 'number' ? value : 0)

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '')

const excerpt = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
