/**
 * flanneld as a library: configuration and link → device → lease → filter rules and subnet file → everybody's leases into
 * the kernel, and that for as long as it runs. Data moves forward; a lost lease is the one way back.
 */
import { type NetworkState, routeProtocol } from '@cluster/linux-net/state'
import { formatNet4, type Subnet } from '@cluster/subnet'
import { acquireLease } from './acquire-lease.ts'
import { awaitConfig, awaitExternal, readConfig } from './await-start.ts'
import { createBackend } from './backends/create-backend.ts'
import { type CheckReport, checkPeer } from './check.ts'
import { FlannelError } from './errors.ts'
import { createEvents } from './events.ts'
import type { ExternalInterface } from './external.ts'
import { networkProblem } from './judge-peers.ts'
import { createKeyspace } from './keyspace.ts'
import { createNetworkView } from './network-view.ts'
import { defaultPrefix, type Flannel, type FlannelEnd, type FlannelOptions } from './options.ts'
import { type Overlay, planOf } from './overlay.ts'
import type { Plan } from './plan.ts'
import { prepareDevice } from './prepare-device.ts'
import { type PreviousRun, readPreviousRun } from './previous-run.ts'
import {
  attributesOf,
  createService,
  formerDevicesIn,
  type Membership,
  markOf,
  ownershipOf,
  type Service,
} from './serve-lease.ts'
import { statusOf } from './service-status.ts'
import { withDefaults } from './settings.ts'
import type { FlannelPhase, FlannelStatus } from './status.ts'

/** A look at the kernel is used that long at the start; whoever waited longer for a configuration looks again. */
const freshMs = 1000

/**
 * The overlay of this machine in one network. Nothing happens before `run`.
 *
 * @throws FlannelError `flannel/bad-option`; KvError `kv/invalid-key` for a prefix or name that is none
 */
