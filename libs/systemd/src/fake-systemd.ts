/**
 * One machine's systemd in memory, as far as an agent can see it: for tests and simulations. Honest where it matters:
 * a start needs a reload, a service without a command is refused, one whose command is missing (below `/nonexistent`)
 * fails, a oneshot ends, a stop can be slow, and units go on when their manager is closed. Not modelled: dependencies between units, timers firing, drop-ins.
 */
import { readAsFleet, type UnitOption } from '@cluster/unit-file'
import { SystemdError } from './errors.ts'
import { requireManageable, typeOf } from './manageable-name.ts'
import { createChangeHub } from './signals.ts'
import { hasEnded } from './states.ts'
import type { LoadableUnit, UnitManager, UnitRuntime } from './unit-manager.ts'

/** What was asked of the fake, in order: `load a.service`, `reload`, `start a.service`, … */
export type FakeCall = string

export type FakeSystemd = {
  /** A manager on this machine. Several may follow each other, as daemons that restart do. */
  readonly open: () => UnitManager
  /** What systemd says now, without a manager. */
  readonly runtimeOf: (name: string) => UnitRuntime | undefined
  /** The text on disk; undefined when the unit is not loaded. */
  readonly textOf: (name: string) => string | undefined
  /** Names of units that run or start, in name order. */
  readonly upNames: () => readonly string[]
  /** Everything asked so far, `list` and `changes` left out. */
  readonly calls: () => readonly FakeCall[]
  /** The next start of the unit is taken, and the unit fails: `failed`, result `exit-code`. */
  readonly failNextStart: (name: string) => void
  /** The main process dies. `Restart=always` or `on-failure` brings a new one up, with a new invocation. */
  readonly crash: (name: string) => void
  /** The unit ends by itself, successfully. */
  readonly finish: (name: string) => void
  /** Every load, start and stop of the unit throws `systemd/refused`, until allowed again. */
  readonly refuse: (name: string) => void
  readonly allow: (name: string) => void
  /** Stops of the unit stay `deactivating` until `finishStop`; `unload` waits for it. */
  readonly slowStop: (name: string) => void
  readonly finishStop: (name: string) => void
  /** The bus goes away: every call throws `systemd/unavailable`. Units go on. */
  readonly disconnect: () => void
  /** The bus is back: `changes` yields every name. */
  readonly reconnect: () => void
  /** The machine starts anew: nothing runs and, as `/run` is memory, nothing is loaded. */
  readonly reboot: () => void
}

type FakeUnit = {
  file: LoadableUnit
  /** What the last reload read; undefined before the first. */
  read: LoadableUnit | undefined
  activeState: string
  subState: string
  result: string
  mainPid: number | undefined
  invocationId: string | undefined
}

