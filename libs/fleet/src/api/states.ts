/** `state` and `state/N`. Source: spec/fleet.md §8. */
import { encodePage, encodeUnitState, type FleetUnitState } from '@cluster/fleet-api'
import type { HttpRequest, HttpResponse } from '@cluster/http'
import type { ClusterView } from '../registry/cluster-view.ts'
import { errorAnswer, jsonAnswer, refused } from './answers.ts'
import { brakeWarning } from './brake.ts'
import type { ApiContext } from './context.ts'
import { pageOf, requestedPage } from './pages.ts'

/** By unit, then by machine. */
function statesOf(view: Pick<ClusterView, 'states'>): readonly FleetUnitState[] {
  const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) => (one < other ? -1 : 1)
  return [...view.states].sort(byName).flatMap(([name, machines]) =>
    [...machines].sort(byName).map(([machineId, { hash, loadState, activeState, subState }]) => ({
      name,
      machineId,
      hash,
      loadState,
      activeState,
      subState,
    })),
  )
}

export async function listStates({ readView, tokenLimit }: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const page = requestedPage(request.query, tokenLimit)
  if (!page.ok) return refused(page.error)
  // The first value of a filter counts, and an empty one is none.
  const machine = request.query.get('machineID') ?? ''
  const unit = request.query.get('unitName') ?? ''
  const view = await readView(page.value, request.signal)
  const states = statesOf(view).filter(
    (state) => (machine === '' || state.machineId === machine) && (unit === '' || state.name === unit),
  )
  const { items, nextPageToken } = pageOf(states, page.value, tokenLimit)
  return jsonAnswer(encodePage('states', items.map(encodeUnitState), nextPageToken), brakeWarning(view))
}

/** Of a global unit, the state on the machine with the smallest ID. */
export async function getState({ readView }: ApiContext, request: HttpRequest, name: string): Promise<HttpResponse> {
  const view = await readView(1, request.signal)
  const state = statesOf(view).find((each) => each.name === name)
  // The original drops the connection here (trap 14).
  return state === undefined ? errorAnswer(404, 'unit state does not exist') : jsonAnswer(encodeUnitState(state))
}
