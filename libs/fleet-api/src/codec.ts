/**
 * Between the wire forms of the fleet v1 API and our model. Wire names (`desiredState`, `systemdSubState`, …) stop here.
 * Source: spec/fleet.md §8 "Entities"; empty fields are left out, keys are in alphabetical order.
 */
import { err, ok, type Result } from '@cluster/prelude'
import type { UnitOption } from '@cluster/unit-file'
import * as v from 'valibot'
import type { JsonValue } from './go-json.ts'
import type {
  FleetBrake,
  FleetCordon,
  FleetMachine,
  FleetUnit,
  FleetUnitState,
  MetadataChange,
  UnitExplanation,
} from './schema.ts'

/** What is wrong with an answer: the place in it, and what was found there. */
export type BadAnswer = { readonly message: string }

/** One page of a list. */
export type Page<Item> = { readonly items: readonly Item[]; readonly nextPageToken: string | undefined }

const text = v.optional(v.string(), '')

const optionSchema = v.pipe(
  v.object({ section: text, name: text, value: text }),
  v.transform(({ section, name, value }): UnitOption => ({ section, name, value })),
)

const unitSchema = v.pipe(
  v.object({
    name: v.string(),
    options: v.optional(v.array(optionSchema), []),
    desiredState: text,
    currentState: text,
    machineID: text,
  }),
  v.transform(
    ({ name, options, desiredState, currentState, machineID }): FleetUnit => ({
      name,
      options,
      ...(desiredState === '' ? {} : { targetState: desiredState }),
      ...(currentState === '' ? {} : { currentState }),
      ...(machineID === '' ? {} : { machineId: machineID }),
    }),
  ),
)

const unitStateSchema = v.pipe(
  v.object({
    name: v.string(),
    machineID: text,
    hash: text,
    systemdLoadState: text,
    systemdActiveState: text,
    systemdSubState: text,
  }),
  v.transform(
    (wire): FleetUnitState => ({
      name: wire.name,
      machineId: wire.machineID,
      hash: wire.hash,
      loadState: wire.systemdLoadState,
      activeState: wire.systemdActiveState,
      subState: wire.systemdSubState,
    }),
  ),
)

const machineSchema = v.pipe(
  v.object({
    id: v.string(),
    metadata: v.optional(v.record(v.string(), v.string()), {}),
    primaryIP: text,
    // A word that a later daemon may have counts as the weaker one.
    cordon: v.optional(
      v.pipe(
        v.string(),
        v.transform((word) => (word === 'draining' ? word : 'cordoned')),
      ),
    ),
  }),
  v.transform(
    ({ id, metadata, primaryIP, cordon }): FleetMachine => ({
      id,
      metadata,
      primaryIp: primaryIP,
      ...(cordon === undefined ? {} : { cordon }),
    }),
  ),
)

const cordonsSchema = v.pipe(
  v.object({
    cordons: v.optional(v.array(v.object({ machineID: v.string(), drain: v.optional(v.boolean(), false) })), []),
  }),
  v.transform(({ cordons }) => cordons.map(({ machineID, drain }): FleetCordon => ({ machineId: machineID, drain }))),
)

const count = v.optional(v.number(), 0)
const idList = v.optional(v.array(v.string()), [])
const brakeSchema = v.pipe(
  v.object({
    held: v.boolean(),
    released: idList,
    lostMachines: idList,
    wouldMove: count,
    moved: count,
    allowed: count,
    placedUnits: count,
    sinceMs: count,
    text,
  }),
  v.transform(
    ({ held, released, ...rest }): FleetBrake =>
      held ? { kind: 'held', released, ...rest } : { kind: 'idle', released },
  ),
)

const explanationSchema = v.pipe(
  v.object({
    unit: v.string(),
    situation: text,
    lines: v.optional(v.array(v.string()), []),
    machineID: text,
    machines: v.optional(
      v.array(v.object({ machineID: v.string(), fits: v.optional(v.boolean(), false), rule: text, text })),
      [],
    ),
  }),
  v.transform(
    ({ unit, situation, lines, machineID, machines }): UnitExplanation => ({
      unit,
      situation,
      lines,
      ...(machineID === '' ? {} : { machineId: machineID }),
      machines: machines.map((machine) => ({
        machineId: machine.machineID,
        fits: machine.fits,
        rule: machine.rule,
        text: machine.text,
      })),
    }),
  ),
)

const pageToken = v.optional(v.string())
const unitPageSchema = v.object({ units: v.optional(v.array(unitSchema), []), nextPageToken: pageToken })
const statePageSchema = v.object({ states: v.optional(v.array(unitStateSchema), []), nextPageToken: pageToken })
const machinePageSchema = v.object({ machines: v.optional(v.array(machineSchema), []), nextPageToken: pageToken })
const errorSchema = v.object({ error: v.object({ code: v.number(), message: v.optional(v.string(), '') }) })

const read = <Out>(schema: v.GenericSchema<unknown, Out>, value: unknown): Result<Out, BadAnswer> => {
  // valibot takes a list for an object without fields, and that for an empty page: no data is not empty data.
  if (Array.isArray(value)) return err({ message: 'the body: Invalid type: Expected Object but received Array' })
  const outcome = v.safeParse(schema, value)
  if (outcome.success) return ok(outcome.output)
  const [issue] = outcome.issues
  const place = v.getDotPath(issue)
  return err({ message: `${place === null ? 'the body' : `"${place}"`}: ${issue.message}` })
}