export function createFlannel(options: FlannelOptions): Flannel {
  const { kv, kernel, findExternal, subnetFile, clock, random, log, meter, name } = options
  const settings = withDefaults(options.config)
  const keyspace = createKeyspace(options.prefix ?? defaultPrefix, name)
  const events = createEvents(log, meter, name ?? '')
  const view = createNetworkView({ kv, keyspace, clock, random, log, events })
  const waiting = new Set<() => void>()
  let phase: FlannelPhase = 'starting'
  let service: Service | undefined
  let membership: Membership | undefined
  let configTextInUse: string | undefined
  let isConfigStale = false
  let wasReady = false

  const tellWaiting = (): void => {
    for (const tell of [...waiting]) tell()
  }

  /** The subnet and the network of the last run. */
  async function readPrevious(signal: AbortSignal): Promise<PreviousRun> {
    try {
      return await readPreviousRun(subnetFile, signal)
    } catch (error) {
      if (!signal.aborted) events.subnetFileUnreadable(error)
      return {}
    }
  }

  async function work(signal: AbortSignal): Promise<FlannelEnd> {
    phase = 'waiting-for-store'
    const forgetFirst = view.onChange(() => {
      if (phase === 'waiting-for-store') phase = 'waiting-for-config'
    })
    // Link, kernel and packet filter are looked at while the store is read: none needs the other.
    const looking = lookAround(signal)
    looking.catch(() => undefined)
    kernel.filter.mode(signal).catch(() => undefined)
    const deadlineMs = settings.externalDeadlineMs
    const lookingForExternal = awaitExternal({ findExternal, deadlineMs, clock, random, events }, signal)
    const readingPrevious = readPrevious(signal)
    lookingForExternal.catch(() => undefined)
    const config = await Promise.race([awaitConfig(view, keyspace, events, signal), failureOf(lookingForExternal)])
    forgetFirst()
    if (config === undefined) return 'stopped'
    configTextInUse = view.configText()
    const backend = createBackend(config)
    events.configFound({
      network: formatNet4(config.network),
      subnetLength: config.subnetLength,
      subnetMin: formatNet4({ ip: config.subnetMin, length: config.subnetLength }),
      subnetMax: formatNet4({ ip: config.subnetMax, length: config.subnetLength }),
      backend: config.backendType,
    })

    phase = 'waiting-for-interface'
    const external = await lookingForExternal
    if (external === undefined) return 'stopped'
    events.externalFound(external)
    const unusable = backend.problemWith(external)
    if (unusable !== undefined) {
      throw new FlannelError('flannel/unusable-backend', unusable.text, { hint: unusable.hint })
    }
    const previous = await readingPrevious
    const former = previous.network === undefined ? undefined : formatNet4(previous.network)
    const formerNetworks = former === undefined || former === formatNet4(config.network) ? [] : [former]
    const basis = {
      options,
      settings,
      keyspace,
      view,
      events,
      config,
      backend,
      formerNetworks,
      formerDevices: [],
      takesOver: false,
    }
    const ownership = ownershipOf(basis, external, undefined)
    const looked = await looking
    const isFresh = clock.monotonicMs() - looked.atMs <= freshMs
    const { state } = isFresh ? looked : await lookAround(signal)
    const formerDevices = formerDevicesIn(state, keyspace, backend)
    const devices = new Set([...ownership.devices.map((device) => device.name), ...formerDevices])
    const problem = networkProblem(state, { network: config.network, external, devices }, options.storeAddresses ?? [])
    if (problem !== undefined) throw new FlannelError('flannel/network-overlaps', problem.text, { hint: problem.hint })
    const mac = await prepareDevice({ kernel, backend, external, state, ownership, random }, signal)
    membership = {
      ...basis,
      formerDevices,
      ...(mac === undefined ? {} : { mac }),
      takesOver:
        previous.subnet !== undefined && !state.routes.some(({ protocol }) => protocol === ownership.routeProtocol),
    }
    return serve(membership, external, previous.subnet, signal)
  }

  /** Links, addresses and routes of the machine. What our device has in its tables is looked at later. */
  async function lookAround(signal: AbortSignal): Promise<{ readonly state: NetworkState; readonly atMs: number }> {
    const atMs = clock.monotonicMs()
    return {
      atMs,
      state: await kernel.observe({ devices: [], networks: [], routeProtocol, mark: markOf(keyspace) }, signal),
    }
  }

  /** Acquire and serve; once more with another subnet when the lease is lost and the operator wants that. */
  async function serve(
    member: Membership,
    firstExternal: ExternalInterface,
    firstPrevious: Subnet | undefined,
    signal: AbortSignal,
  ): Promise<FlannelEnd> {
    const { config, backend, mac } = member
    let external = firstExternal
    let previous = firstPrevious
    while (!signal.aborted) {
      phase = 'acquiring'
      const attributes = attributesOf(backend, external, mac)
      const { publicIp } = attributes
      const applicant = { config, publicIp, ...(previous === undefined ? {} : { previous }) }
      const deadlineMs = settings.acquireDeadlineMs
      const lease = await acquireLease(
        { kv, keyspace, applicant, attributes, deadlineMs, clock, random, events },
        signal,
      )
      if (lease === undefined) return 'stopped'
      phase = 'programming'
      await using current = await createService(member, lease, external)
      service = current
      const end = await current.run(() => {
        phase = 'running'
        wasReady = true
        tellWaiting()
      }, signal)
      if (end === 'stopped') return 'stopped'
      if (settings.onLeaseTaken === 'stop') return 'lease-lost'
      external = current.external()
      previous = undefined
    }
    return 'stopped'
  }

  /** Whether another configuration stands in the store than the one in use. It takes a restart: subnets would move. */
  function noticeConfig(): void {
    if (configTextInUse === undefined || membership === undefined) return
    const text = view.configText()
    const finding = readConfig(text)
    const before = readConfig(configTextInUse)
    const isStale = text !== undefined && JSON.stringify(finding) !== JSON.stringify(before)
    if (isStale && !isConfigStale) events.configChanged({ key: keyspace.config })
    isConfigStale = isStale
  }

  async function look(signal: AbortSignal | undefined): Promise<Overlay> {
    const current = service
    if (current === undefined) {
      throw new FlannelError('flannel/not-running', `there is no lease yet: ${phase}`, {
        hint: 'see status, and the log, for what it waits for',
      })
    }
    const observed: NetworkState = await kernel.observe(current.ownership(), signal)
    const filter = await kernel.filter.observe(current.filter().network, signal)
    return current.overlay(observed, filter)
  }

  return {
    async run(signal) {
      const stop = new AbortController()
      const both = AbortSignal.any([signal, stop.signal])
      let followFailure: { readonly error: unknown } | undefined
      const following = view.run(both).catch((error: unknown) => {
        followFailure = { error }
        stop.abort()
      })
      const forget = view.onChange(({ configChanged }) => {
        if (configChanged) noticeConfig()
      })
      try {
        const end = await work(both)
        if (followFailure !== undefined) throw followFailure.error
        events.stopped({ end })
        return end
      } finally {
        phase = 'stopped'
        service = undefined
        forget()
        stop.abort()
        await following
        tellWaiting()
      }
    },
    ready: (signal) =>
      new Promise((resolve) => {
        if (wasReady || signal.aborted || phase === 'stopped') return resolve(wasReady)
        const done = (): void => {
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve(wasReady)
        }
        waiting.add(done)
        signal.addEventListener('abort', done, { once: true })
      }),
    status: (): FlannelStatus =>
      statusOf({ phase, name, view, service, membership, isConfigStale, nowMs: clock.monotonicMs() }),
    plan: async (signal): Promise<Plan> => planOf(await look(signal)),
    check: async (peer, signal): Promise<CheckReport> => checkPeer(await look(signal), peer),
  }
}

/** Rejects when the promise does; never resolves. */
const failureOf = (promise: Promise<unknown>): Promise<never> =>
  new Promise((_, reject) => {
    promise.catch(reject)
  })
