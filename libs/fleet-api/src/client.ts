/** A client of the fleet v1 API, of our daemon and of the original one alike. Source: spec/fleet.md §8. */
import type { Result } from '@cluster/prelude'
import type { UnitOption } from '@cluster/unit-file'
import {
  type BadAnswer,
  decodeBrake,
  decodeCordons,
  decodeErrorMessage,
  decodeExplanation,
  decodeMachinePage,
  decodeStatePage,
  decodeUnit,
  decodeUnitPage,
  encodeMetadataChanges,
  type Page,
} from './codec.ts'
import { FleetApiError } from './errors.ts'
import { renderGoJson } from './go-json.ts'
import type {
  FleetBrake,
  FleetCordon,
  FleetMachine,
  FleetUnit,
  FleetUnitState,
  MetadataChange,
  TargetState,
  UnitExplanation,
} from './schema.ts'
import type { FleetAnswer, FleetRequest, FleetTransport } from './transport.ts'

export type UnitChange = {
  /** The whole content. Absent: the content stays as it is. */
  readonly options?: readonly UnitOption[]
  /** Absent: a new or replaced unit is `inactive`. */
  readonly targetState?: TargetState
}

export type PutOutcome = {
  /** `created`: new, or its content was replaced. `updated`: only what is wanted of it was set. */
  readonly kind: 'created' | 'updated'
  /** What the daemon has to say about the unit all the same, such as an unknown [X-Fleet] key. */
  readonly warnings: readonly string[]
}

/**
 * All methods throw FleetApiError: `fleet-api/unreachable`, `fleet-api/timeout`, `fleet-api/unavailable`,
 * `fleet-api/refused`, `fleet-api/server-failed`, `fleet-api/invalid-answer`, `fleet-api/aborted`.
 */
export type FleetClient = {
  /** Where it talks to, as it was given. */
  readonly endpoint: string
  /** All units by name; pages are followed. */
  readonly listUnits: (signal?: AbortSignal) => Promise<readonly FleetUnit[]>
  /** One unit, or `undefined` when there is none of that name. */
  readonly getUnit: (name: string, signal?: AbortSignal) => Promise<FleetUnit | undefined>
  /** Creates, replaces or only retargets a unit. Refusals (`fleet-api/refused`) carry the daemon's words. */
  readonly putUnit: (name: string, change: UnitChange, signal?: AbortSignal) => Promise<PutOutcome>
  /** Whether the unit was there to be destroyed. */
  readonly deleteUnit: (name: string, signal?: AbortSignal) => Promise<boolean>
  /** What systemd says of units, by name and machine; filters are exact. */
  readonly listStates: (
    filter?: { readonly unit?: string; readonly machineId?: string },
    signal?: AbortSignal,
  ) => Promise<readonly FleetUnitState[]>
  /** The state of one unit, `undefined` when none is published; of a global unit some machine's. */
  readonly getState: (name: string, signal?: AbortSignal) => Promise<FleetUnitState | undefined>
  /** Machines that are up, by ID. */
  readonly listMachines: (signal?: AbortSignal) => Promise<readonly FleetMachine[]>
  /** Changes dynamic metadata, in order; all changes are checked before the first is made. */
  readonly changeMetadata: (changes: readonly MetadataChange[], signal?: AbortSignal) => Promise<void>
  /**
   * Why the unit runs where it runs, or nowhere. `unsupported`: the daemon is an original one, which cannot tell.
   */
  readonly why: (name: string, signal?: AbortSignal) => Promise<UnitExplanation | 'no-such-unit' | 'unsupported'>
  /** Machines that get no further scheduled units, by ID, also those that are away. `unsupported`: see `why`. */
  readonly listCordons: (signal?: AbortSignal) => Promise<readonly FleetCordon[] | 'unsupported'>
  /** Keeps further scheduled units off a machine; with `drain` those it has move elsewhere, as far as they fit there. */
  readonly cordon: (cordon: FleetCordon, signal?: AbortSignal) => Promise<'done' | 'unsupported'>
  /** Takes a cordon away, and ends a drain. */
  readonly uncordon: (machineId: string, signal?: AbortSignal) => Promise<'done' | 'unsupported'>
  /** Whether units of lost machines are held back. */
  readonly brake: (signal?: AbortSignal) => Promise<FleetBrake | 'unsupported'>
  /** Lets units leave the machines that are held back now, for as long as those are away, at most 10 minutes. */
  readonly releaseBrake: (signal?: AbortSignal) => Promise<'done' | 'not-held' | 'unsupported'>
}