const lastToken = (token: string | undefined): string | undefined => (token === '' ? undefined : token)

/** A unit as a fleet daemon sent it. Missing fields are empty texts, unknown ones ignored. */
export const decodeUnit = (value: unknown): Result<FleetUnit, BadAnswer> => read(unitSchema, value)

export const decodeUnitState = (value: unknown): Result<FleetUnitState, BadAnswer> => read(unitStateSchema, value)

export const decodeExplanation = (value: unknown): Result<UnitExplanation, BadAnswer> => read(explanationSchema, value)

/** The answer to `GET cordons`. */
export const decodeCordons = (value: unknown): Result<readonly FleetCordon[], BadAnswer> => read(cordonsSchema, value)

/** The answer to `GET brake`. */
export const decodeBrake = (value: unknown): Result<FleetBrake, BadAnswer> => read(brakeSchema, value)

/** One page of `GET units`. */
export function decodeUnitPage(value: unknown): Result<Page<FleetUnit>, BadAnswer> {
  const page = read(unitPageSchema, value)
  return page.ok ? ok({ items: page.value.units, nextPageToken: lastToken(page.value.nextPageToken) }) : page
}

/** One page of `GET state`. */
export function decodeStatePage(value: unknown): Result<Page<FleetUnitState>, BadAnswer> {
  const page = read(statePageSchema, value)
  return page.ok ? ok({ items: page.value.states, nextPageToken: lastToken(page.value.nextPageToken) }) : page
}

/** One page of `GET machines`. */
export function decodeMachinePage(value: unknown): Result<Page<FleetMachine>, BadAnswer> {
  const page = read(machinePageSchema, value)
  return page.ok ? ok({ items: page.value.machines, nextPageToken: lastToken(page.value.nextPageToken) }) : page
}

/** The message of an error body; `undefined` when it is not one. */
export function decodeErrorMessage(value: unknown): string | undefined {
  const body = read(errorSchema, value)
  return body.ok ? body.value.error.message : undefined
}

const unlessEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

const encodeOption = ({ section, name, value }: UnitOption): JsonValue => ({
  name: unlessEmpty(name),
  section: unlessEmpty(section),
  value: unlessEmpty(value),
})

export const encodeUnit = ({ name, options, targetState, currentState, machineId }: FleetUnit): JsonValue => ({
  currentState: unlessEmpty(currentState),
  desiredState: unlessEmpty(targetState),
  machineID: unlessEmpty(machineId),
  name,
  options: options.length === 0 ? undefined : options.map(encodeOption),
})

export const encodeUnitState = (state: FleetUnitState): JsonValue => ({
  hash: unlessEmpty(state.hash),
  machineID: unlessEmpty(state.machineId),
  name: state.name,
  systemdActiveState: unlessEmpty(state.activeState),
  systemdLoadState: unlessEmpty(state.loadState),
  systemdSubState: unlessEmpty(state.subState),
})

export const encodeMachine = ({ id, metadata, primaryIp, cordon }: FleetMachine): JsonValue => ({
  cordon,
  id,
  metadata:
    Object.keys(metadata).length === 0
      ? undefined
      : Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
  primaryIP: unlessEmpty(primaryIp),
})

export const encodeExplanation = ({ unit, situation, lines, machineId, machines }: UnitExplanation): JsonValue => ({
  lines,
  machineID: unlessEmpty(machineId),
  machines: machines.map((machine) => ({
    fits: machine.fits,
    machineID: machine.machineId,
    rule: machine.rule,
    text: machine.text,
  })),
  situation,
  unit,
})

export const encodeCordons = (cordons: readonly FleetCordon[]): JsonValue => ({
  cordons: cordons.map(({ machineId, drain }) => ({ drain, machineID: machineId })),
})

export const encodeBrake = (brake: FleetBrake): JsonValue =>
  brake.kind === 'idle'
    ? { held: false, released: brake.released }
    : {
        allowed: brake.allowed,
        held: true,
        lostMachines: brake.lostMachines,
        moved: brake.moved,
        placedUnits: brake.placedUnits,
        released: brake.released,
        sinceMs: brake.sinceMs,
        text: brake.text,
        wouldMove: brake.wouldMove,
      }

/** One page of a list; an empty list is left out, so that an empty last page is `{}`. */
export const encodePage = (
  name: 'units' | 'states' | 'machines',
  items: readonly JsonValue[],
  nextPageToken: string | undefined,
): JsonValue => {
  const list = items.length === 0 ? undefined : items
  // 'machines' sorts ahead of 'nextPageToken', the other two behind it.
  return name === 'machines' ? { machines: list, nextPageToken } : { nextPageToken, [name]: list }
}

export const encodeError = (status: number, message: string): JsonValue => ({ error: { code: status, message } })

/** The body of `PATCH machines`. Its `value` is an object, unlike in JSON Patch (spec/fleet.md trap 17). */
export const encodeMetadataChanges = (changes: readonly MetadataChange[]): JsonValue =>
  changes.map((change) =>
    change.kind === 'set'
      ? { op: 'add', path: `/${change.machineId}/metadata/${change.key}`, value: { value: change.value } }
      : { op: 'remove', path: `/${change.machineId}/metadata/${change.key}` },
  )
