/** `units` and `units/N`. Source: spec/fleet.md §8; `units/N/why` is an addition of ours. */
import { encodeExplanation, encodePage, encodeUnit, encodeWarning, type FleetUnit } from '@cluster/fleet-api'
import { type HttpRequest, type HttpResponse, readText } from '@cluster/http'
import { brakeText, explainUnit, findMachineOfCycles, verdictText } from '@cluster/scheduler'
import { byteLength } from '@cluster/unit-file'
import { FleetError } from '../errors.ts'
import { type ClusterView, clusterStateOf, currentStateOf, type RegistryUnit } from '../registry/cluster-view.ts'
import { bareAnswer, errorAnswer, jsonAnswer, refused } from './answers.ts'
import { brakeWarning, standingBrake } from './brake.ts'
import type { ApiContext } from './context.ts'
import { pageOf, requestedPage } from './pages.ts'
import {
  type CheckedContent,
  checkContent,
  checkContentType,
  checkTargetState,
  readUnitRequest,
  type UnitRequest,
} from './unit-request.ts'

/** A JSON body may spell every byte of a unit in six. */
const bodyBytesMax = 8 * 1024 * 1024

const noSuchUnit = (): HttpResponse => errorAnswer(404, 'unit does not exist')

/** A global unit is everywhere or nowhere: it has no machine, and its state is said in lists only (trap 13). */
function wireUnit(view: Pick<ClusterView, 'states'>, unit: RegistryUnit, place: 'list' | 'single'): FleetUnit {
  const targetState = unit.targetState ?? unit.unknownTargetState
  const isGlobal = unit.requirements.global
  const currentState = isGlobal ? (place === 'list' ? 'inactive' : undefined) : currentStateOf(view, unit)
  return {
    name: unit.name,
    options: unit.options,
    ...(targetState === undefined ? {} : { targetState }),
    ...(currentState === undefined ? {} : { currentState }),
    ...(unit.machine === undefined || isGlobal ? {} : { machineId: unit.machine }),
  }
}

