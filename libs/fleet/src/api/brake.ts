/** `brake`: what the engine holds back after a mass loss, and letting it go. Ours. */
import { encodeBrake, encodeWarning } from '@cluster/fleet-api'
import type { HttpRequest, HttpResponse } from '@cluster/http'
import { brakeText } from '@cluster/scheduler'
import type { ClusterView } from '../registry/cluster-view.ts'
import type { BrakeRecord } from '../registry/codec.ts'
import { bareAnswer, errorAnswer, jsonAnswer } from './answers.ts'
import type { ApiContext } from './context.ts'

export async function brakeState({ readView }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const view = await readView(1, request.signal)
  const brake = standingBrake(view)
  const released = view.brakeRelease?.machines ?? []
  return jsonAnswer(
    encodeBrake(
      brake === undefined ? { kind: 'idle', released } : { kind: 'held', released, text: brakeText(brake), ...brake },
    ),
  )
}

/** Lets units leave the machines that are held now, and no others. */
export async function releaseBrake({ registry, readView }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const view = await readView(1, request.signal)
  const brake = standingBrake(view)
  if (brake === undefined) return errorAnswer(409, 'the brake does not hold')
  const machines = [...new Set([...(view.brakeRelease?.machines ?? []), ...brake.lostMachines])].sort()
  await registry.releaseBrake(machines)
  return bareAnswer(204)
}

/**
 * What the brake holds back. What an engine wrote long ago counts no more when nothing is left of it: an original engine
 * that leads since then neither heeds it nor takes it away.
 */
export function standingBrake({ brake, machines, units }: ClusterView): BrakeRecord | undefined {
  const away = new Set(brake?.lostMachines.filter((id) => !machines.has(id)))
  if (away.size === 0) return undefined
  for (const { machine } of units.values()) if (machine !== undefined && away.has(machine)) return brake
  return undefined
}

/** Whoever lists anything is told that the brake holds. */
export function brakeWarning(view: ClusterView): HttpResponse['headers'] {
  const brake = standingBrake(view)
  return brake === undefined ? [] : [['Warning', encodeWarning(`the brake holds: ${brakeText(brake)}`)]]
}