export type FleetClientOptions = {
  /** Called with what the daemon remarks on a list, such as that its brake holds; again with every list. */
  readonly onWarning?: (text: string) => void
}

const base = '/fleet/v1'

/** More pages than a token can count: a server that sends the same page again and again is stopped here. */
const pagesMax = 65_535

/** The client over any transport; `connectFleet` gives it one over HTTP. */
export function createFleetClient(
  endpoint: string,
  send: FleetTransport,
  { onWarning }: FleetClientOptions = {},
): FleetClient {
  const place = (request: FleetRequest): string => `${request.method} ${request.path} at ${endpoint}`

  const request = async (sent: FleetRequest, accepted: readonly number[]): Promise<FleetAnswer> => {
    const answer = await send(sent)
    if (!accepted.includes(answer.status)) throw failure(place(sent), endpoint, answer)
    return answer
  }

  const decoded = <T>(sent: FleetRequest, answer: FleetAnswer, decode: (value: unknown) => Result<T, BadAnswer>): T => {
    const outcome = decode(parseBody(answer.body, place(sent), endpoint))
    if (outcome.ok) return outcome.value
    throw invalidAnswer(place(sent), endpoint, outcome.error.message)
  }

  const list = async <Item>(
    path: string,
    query: URLSearchParams,
    decode: (value: unknown) => Result<Page<Item>, BadAnswer>,
    signal: AbortSignal | undefined,
  ): Promise<readonly Item[]> => {
    const items: Item[] = []
    for (let count = 0; count < pagesMax; count++) {
      const sent = get(query.size === 0 ? path : `${path}?${query}`, signal)
      const answer = await request(sent, [200])
      for (const text of count === 0 ? answer.warnings : []) onWarning?.(text)
      const page = decoded(sent, answer, decode)
      items.push(...page.items)
      if (page.nextPageToken === undefined) return items
      query.set('nextPageToken', page.nextPageToken)
    }
    throw invalidAnswer(`GET ${path} at ${endpoint}`, endpoint, `more than ${pagesMax} pages`)
  }

  const single = async <T>(
    path: string,
    decode: (value: unknown) => Result<T, BadAnswer>,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> => {
    const sent = get(path, signal)
    const answer = await request(sent, [200, 404])
    return answer.status === 404 ? undefined : decoded(sent, answer, decode)
  }

  /** A request that an original daemon does not know: it says 404 with an empty message. */
  const ours = async (sent: FleetRequest, accepted: readonly number[]): Promise<FleetAnswer | 'unsupported'> => {
    const answer = await request(sent, [...accepted, 404, 405])
    if (accepted.includes(answer.status)) return answer
    if (messageOf(answer.body) === '' || answer.status === 405) return 'unsupported'
    throw failure(place(sent), endpoint, answer)
  }
  const oursRead = async <T>(
    path: string,
    decode: (value: unknown) => Result<T, BadAnswer>,
    signal: AbortSignal | undefined,
  ): Promise<T | 'unsupported'> => {
    const sent = get(`${base}/${path}`, signal)
    const answer = await ours(sent, [200])
    return answer === 'unsupported' ? answer : decoded(sent, answer, decode)
  }
  const oursDone = async (sent: FleetRequest): Promise<'done' | 'unsupported'> =>
    (await ours(sent, [200, 204])) === 'unsupported' ? 'unsupported' : 'done'

  return {
    endpoint,
    listUnits: (signal) => list(`${base}/units`, new URLSearchParams(), decodeUnitPage, signal),
    getUnit: (name, signal) => single(unitPath(name), decodeUnit, signal),
    async putUnit(name, { options, targetState }, signal) {
      const body = renderGoJson({
        desiredState: targetState,
        name,
        options: options?.map(({ section, name, value }) => ({ name, section, value })),
      })
      const sent: FleetRequest = {
        method: 'PUT',
        path: unitPath(name),
        body,
        ...withSignal(signal),
      }
      const answer = await request(sent, [200, 201, 204])
      return { kind: answer.status === 201 ? 'created' : 'updated', warnings: answer.warnings }
    },
    async deleteUnit(name, signal) {
      const sent: FleetRequest = { method: 'DELETE', path: unitPath(name), ...withSignal(signal) }
      return (await request(sent, [200, 204, 404])).status !== 404
    },
    listStates({ unit, machineId } = {}, signal) {
      const query = new URLSearchParams()
      if (unit !== undefined) query.set('unitName', unit)
      if (machineId !== undefined) query.set('machineID', machineId)
      return list(`${base}/state`, query, decodeStatePage, signal)
    },
    // The filter, not state/N: the original closes the connection when there is no state (spec/fleet.md trap 14).
    async getState(name, signal) {
      const query = new URLSearchParams({ unitName: name })
      const states = await list(`${base}/state`, query, decodeStatePage, signal)
      return states[0]
    },
    listMachines: (signal) => list(`${base}/machines`, new URLSearchParams(), decodeMachinePage, signal),
    async changeMetadata(changes, signal) {
      const body = renderGoJson(encodeMetadataChanges(changes))
      await request({ method: 'PATCH', path: `${base}/machines`, body, ...withSignal(signal) }, [200, 204])
    },
    async why(name, signal) {
      const sent = get(`${unitPath(name)}/why`, signal)
      const answer = await request(sent, [200, 404, 405])
      if (answer.status === 200) return decoded(sent, answer, decodeExplanation)
      // An original daemon knows no such path and says 404 with an empty message.
      return messageOf(answer.body) === '' || answer.status === 405 ? 'unsupported' : 'no-such-unit'
    },
    listCordons: (signal) => oursRead('cordons', decodeCordons, signal),
    cordon: ({ machineId, drain }, signal) =>
      oursDone({ method: 'PUT', path: cordonPath(machineId), body: renderGoJson({ drain }), ...withSignal(signal) }),
    uncordon: (machineId, signal) => oursDone({ method: 'DELETE', path: cordonPath(machineId), ...withSignal(signal) }),
    brake: (signal) => oursRead('brake', decodeBrake, signal),
    async releaseBrake(signal) {
      const answer = await ours({ method: 'DELETE', path: `${base}/brake`, ...withSignal(signal) }, [200, 204, 409])
      if (answer === 'unsupported') return answer
      return answer.status === 409 ? 'not-held' : 'done'
    },
  }
}

const unitPath = (name: string): string => `${base}/units/${encodeURIComponent(name)}`

const cordonPath = (machineId: string): string => `${base}/cordons/${encodeURIComponent(machineId)}`

const withSignal = (signal: AbortSignal | undefined): { readonly signal?: AbortSignal } =>
  signal === undefined ? {} : { signal }

const get = (path: string, signal: AbortSignal | undefined): FleetRequest => ({
  method: 'GET',
  path,
  ...withSignal(signal),
})

function parseBody(body: string, place: string, endpoint: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw invalidAnswer(place, endpoint, `no JSON, but ${JSON.stringify(body.slice(0, 60))}`, cause)
  }
}