export async function listUnits({ readView, tokenLimit }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const page = requestedPage(request.query, tokenLimit)
  if (!page.ok) return refused(page.error)
  const view = await readView(page.value, request.signal)
  const units = [...view.units.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
  const { items, nextPageToken } = pageOf(units, page.value, tokenLimit)
  const encoded = items.map((unit) => encodeUnit(wireUnit(view, unit, 'list')))
  return jsonAnswer(encodePage('units', encoded, nextPageToken), brakeWarning(view))
}

/** No store has a key for a longer name, and no unit has such a name. */
const canExist = (name: string): boolean => byteLength(name) <= 256

export async function getUnit({ registry }: ApiContext, request: HttpRequest, name: string): Promise<HttpResponse> {
  if (!canExist(name)) return noSuchUnit()
  const stored = await registry.readUnit(name, request.signal)
  if (stored === undefined) return noSuchUnit()
  if (stored.kind === 'unreadable') throw unreadable(name, stored.unit.problem)
  return jsonAnswer(encodeUnit(wireUnit(stored, stored.unit, 'single')))
}

/** A unit that cannot be read can be destroyed all the same: there may be no other way to be rid of it. */
export async function deleteUnit({ registry }: ApiContext, request: HttpRequest, name: string): Promise<HttpResponse> {
  if (!canExist(name)) return noSuchUnit()
  const stored = await registry.readUnit(name, request.signal)
  if (stored === undefined) return noSuchUnit()
  await registry.destroyUnit(name, request.signal)
  return bareAnswer(204)
}

export async function putUnit(context: ApiContext, request: HttpRequest, name: string): Promise<HttpResponse> {
  const contentType = checkContentType(request.headers)
  if (!contentType.ok) return refused(contentType.error)
  const asked = readUnitRequest(name, await readText(request.body, { sizeBytesMax: bodyBytesMax }))
  if (!asked.ok) return refused(asked.error)
  const stored = await context.registry.readUnit(name, request.signal)
  const { options } = asked.value
  if (options.length === 0) {
    if (stored === undefined) return errorAnswer(409, 'unit does not exist and options field empty')
    return retarget(context, request, asked.value)
  }
  const content = checkContent(name, options)
  if (!content.ok) return refused(content.error)
  const isSame = stored?.kind === 'unit' && stored.unit.hash === content.value.hash
  if (isSame) return retarget(context, request, asked.value)
  return store(context, request, asked.value, content.value, stored !== undefined)
}

async function retarget(
  { registry }: ApiContext,
  request: HttpRequest,
  { name, targetState: text }: UnitRequest,
): Promise<HttpResponse> {
  if (text === '') return errorAnswer(409, 'must provide DesiredState to update existing unit')
  const targetState = checkTargetState(name, text)
  if (!targetState.ok) return refused(targetState.error)
  await registry.setTargetState(name, targetState.value, request.signal)
  return bareAnswer(204)
}

async function store(
  context: ApiContext,
  request: HttpRequest,
  { name, targetState: text }: UnitRequest,
  content: CheckedContent,
  isThere: boolean,
): Promise<HttpResponse> {
  const targetState = checkTargetState(name, text)
  if (!targetState.ok) return refused(targetState.error)
  const { registry } = context
  // Several writes that belong together: once begun they are finished, whether or not somebody still waits for the answer.
  if (isThere) await registry.replaceUnit(content, targetState.value)
  else await registry.createUnit(content, targetState.value)
  const warnings = [...content.warnings, ...(await cycleWarnings(context, request, name, content.text))]
  return bareAnswer(
    201,
    warnings.map((warning) => ['Warning', encodeWarning(warning)]),
  )
}

/** Units that wait for each other wait for ever. Each of them may be right by itself, so this is said, not refused. */
async function cycleWarnings(
  { readView }: ApiContext,
  request: HttpRequest,
  name: string,
  text: string,
): Promise<readonly string[]> {
  if (!text.includes('MachineOf')) return []
  const view = await readView(1, request.signal)
  const unit = view.units.get(name)
  if (unit === undefined || unit.requirements.machineOf.length === 0) return []
  return findMachineOfCycles(clusterStateOf(view).units)
    .filter((cycle) => cycle.includes(name))
    .map((cycle) => `MachineOf goes round in a circle, no machine can run these units: ${cycle.join(' -> ')}`)
}

/** Why a unit is where it is, or nowhere: the verdict on every machine, worked out now. */
export async function explain(context: ApiContext, request: HttpRequest, name: string): Promise<HttpResponse> {
  const view = await context.readView(1, request.signal)
  const bad = view.unreadableUnits.get(name)
  if (bad !== undefined) {
    const lines = [`${name}: cannot be used, ${bad.problem}`, 'submit it again, or destroy it']
    const explanation = { unit: name, situation: 'unreadable', lines, machines: [] }
    return jsonAnswer(encodeExplanation(explanation))
  }
  if (!view.units.has(name)) return noSuchUnit()
  const held = standingBrake(view)?.lostMachines.filter((id) => !view.machines.has(id)) ?? []
  const { situation, lines, machines } = explainUnit(clusterStateOf(view, held), name, context.policy)
  return jsonAnswer(
    encodeExplanation({
      unit: name,
      situation: situation.kind,
      lines: [...lines, ...brakeLines(view, name), ...stateLines(view, name)],
      ...('machine' in situation ? { machineId: situation.machine } : {}),
      machines: machines.map(({ machine, verdict }) => ({
        machineId: machine,
        fits: verdict.kind === 'fits' || verdict.kind === 'replace',
        rule: verdict.kind,
        text: verdictText(verdict),
      })),
    }),
  )
}

/** That the unit would move, if the brake did not hold it. */
function brakeLines(view: ClusterView, name: string): readonly string[] {
  const brake = standingBrake(view)
  const machine = view.units.get(name)?.machine
  if (brake === undefined || machine === undefined || !brake.lostMachines.includes(machine)) return []
  return [`the brake holds: ${brakeText(brake)}`]
}

/** What systemd says where the unit is, when that is not what one would wish. */
function stateLines(view: ClusterView, name: string): readonly string[] {
  return [...(view.states.get(name)?.values() ?? [])]
    .filter(({ loadState, activeState }) => loadState !== 'loaded' || activeState === 'failed')
    .map(
      ({ machine, loadState, activeState, subState }) =>
        `systemd on ${machine} says: load=${loadState} active=${activeState} sub=${subState}`,
    )
}

const unreadable = (name: string, problem: string): FleetError =>
  new FleetError('fleet/unreadable-unit', `unit ${name} cannot be used: ${problem}`, {
    hint: 'submit it again with its content, or destroy it',
  })