/** A machine with no units. */
export function createFakeSystemd(): FakeSystemd {
  const units = new Map<string, FakeUnit>()
  const hub = createChangeHub()
  const calls: FakeCall[] = []
  const failing = new Set<string>()
  const refusing = new Set<string>()
  const slow = new Set<string>()
  const stopWaiters = new Map<string, (() => void)[]>()
  let connected = true
  let invocations = 0

  function change(name: string, unit: FakeUnit, to: Partial<FakeUnit>): void {
    Object.assign(unit, to)
    if (hasEnded(unit.activeState)) {
      for (const resolve of stopWaiters.get(name) ?? []) resolve()
      stopWaiters.delete(name)
    }
    hub.announce([name])
  }

  function launch(name: string, unit: FakeUnit, options: readonly UnitOption[]): void {
    invocations += 1
    const invocationId = invocations.toString(16).padStart(32, '0')
    const { activeState, subState, hasProcess } = stateAfterStart(typeOf(name), options)
    const mainPid = hasProcess ? 1000 + invocations : undefined
    change(name, unit, { activeState, subState, result: 'success', mainPid, invocationId })
  }

  function end(name: string, unit: FakeUnit, result: string): void {
    const failed = result !== 'success'
    const activeState = failed ? 'failed' : 'inactive'
    change(name, unit, { activeState, subState: failed ? 'failed' : 'dead', result, mainPid: undefined })
  }

  function askedOf(name: string, verb: string): void {
    requireConnection()
    requireManageable(name)
    calls.push(`${verb} ${name}`)
    if (refusing.has(name) && verb !== 'unload') {
      throw new SystemdError('systemd/refused', `${verb} of ${name}: systemd refused: told to by the test`)
    }
  }

  function requireConnection(): void {
    if (!connected) throw new SystemdError('systemd/unavailable', 'there is no bus', { hint: 'reconnect the fake' })
  }

  function stopUnit(name: string, unit: FakeUnit): void {
    if (hasEnded(unit.activeState) || unit.activeState === 'deactivating') return
    if (slow.has(name)) change(name, unit, { activeState: 'deactivating', subState: 'stop-sigterm' })
    else end(name, unit, 'success')
  }

  function requireUnit(name: string): FakeUnit {
    const unit = units.get(name)
    if (unit === undefined) throw new SystemdError('systemd/refused', `Unit ${name} not found.`)
    return unit
  }

  function open(): UnitManager {
    const closed = new AbortController()
    const requireOpen = (): void => {
      if (closed.signal.aborted) throw new SystemdError('systemd/unavailable', 'this unit manager was closed')
    }
    return {
      list: async () => {
        requireOpen()
        requireConnection()
        return new Map([...units.keys()].sort().map((name) => [name, runtimeOfUnit(name, requireUnit(name))]))
      },
      load: async (name, file) => {
        requireOpen()
        askedOf(name, 'load')
        const installs = optionsOf(file).some(({ section }) => section === 'Install')
        if (file.hasInstall && !installs) {
          throw new SystemdError('systemd/refused', `enabling ${name}: the unit carries no install information`)
        }
        const unit = units.get(name)
        if (unit !== undefined) change(name, unit, { file })
        else units.set(name, { file, read: undefined, ...neverRan })
        hub.announce([name])
      },
      unload: async (name) => {
        requireOpen()
        askedOf(name, 'unload')
        const unit = units.get(name)
        if (unit === undefined) return
        stopUnit(name, unit)
        if (!hasEnded(unit.activeState)) {
          await new Promise<void>((resolve) => {
            stopWaiters.set(name, [...(stopWaiters.get(name) ?? []), resolve])
          })
        }
        if (units.get(name) === unit) units.delete(name)
        hub.announce([name])
      },
      reload: async () => {
        requireOpen()
        requireConnection()
        calls.push('reload')
        for (const unit of units.values()) unit.read = unit.file
        hub.announce(units.keys())
      },
      start: async (name) => {
        requireOpen()
        askedOf(name, 'start')
        const unit = requireUnit(name)
        if (unit.read === undefined) {
          throw new SystemdError('systemd/refused', `start of ${name}: systemd has not read the unit: reload first`)
        }
        const options = optionsOf(unit.read)
        const problem = loadProblem(typeOf(name), options)
        if (problem !== undefined) throw new SystemdError('systemd/refused', `start of ${name}: ${problem}`)
        if (unit.activeState === 'active' || unit.activeState === 'activating') return
        if (failing.delete(name) || !canExecute(options)) end(name, unit, 'exit-code')
        else launch(name, unit, options)
      },
      stop: async (name) => {
        requireOpen()
        askedOf(name, 'stop')
        const unit = units.get(name)
        if (unit !== undefined) stopUnit(name, unit)
      },
      changes: (signal) => hub.listen(AbortSignal.any([signal, closed.signal])),
      [Symbol.asyncDispose]: async () => closed.abort(),
    }
  }

  return {
    open,
    runtimeOf: (name) => {
      const unit = units.get(name)
      return unit === undefined ? undefined : runtimeOfUnit(name, unit)
    },
    textOf: (name) => units.get(name)?.file.text,
    upNames: () =>
      [...units]
        .filter(([, unit]) => !hasEnded(unit.activeState))
        .map(([name]) => name)
        .sort(),
    calls: () => [...calls],
    failNextStart: (name) => void failing.add(name),
    crash: (name) => {
      const unit = requireUnit(name)
      if (hasEnded(unit.activeState)) return
      const options = optionsOf(unit.read ?? unit.file)
      end(name, unit, 'exit-code')
      if (/^(?:always|on-failure|on-abnormal)$/.test(lastValue(options, 'Service', 'Restart')))
        launch(name, unit, options)
    },
    finish: (name) => end(name, requireUnit(name), 'success'),
    refuse: (name) => void refusing.add(name),
    allow: (name) => void refusing.delete(name),
    slowStop: (name) => void slow.add(name),
    finishStop: (name) => {
      slow.delete(name)
      const unit = units.get(name)
      if (unit?.activeState === 'deactivating') end(name, unit, 'success')
    },
    disconnect: () => {
      connected = false
    },
    reconnect: () => {
      connected = true
      hub.announce(units.keys())
    },
    reboot: () => {
      const names = [...units.keys()]
      units.clear()
      for (const resolve of [...stopWaiters.values()].flat()) resolve()
      stopWaiters.clear()
      hub.announce(names)
    },
  }
}

