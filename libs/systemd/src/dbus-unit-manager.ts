/**
 * Units through systemd's D-Bus interface, with raw messages: no introspection, six methods and a few properties.
 *
 * @see org.freedesktop.systemd1(5); spec/fleet.md §6.3 (Load, Start, Stop, Unload), traps 11, 15 and 47
 */
import type { Clock, Logger } from '@cluster/prelude'
import { type BusCall, type BusConnection, type BusSignal, connectBus } from './bus.ts'
import { noSuchUnit, SystemdError } from './errors.ts'
import { typeOf } from './manageable-name.ts'
import { unitObjectPath, unitOfObjectPath } from './object-path.ts'
import { createChangeHub } from './signals.ts'
import { hasEnded } from './states.ts'
import { type DirectoryUnit, openUnitDirectory } from './unit-directory.ts'
import type { LoadableUnit, UnitManager, UnitRuntime } from './unit-manager.ts'

export type DbusUnitManagerOptions = {
  /** `unix:path=…`; default is the system bus. */
  readonly busAddress?: string
  /** Where unit files are kept. Default `/run/fleet/units`, as fleet does. */
  readonly unitsDirectory?: string
  readonly log: Logger
  readonly clock: Clock
  /** How long `unload` waits for a unit to end. Default 100 s: more than systemd's own default of 90 s. */
  readonly stopTimeoutMs?: number
  /** For one call to systemd. Default 25 s; a daemon-reload may take four times as long. */
  readonly callTimeoutMs?: number
}

const destination = 'org.freedesktop.systemd1'
const managerPath = '/org/freedesktop/systemd1'
const managerInterface = 'org.freedesktop.systemd1.Manager'
const propertiesInterface = 'org.freedesktop.DBus.Properties'

const busName = 'org.freedesktop.DBus'
const busPath = '/org/freedesktop/DBus'

/** Interface that has Result, by unit type. */
const interfaceOfType: ReadonlyMap<string, string> = new Map([
  ['service', 'org.freedesktop.systemd1.Service'],
  ['socket', 'org.freedesktop.systemd1.Socket'],
  ['timer', 'org.freedesktop.systemd1.Timer'],
  ['path', 'org.freedesktop.systemd1.Path'],
  ['mount', 'org.freedesktop.systemd1.Mount'],
  ['automount', 'org.freedesktop.systemd1.Automount'],
])

/**
 * What we listen to. UnitNew and UnitRemoved are left out on purpose: asking for the state of a unit that is not
 * running makes systemd load it and drop it again, so listening to them would turn every look into a change.
 */
const matches: readonly string[] = [
  `type='signal',sender='${destination}',interface='${managerInterface}',member='JobRemoved'`,
  `type='signal',sender='${destination}',interface='${managerInterface}',member='Reloading'`,
  `type='signal',sender='${destination}',interface='${propertiesInterface}',member='PropertiesChanged',path_namespace='${managerPath}/unit'`,
  `type='signal',sender='${busName}',interface='${busName}',member='NameOwnerChanged',arg0='${destination}'`,
]

/**
 * Connects to systemd and opens the unit directory. When the bus or systemd goes away later, calls fail with
 * `systemd/unavailable` until it is back, which is tried for as long as the manager is open.
 *
 * @throws SystemdError `systemd/unavailable` without bus or systemd, `systemd/directory`
 */