/** The daemon's own words, `''` when it has none. */
function messageOf(body: string): string {
  try {
    return decodeErrorMessage(JSON.parse(body)) ?? ''
  } catch {
    return ''
  }
}

const invalidAnswer = (place: string, endpoint: string, found: string, cause?: unknown): FleetApiError =>
  new FleetApiError(
    'fleet-api/invalid-answer',
    `${place} answered with something a fleet daemon never says: ${found}`,
    {
      hint: `check that ${endpoint} is a fleetd and not another server, such as the store`,
      cause,
    },
  )

/** What the daemon itself says is wrong, ahead of what it may be. Daemons of the original say nothing. */
const withReasons = ({ warnings }: FleetAnswer, hint: string): string => [...warnings, hint].join('\n')

function failure(place: string, endpoint: string, answer: FleetAnswer): FleetApiError {
  const message = messageOf(answer.body)
  const details = { answer: { status: answer.status, body: answer.body.slice(0, 4096), message } }
  const said = `${place}: HTTP ${answer.status}${message === '' ? '' : `: ${message}`}`
  if (answer.status === 503) {
    const hint = 'fleetd cannot reach its store, or has not joined the cluster yet: see its log (journalctl -u fleetd)'
    return new FleetApiError('fleet-api/unavailable', said, { ...details, hint: withReasons(answer, hint) })
  }
  if (answer.status >= 400 && answer.status < 500) {
    const hint = answer.status === 404 && message === '' ? `check that ${endpoint} is a fleetd` : undefined
    return new FleetApiError('fleet-api/refused', said, { ...details, hint })
  }
  if (answer.status >= 500) {
    const hint =
      'the store did not answer in time, or holds something that cannot be read: see the log of fleetd (journalctl -u fleetd)'
    return new FleetApiError('fleet-api/server-failed', said, { ...details, hint: withReasons(answer, hint) })
  }
  return new FleetApiError('fleet-api/invalid-answer', said, { ...details, hint: `check that ${endpoint} is a fleetd` })
}