const neverRan = {
  activeState: 'inactive',
  subState: 'dead',
  result: 'success',
  mainPid: undefined,
  invocationId: undefined,
} as const

const typesWithResult: ReadonlySet<string> = new Set(['service', 'socket', 'timer', 'path', 'mount', 'automount'])

function runtimeOfUnit(name: string, unit: FakeUnit): UnitRuntime {
  const problem = unit.read === undefined ? undefined : loadProblem(typeOf(name), optionsOf(unit.read))
  return {
    loadState: problem === undefined ? 'loaded' : 'bad-setting',
    activeState: unit.activeState,
    subState: unit.subState,
    hash: unit.file.hash,
    ...(typesWithResult.has(typeOf(name)) && { result: unit.result }),
    ...(problem !== undefined && { problem }),
    ...(unit.mainPid !== undefined && { mainPid: unit.mainPid }),
    ...(unit.invocationId !== undefined && { invocationId: unit.invocationId }),
  }
}

/** systemd's words for a service it will not load: no command, unless the type needs none. */
function loadProblem(type: string, options: readonly UnitOption[]): string | undefined {
  if (type !== 'service') return undefined
  const has = (option: string): boolean => lastValue(options, 'Service', option) !== ''
  if (has('ExecStart') || has('ExecStop') || has('SuccessAction')) return undefined
  return 'Unit has a bad unit file setting: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.'
}

/** Commands below /nonexistent are not there, on any machine; `/bin/false` ends a oneshot with 1. */
function canExecute(options: readonly UnitOption[]): boolean {
  const command = lastValue(options, 'Service', 'ExecStart')
  if (lastValue(options, 'Service', 'Type') === 'oneshot' && /^(?:\/usr)?\/bin\/false\b/.test(command)) return false
  return !command.startsWith('/nonexistent/')
}

function stateAfterStart(
  type: string,
  options: readonly UnitOption[],
): { activeState: string; subState: string; hasProcess: boolean } {
  switch (type) {
    case 'service': {
      const remains = /^(?:yes|y|true|t|1|on)$/i.test(lastValue(options, 'Service', 'RemainAfterExit'))
      const endsAtOnce = lastValue(options, 'Service', 'Type') === 'oneshot'
      if (!endsAtOnce) return { activeState: 'active', subState: 'running', hasProcess: true }
      if (remains) return { activeState: 'active', subState: 'exited', hasProcess: false }
      return { activeState: 'inactive', subState: 'dead', hasProcess: false }
    }
    case 'socket':
      return { activeState: 'active', subState: 'listening', hasProcess: false }
    case 'timer':
    case 'path':
    case 'automount':
      return { activeState: 'active', subState: 'waiting', hasProcess: false }
    case 'mount':
      return { activeState: 'active', subState: 'mounted', hasProcess: false }
    default:
      return { activeState: 'active', subState: 'active', hasProcess: false }
  }
}

function optionsOf(file: LoadableUnit): readonly UnitOption[] {
  const options = readAsFleet(file.text)
  return options.ok ? options.value : []
}

const lastValue = (options: readonly UnitOption[], section: string, name: string): string =>
  options.findLast((option) => option.section === section && option.name === name)?.value ?? ''
