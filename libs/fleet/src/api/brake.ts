/** `brake`: what the engine holds back after a mass loss, and letting it go. Ours. */
import { encodeBrake, encodeWarning } from '@cluster/fleet-api'
import type { HttpRequest, HttpResponse } from '@cluster/http'
import { brakeText } from '@cluster/scheduler'
import type { ClusterView } from '../registry/cluster-view.ts'
import { bareAnswer, errorAnswer, jsonAnswer } from './answers.ts'
import type { ApiContext } from './context.ts'

/** How long a release holds at most; it ends sooner, when nothing is left of what it was for. */
const releaseTtlSeconds = 600

export async function brakeState({ readView }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const { brake, brakeRelease } = await readView(1, request.signal)
  const released = brakeRelease?.machines ?? []
  return jsonAnswer(
    encodeBrake(
      brake === undefined ? { kind: 'idle', released } : { kind: 'held', released, text: brakeText(brake), ...brake },
    ),
  )
}

/** Lets units leave the machines that are held now, and no others. */
export async function releaseBrake({ registry, readView }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const { brake, brakeRelease } = await readView(1, request.signal)
  if (brake === undefined) return errorAnswer(409, 'the brake does not hold')
  const machines = [...new Set([...(brakeRelease?.machines ?? []), ...brake.lostMachines])].sort()
  await registry.writeBrakeRelease({ machines, ttlSeconds: releaseTtlSeconds })
  return bareAnswer(204)
}

/** Whoever lists anything is told that the brake holds. */
export const brakeWarning = ({ brake }: ClusterView): HttpResponse['headers'] =>
  brake === undefined ? [] : [['Warning', encodeWarning(`the brake holds: ${brakeText(brake)}`)]]