export async function openDbusUnitManager({
  busAddress = 'unix:path=/run/dbus/system_bus_socket',
  unitsDirectory = '/run/fleet/units',
  log,
  clock,
  stopTimeoutMs = 100_000,
  callTimeoutMs = 25_000,
}: DbusUnitManagerOptions): Promise<UnitManager> {
  const directory = await openUnitDirectory(unitsDirectory, log)
  const hub = createChangeHub()
  const closing = new AbortController()
  // names that are ours; signals of the machine's own units are none of the agent's business
  const ours = new Set((await directory.list()).map(({ name }) => name))
  const details = new Map<string, DetailsSlot>()
  let bus: BusConnection | undefined

  function announce(names: Iterable<string>): void {
    for (const name of names) details.delete(name)
    hub.announce(names)
  }

  /** Connects and listens; from then on this is the connection. */
  async function connect(): Promise<void> {
    const connection = await connectBus({
      address: busAddress,
      clock,
      timeoutMs: callTimeoutMs,
      onSignal,
      onClosed: (reason) => {
        // lost before it was ours: whoever connects hears it as a failed call
        if (bus === undefined || bus !== connection) return
        bus = undefined
        log.warn('connection to systemd lost', { reason })
        void reconnect()
      },
    })
    try {
      for (const rule of matches) {
        await connection.call({
          what: 'subscription to changes',
          destination: busName,
          path: busPath,
          interface: busName,
          member: 'AddMatch',
          signature: 's',
          body: [rule],
        })
      }
      await subscribe(connection)
      if (!connection.isOpen() || closing.signal.aborted) throw new SystemdError('systemd/unavailable', 'lost again')
    } catch (error) {
      connection.close()
      throw error
    }
    bus = connection
  }

  const subscribe = (connection: BusConnection): Promise<unknown> =>
    connection.call({
      what: 'subscription to changes',
      destination,
      path: managerPath,
      interface: managerInterface,
      member: 'Subscribe',
      fineErrors: ['org.freedesktop.systemd1.AlreadySubscribed'],
    })

  async function reconnect(): Promise<void> {
    for (let waitMs = 50; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, 2000)) {
      await clock.sleep(waitMs, closing.signal)
      if (closing.signal.aborted) return
      try {
        await connect()
        log.info('connected to systemd again')
        return announce(ours)
      } catch (error) {
        log.debug('no connection to systemd yet', { error })
      }
    }
  }

  function onSignal({ path, interface: from, member, body }: BusSignal): void {
    if (from === propertiesInterface) {
      const name = unitOfObjectPath(path)
      if (name !== undefined && ours.has(name)) announce([name])
    } else if (from === managerInterface && member === 'JobRemoved') {
      const name = body[2]
      if (typeof name === 'string' && ours.has(name)) announce([name])
    } else if (from === managerInterface && member === 'Reloading') {
      // true when it begins, false when it is done
      if (body[0] === false) announce(ours)
    } else if (from === busName && body[2] !== '') {
      void onNewSystemd()
    }
  }

  /** systemd re-executed itself, behind a bus that stayed: it may have forgotten who listens. */
  async function onNewSystemd(): Promise<void> {
    const connection = bus
    if (connection === undefined) return
    try {
      await subscribe(connection)
      announce(ours)
    } catch (error) {
      log.warn('systemd is back but does not take the subscription; connecting anew', { error })
      connection.close()
      if (bus !== connection) return
      bus = undefined
      void reconnect()
    }
  }

  function connected(): BusConnection {
    if (bus !== undefined) return bus
    const why = closing.signal.aborted ? 'this unit manager was closed' : 'the connection to systemd is lost'
    throw new SystemdError('systemd/unavailable', why, {
      hint: 'it is tried again by itself; see systemctl status dbus.service when this goes on',
    })
  }

  type ManagerCall = Pick<BusCall, 'what' | 'member' | 'signature' | 'body' | 'timeoutMs' | 'fineErrors'>
  const callManager = (call: ManagerCall): Promise<readonly unknown[] | undefined> =>
    connected().call({ ...call, destination, path: managerPath, interface: managerInterface })

  async function property(name: string, inInterface: string, key: string): Promise<unknown> {
    const body = await connected().call({
      what: `state of ${name}`,
      destination,
      path: unitObjectPath(name),
      interface: propertiesInterface,
      member: 'Get',
      signature: 'ss',
      body: [inInterface, key],
      // dropped by systemd in between, or a property that this version of systemd does not have
      fineErrors: [
        noSuchUnit,
        'org.freedesktop.DBus.Error.UnknownObject',
        'org.freedesktop.DBus.Error.UnknownProperty',
        'org.freedesktop.DBus.Error.UnknownInterface',
        'org.freedesktop.DBus.Error.InvalidArgs',
      ],
    })
    const variant = body?.[0]
    return isRecord(variant) ? variant['value'] : undefined
  }

  async function statesOf(names: readonly string[]): Promise<readonly ListedUnit[]> {
    if (names.length === 0) return []
    const query = async (some: readonly string[]): Promise<readonly ListedUnit[]> =>
      readListedUnits(
        some,
        await callManager({ what: 'list of units', member: 'ListUnitsByNames', signature: 'as', body: [some] }),
      )
    try {
      return await query(names)
    } catch (error) {
      if (!(error instanceof SystemdError) || error.code !== 'systemd/refused' || names.length === 1) throw error
      // systemd answers for all or for none: ask one by one, so that one name cannot hide the others
      const single = await Promise.all(
        names.map(async (name) => {
          try {
            return await query([name])
          } catch (refusal) {
            if (!(refusal instanceof SystemdError) || refusal.code !== 'systemd/refused') throw refusal
            const unknown = { name, loadState: 'error', activeState: 'inactive', subState: 'dead' }
            return [{ ...unknown, problem: refusal.message }]
          }
        }),
      )
      return single.flat()
    }
  }

  /**
   * What ListUnitsByNames does not say, asked again only after a change of the unit: for a unit that does not run,
   * every question makes systemd read its file anew (100 units: 360 ms without this, 20 ms with it).
   */
  async function detailsOf(name: string, listed: ListedUnit | undefined): Promise<UnitDetails> {
    const states = `${listed?.loadState} ${listed?.activeState} ${listed?.subState}`
    const before = details.get(name)
    if (before?.value !== undefined && before.states === states) return before.value
    const slot: DetailsSlot = { states, value: undefined }
    details.set(name, slot)
    const value = await askDetails(name, listed)
    // a change that came meanwhile has taken the slot out of the map, and nothing is remembered
    slot.value = value
    return value
  }

  async function askDetails(name: string, listed: ListedUnit | undefined): Promise<UnitDetails> {
    const typeInterface = interfaceOfType.get(typeOf(name))
    const unitInterface = 'org.freedesktop.systemd1.Unit'
    const mayRun = listed !== undefined && !hasEnded(listed.activeState)
    const [result, pid, invocation, loadError] = await Promise.all([
      typeInterface === undefined ? undefined : property(name, typeInterface, 'Result'),
      typeInterface !== undefined && mayRun && typeOf(name) === 'service'
        ? property(name, typeInterface, 'MainPID')
        : undefined,
      property(name, unitInterface, 'InvocationID'),
      listed === undefined || listed.loadState === 'loaded' ? undefined : property(name, unitInterface, 'LoadError'),
    ])
    const invocationId = hexOf(invocation)
    const problem = listed?.problem ?? textOfLoadError(loadError)
    return {
      ...(typeof result === 'string' && { result }),
      ...(problem !== undefined && { problem }),
      ...(typeof pid === 'number' && pid > 0 && { mainPid: pid }),
      ...(invocationId !== undefined && { invocationId }),
    }
  }

  async function runtimeOf(file: DirectoryUnit, listed: ListedUnit | undefined): Promise<[string, UnitRuntime]> {
    const runtime: UnitRuntime = {
      loadState: listed?.loadState ?? 'not-found',
      activeState: listed?.activeState ?? 'inactive',
      subState: listed?.subState ?? 'dead',
      hash: file.hash,
      ...(await detailsOf(file.name, listed)),
      ...(file.problem !== undefined && { problem: file.problem }),
    }
    return [file.name, runtime]
  }

  async function list(): Promise<ReadonlyMap<string, UnitRuntime>> {
    connected()
    const files = await directory.list()
    for (const { name } of files) ours.add(name)
    const states = await statesOf(files.map(({ name }) => name))
    const byName = new Map(states.map((state) => [state.name, state]))
    return new Map(await Promise.all(files.map((file) => runtimeOf(file, byName.get(file.name)))))
  }

  async function load(name: string, unit: LoadableUnit): Promise<void> {
    const path = directory.pathOf(name)
    connected()
    const before = await directory.read(name)
    await directory.write(name, unit.text, unit.hash)
    ours.add(name)
    const files = { signature: 'asbb', body: [[path], true, true] }
    try {
      await callManager({ what: `linking ${name}`, member: 'LinkUnitFiles', ...files })
      if (unit.hasInstall) {
        const enabled = await callManager({ what: `enabling ${name}`, member: 'EnableUnitFiles', ...files })
        if (enabled?.[0] === false) {
          throw new SystemdError('systemd/refused', `enabling ${name}: the unit carries no install information`, {
            hint: 'its [Install] section needs WantedBy=, RequiredBy=, Also= or Alias=, or must go',
          })
        }
      }
    } catch (error) {
      // without a connection nothing can be undone here; the next look finds the file, and loads or unloads it
      if (before === undefined && bus !== undefined) await forget(name)
      throw error
    }
    announce([name])
  }

  /** Takes away link, enablement and file; all three are tried, the first failure is thrown. */
  async function forget(name: string): Promise<void> {
    const disabled = await attempt(() =>
      callManager({
        what: `disabling ${name}`,
        member: 'DisableUnitFiles',
        signature: 'asb',
        body: [[name], true],
        fineErrors: [noSuchUnit],
      }),
    )
    if (disabled instanceof SystemdError && disabled.code !== 'systemd/refused') throw disabled
    await directory.remove(name)
    ours.delete(name)
    announce([name])
    if (disabled instanceof Error) throw disabled
  }

  async function unload(name: string): Promise<void> {
    directory.pathOf(name)
    connected()
    if (!(await directory.has(name))) return
    ours.add(name)
    await stopAndWait(name)
    // before the file goes: a failed unit without a file is remembered by systemd until somebody resets it
    await callManager({
      what: `resetting ${name}`,
      member: 'ResetFailedUnit',
      signature: 's',
      body: [name],
      fineErrors: [noSuchUnit],
    })
    await forget(name)
  }

  async function stopAndWait(name: string): Promise<void> {
    const late = new AbortController()
    const changes = hub.listen(late.signal)[Symbol.asyncIterator]()
    const done = new AbortController()
    clock.sleep(stopTimeoutMs, done.signal).then(
      () => late.abort(),
      () => late.abort(),
    )
    try {
      await requestStop(name)
      for (;;) {
        const [state] = await statesOf([name])
        if (state === undefined || hasEnded(state.activeState)) return
        const next = await changes.next()
        if (next.done === true) break
      }
      connected()
      throw new SystemdError(
        'systemd/timeout',
        `${name} has not ended ${stopTimeoutMs} ms after it was asked to stop`,
        {
          hint: `its file stays until it has ended; see systemctl status ${name}, TimeoutStopSec= in the unit`,
        },
      )
    } finally {
      done.abort()
      late.abort()
    }
  }

  const requestStop = (name: string): Promise<unknown> =>
    callManager({
      what: `stop of ${name}`,
      member: 'StopUnit',
      signature: 'ss',
      body: [name, 'replace'],
      fineErrors: [noSuchUnit],
    })

  async function start(name: string): Promise<void> {
    directory.pathOf(name)
    connected()
    if (!(await directory.has(name))) {
      throw new SystemdError('systemd/refused', `start of ${name}: the unit was not loaded by us`, {
        hint: 'load the unit first; units of the machine itself are left alone',
      })
    }
    await callManager({ what: `start of ${name}`, member: 'StartUnit', signature: 'ss', body: [name, 'replace'] })
  }

  async function stop(name: string): Promise<void> {
    directory.pathOf(name)
    connected()
    if (await directory.has(name)) await requestStop(name)
  }

  async function reload(): Promise<void> {
    await callManager({ what: 'daemon-reload', member: 'Reload', timeoutMs: callTimeoutMs * 4 })
  }

  await connect()
  return {
    list,
    load,
    unload,
    reload,
    start,
    stop,
    changes: (signal) => hub.listen(signal),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      hub.close()
      bus?.close()
      bus = undefined
    },
  }
}

type UnitDetails = Pick<UnitRuntime, 'result' | 'problem' | 'mainPid' | 'invocationId'>

/** Details as of the states they were asked in. */
type DetailsSlot = { readonly states: string; value: UnitDetails | undefined }

type ListedUnit = {
  readonly name: string
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly problem?: string
}

/**
 * Reply of ListUnitsByNames: one row for each name in the order asked, with name, description, load, active and sub
 * state, and more that we leave. The name in a row is the unit's main one, which may not be the one we asked for.
 */
function readListedUnits(names: readonly string[], body: readonly unknown[] | undefined): readonly ListedUnit[] {
  const rows = body?.[0]
  if (!Array.isArray(rows)) return []
  return names.flatMap((name, index) => {
    const row: unknown = rows[index]
    if (!Array.isArray(row)) return []
    const [, , loadState, activeState, subState]: unknown[] = row
    if (typeof loadState !== 'string' || typeof activeState !== 'string' || typeof subState !== 'string') return []
    return [{ name, loadState, activeState, subState }]
  })
}

/** Property LoadError: error name and text, both empty when there is none. */
function textOfLoadError(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined
  const [name, text]: unknown[] = value
  const words = [text, name].find((word) => typeof word === 'string' && word !== '')
  return typeof words === 'string' ? words : undefined
}

/** 16 bytes as hex digits; undefined for a unit without an invocation (no bytes). */
function hexOf(value: unknown): string | undefined {
  const bytes = value instanceof Uint8Array ? value : Array.isArray(value) ? Uint8Array.from(value) : undefined
  if (bytes === undefined || bytes.length !== 16 || bytes.every((byte) => byte === 0)) return undefined
  return Buffer.from(bytes).toString('hex')
}

async function attempt(act: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
