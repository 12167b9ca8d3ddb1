/**
 * All units of one manager: files, jobs, processes, timers. Lives in the supervisor process, so that units go on while
 * the agent is away. What starts, stops and waits for what is planned in transaction.ts; what one service does, in
 * service-machine.ts.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Logger, Random } from '@cluster/prelude'
import { type Environment, environmentOf, mergeEnvironments, readAsFleet, readAsSystemd } from '@cluster/unit-file'
import { SystemdError } from '../errors.ts'
import { requireManageable, typeOf } from '../manageable-name.ts'
import { hasEnded } from '../states.ts'
import { openUnitDirectory } from '../unit-directory.ts'
import type { LoadableUnit, UnitRuntime } from '../unit-manager.ts'
import { accountProblem } from './accounts.ts'
import { unmetCondition } from './conditions.ts'
import type { UnitDefinition } from './definition.ts'
import { readSpecifiers } from './host-specifiers.ts'
import { type JournalWriter, journalDirectory, openJournalWriter } from './process-journal.ts'
import { type ReadUnit, readUnits } from './read-units.ts'
import { activeStateOf, initialServiceState, type ServiceState } from './service-machine.ts'
import { createServiceProcesses, type ServiceProcesses } from './service-processes.ts'
import { defaultPath } from './spawn-command.ts'
import { judgeSupport } from './supported-options.ts'
import { nextElapse } from './timer-machine.ts'
import {
  boundTo,
  type Job,
  type JobKind,
  planStart,
  planStop,
  readyJobs,
  requiredBy,
  type UnitGraph,
} from './transaction.ts'
import {
  forgetUnit,
  processEpoch,
  readMemory,
  runDirectory,
  type TimerState,
  type UnitMemory,
  writeMemory,
} from './unit-memory.ts'
import { openUnitOutput, type UnitOutput } from './unit-output.ts'
import type { SupervisorSettings } from './wire.ts'

export type SupervisorOptions = {
  readonly directory: string
  readonly settings: SupervisorSettings
  readonly log: Logger
  readonly random: Random
  /** Names of units that are not what they were. */
  readonly onChange: (names: readonly string[]) => void
}

export type Supervisor = {
  readonly list: () => ReadonlyMap<string, UnitRuntime>
  /** Returns what has no effect here, as sentences. */
  readonly load: (name: string, unit: LoadableUnit) => Promise<readonly string[]>
  readonly unload: (name: string, timeoutMs: number) => Promise<void>
  readonly reload: () => Promise<void>
  readonly start: (name: string) => void
  readonly stop: (name: string) => void
  /** Runs `ExecReload=`. */
  readonly reloadUnit: (name: string) => void
  /** What specifiers say and what every process gets, from the next reload and start on. */
  readonly configure: (settings: SupervisorSettings) => void
  /** Stops everything and waits for it, for so long at most. */
  readonly stopAll: (timeoutMs: number) => Promise<void>
  /** Forgets nothing and stops nothing. */
  readonly close: () => void
}

type Unit = {
  readonly name: string
  /** Of the file as it is now. */
  fileHash: string | undefined
  fileProblem: string | undefined
  /** What the last reload made of it; undefined before the first. */
  read: ReadUnit | undefined
  readHash: string | undefined
  readonly service: ServiceProcesses
  isUp: boolean
  timer: TimerState
  invocationId: string | undefined
  leftInactiveMs: number | undefined
  enteredInactiveMs: number | undefined
  alarm: NodeJS.Timeout | undefined
  output: UnitOutput | undefined
  journal: JournalWriter | undefined
  /** A restart of another took this one down; it comes up again. */
  startsAgain: boolean
}

/** Logs of units that are no longer loaded: the youngest so many are kept. */
const strayJournalsMax = 64

const idleTimer: TimerState = { subState: 'dead', activeMs: 0, lastTriggerMs: undefined }

/** Monotonic milliseconds since the boot, the same in every process of this machine. */
const bootMs = (): number => Number(process.hrtime.bigint()) / 1e6

const newInvocationId = (): string => randomBytes(16).toString('hex')

const refused = (message: string, hint: string): SystemdError => new SystemdError('systemd/refused', message, { hint })

/**
 * Reads the directory, takes up what an earlier supervisor left, and runs.
 *
 * @throws SystemdError `systemd/directory`
 */
export async function createSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { directory, log, random } = options
  let settings = options.settings
  let baseEnvironment = readBaseEnvironment(settings)
  const startupMs = bootMs()
  const units = new Map<string, Unit>()
  let graph: UnitGraph = new Map()
  const jobs = new Map<string, Job>()
  /** Called at every change; each takes itself away. */
  const waiters = new Set<() => void>()
  mkdirSync(join(directory, 'run'), { recursive: true, mode: 0o700 })
  forgetOtherEpoch(directory)
  const files = await openUnitDirectory(join(directory, 'units'), log)

  function unitOf(name: string): Unit {
    const known = units.get(name)
    if (known !== undefined) return known
    const unit: Unit = {
      name,
      fileHash: undefined,
      fileProblem: undefined,
      read: undefined,
      readHash: undefined,
      service: createServiceProcesses({
        nowMs: bootMs,
        baseEnvironment: () => baseEnvironment,
        openJournal: () => {
          if (unit.output === undefined) throw new Error('the pipe of the unit is not open')
          return unit.output.openForChild()
        },
        say: (message, priority) => say(unit, message, priority),
        onChange: (before) => onServiceChange(unit, before),
        onRestartDue: () => onRestartDue(unit),
      }),
      isUp: false,
      timer: idleTimer,
      invocationId: undefined,
      leftInactiveMs: undefined,
      enteredInactiveMs: undefined,
      alarm: undefined,
      output: undefined,
      journal: undefined,
      startsAgain: false,
    }
    units.set(name, unit)
    return unit
  }

  const definitionOf = (name: string): UnitDefinition | undefined => units.get(name)?.read?.definition

  // states

  const serviceState = (unit: Unit): ServiceState => unit.service.kept().state

  function statesOf(unit: Unit): { activeState: string; subState: string } {
    switch (typeOf(unit.name)) {
      case 'service': {
        const { subState } = serviceState(unit)
        return { activeState: activeStateOf(subState), subState }
      }
      case 'timer': {
        const { subState } = unit.timer
        return { activeState: subState === 'dead' ? 'inactive' : subState === 'failed' ? 'failed' : 'active', subState }
      }
      default:
        return unit.isUp ? { activeState: 'active', subState: 'active' } : { activeState: 'inactive', subState: 'dead' }
    }
  }

  const activeStateOfUnit = (name: string): string => {
    const unit = units.get(name)
    return unit === undefined ? 'inactive' : statesOf(unit).activeState
  }

  const isUp = (name: string): boolean => /^(?:active|activating|reloading)$/.test(activeStateOfUnit(name))

  function runtimeOf(unit: Unit): UnitRuntime {
    const { service, read } = unit
    const isService = typeOf(unit.name) === 'service'
    const { state } = service.kept()
    const hash = unit.readHash ?? unit.fileHash
    const problem = read?.definition === undefined ? (read?.problem ?? unit.fileProblem) : unit.fileProblem
    const result = isService
      ? state.result
      : typeOf(unit.name) === 'timer'
        ? unit.timer.subState === 'failed'
          ? 'resources'
          : 'success'
        : undefined
    const invocationId = isService ? state.invocationId : unit.invocationId
    return {
      loadState: read?.loadState ?? 'loaded',
      ...statesOf(unit),
      hash,
      ...(result !== undefined && { result }),
      ...(problem !== undefined && { problem }),
      ...(state.mainPid !== undefined && { mainPid: state.mainPid }),
      ...(invocationId !== undefined && { invocationId }),
    }
  }

  function remember(unit: Unit): void {
    const { state, leaders, program } = unit.service.kept()
    const memory: UnitMemory = {
      service: state,
      isUp: unit.isUp,
      timer: unit.timer,
      invocationId: unit.invocationId,
      leaders,
      program,
      leftInactiveMs: unit.leftInactiveMs,
      enteredInactiveMs: unit.enteredInactiveMs,
    }
    try {
      writeMemory(directory, unit.name, memory)
    } catch (error) {
      // the unit runs on; only a supervisor that is killed now would not know it again
      log.error('state of a unit cannot be written', { unit: unit.name, error })
    }
  }

  function changed(names: readonly string[]): void {
    options.onChange(names)
    for (const wake of [...waiters]) wake()
  }

  // the log of a unit

  function write(unit: Unit, message: string, fields: { pid?: number; priority: number; program: string }): void {
    try {
      unit.journal ??= openJournalWriter(directory, unit.name)
      unit.journal.write({ timeMs: Date.now(), message, unit: unit.name, ...fields })
    } catch (error) {
      log.warn('log of a unit cannot be written', { unit: unit.name, error })
    }
  }

  function say(unit: Unit, message: string, priority: number): void {
    write(unit, `${unit.name}: ${message}`, { pid: process.pid, priority, program: 'supervisor' })
  }

  function onLine(unit: Unit, line: string): void {
    const { state, program } = unit.service.kept()
    const definition = unit.read?.definition
    const service = definition?.kind === 'service' ? definition.service : undefined
    const prefix = service?.hasLevelPrefix === false ? undefined : /^<([0-7])>/.exec(line)
    const pid = state.controlPid ?? state.mainPid
    write(unit, prefix == null ? line : line.slice(3), {
      priority: prefix == null ? (service?.level ?? 6) : Number(prefix[1]),
      program: service?.identifier ?? program,
      ...(pid !== undefined && { pid }),
    })
  }

  async function openOutput(unit: Unit): Promise<void> {
    unit.output ??= await openUnitOutput(join(runDirectory(directory, unit.name), 'output'), (line) =>
      onLine(unit, line),
    )
  }

  // changes of state

  function onServiceChange(unit: Unit, before: ServiceState): void {
    const state = serviceState(unit)
    const [was, is] = [activeStateOf(before.subState), activeStateOf(state.subState)]
    if (hasEnded(was) && !hasEnded(is)) unit.leftInactiveMs = bootMs()
    if (!hasEnded(was) && hasEnded(is)) unit.enteredInactiveMs = bootMs()
    // a run too short for two looks has two changes in one
    if (before.invocationId !== state.invocationId && hasEnded(is)) {
      unit.leftInactiveMs = unit.enteredInactiveMs = bootMs()
    }
    remember(unit)
    // lines of a process that has ended are still in the pipe
    if (hasEnded(is)) setImmediate(() => setImmediate(() => unit.output?.flush()))
    afterChange(unit, { was, is, failed: state.subState === 'failed' })
  }

  /** Jobs that are done, units that follow, and the word to whoever looks. */
  function afterChange(unit: Unit, { was, is, failed }: { was: string; is: string; failed: boolean }): void {
    const { name } = unit
    const job = jobs.get(name)
    const hasBeenUp = was === 'active' || was === 'reloading'
    if (job?.isRunning === true) {
      if (job.kind === 'stop' && hasEnded(is)) jobs.delete(name)
      else if (job.kind === 'start' && (is === 'active' || hasEnded(is))) {
        jobs.delete(name)
        if (failed) failWaitingStarts(name)
      }
    }
    if (hasEnded(is) && unit.startsAgain) {
      unit.startsAgain = false
      queue(name, 'start')
    }
    if (hasBeenUp && is !== 'active' && is !== 'reloading' && job?.kind !== 'stop') {
      for (const other of boundTo(graph, name)) if (isUp(other)) queueStop(other)
    }
    if (hasEnded(is) && !hasEnded(was)) {
      const definition = definitionOf(name)
      for (const next of (failed ? definition?.onFailure : definition?.onSuccess) ?? []) startQuietly(next, name)
      for (const timer of units.values()) {
        if (timer.timer.subState === 'running' && timerOf(timer)?.unit === name) waitForTimer(timer)
      }
    }
    changed([name])
    runJobs()
  }

  /** A start that failed takes the waiting starts of what requires it along. */
  function failWaitingStarts(name: string): void {
    for (const other of requiredBy(graph, name)) {
      const job = jobs.get(other)
      if (job?.kind !== 'start' || job.isRunning) continue
      jobs.delete(other)
      const unit = units.get(other)
      if (unit !== undefined) say(unit, `Dependency failed: ${name} did not start.`, 4)
      changed([other])
      failWaitingStarts(other)
    }
  }

  function onRestartDue(unit: Unit): void {
    // what requires it or is part of it is restarted with it
    for (const [other, { requires, partOf }] of graph) {
      const dependent = units.get(other)
      if (dependent === undefined || activeStateOfUnit(other) !== 'active') continue
      if (!requires.includes(unit.name) && !partOf.includes(unit.name)) continue
      dependent.startsAgain = true
      queue(other, 'stop')
    }
    // deferred: the step that found the time over is not done yet
    setImmediate(() => {
      unit.service.send({ type: 'restart', invocationId: newInvocationId() })
      runJobs()
    })
  }

  // jobs

  function queue(name: string, kind: JobKind): void {
    if (jobs.get(name)?.kind !== kind) jobs.set(name, { kind, isRunning: false })
  }

  function queueStop(name: string): void {
    for (const other of planStop(graph, name, isUp)) queue(other, 'stop')
  }

  function runJobs(): void {
    for (;;) {
      const ready = readyJobs(graph, jobs).filter((name) => {
        const job = jobs.get(name)
        // a start waits until the stop that it replaced is over
        return job?.kind === 'stop' || activeStateOfUnit(name) !== 'deactivating'
      })
      const [name] = ready
      const kind = name === undefined ? undefined : jobs.get(name)?.kind
      if (name === undefined || kind === undefined) return
      jobs.set(name, { kind, isRunning: true })
      const unit = units.get(name)
      if (unit === undefined) jobs.delete(name)
      else if (kind === 'stop') runStop(unit)
      else runStart(unit)
    }
  }

  function runStop(unit: Unit): void {
    const was = statesOf(unit).activeState
    if (hasEnded(was)) return void jobs.delete(unit.name)
    switch (typeOf(unit.name)) {
      case 'service':
        unit.service.send({ type: 'stop' })
        return
      case 'timer':
        clearTimeout(unit.alarm)
        unit.timer = { ...unit.timer, subState: 'dead' }
        break
      default:
        unit.isUp = false
    }
    remember(unit)
    afterChange(unit, { was, is: 'inactive', failed: false })
  }

  function runStart(unit: Unit): void {
    const { name } = unit
    const definition = unit.read?.definition
    const was = statesOf(unit).activeState
    if (definition === undefined || !hasEnded(was)) {
      // up already, or about to come up by itself
      if (was !== 'activating' || definition === undefined) jobs.delete(name)
      return
    }
    const unmet = unmetCondition(definition.conditions)
    const broken = unmetCondition(definition.asserts)
    if (unmet !== undefined || broken !== undefined) {
      say(unit, unmet === undefined ? `Assertion failed: ${broken}.` : `Skipped: ${unmet} is not met.`, 5)
      jobs.delete(name)
      if (unmet === undefined) failWaitingStarts(name)
      changed([name])
      return
    }
    if (definition.kind === 'service') return void startService(unit)
    unit.invocationId = newInvocationId()
    unit.leftInactiveMs = bootMs()
    if (definition.kind === 'plain') {
      unit.isUp = true
      remember(unit)
      afterChange(unit, { was, is: 'active', failed: false })
      return
    }
    unit.timer = { subState: 'waiting', activeMs: bootMs(), lastTriggerMs: undefined }
    waitForTimer(unit)
    afterChange(unit, { was, is: 'active', failed: false })
  }

  async function startService(unit: Unit): Promise<void> {
    const job = jobs.get(unit.name)
    try {
      await openOutput(unit)
    } catch (error) {
      log.error('unit cannot be started', { unit: unit.name, error })
    }
    // stopped or unloaded meanwhile
    if (jobs.get(unit.name) !== job || units.get(unit.name) !== unit) return
    unit.service.send({ type: 'start', invocationId: newInvocationId() })
    runJobs()
  }

  function startQuietly(name: string, because: string): void {
    try {
      start(name)
    } catch (error) {
      log.warn('unit that another one starts was refused', { unit: name, because, error })
    }
  }

  // timers

  function timerOf(unit: Unit) {
    const definition = unit.read?.definition
    return definition?.kind === 'timer' ? definition.timer : undefined
  }

  /** Sets the alarm for the next elapse. */
  function waitForTimer(unit: Unit): void {
    clearTimeout(unit.alarm)
    const timer = timerOf(unit)
    if (timer === undefined) return
    const target = units.get(timer.unit)
    const next = nextElapse(timer.rules, {
      activeMs: unit.timer.activeMs,
      startupMs,
      lastTriggerMs: unit.timer.lastTriggerMs,
      unitActiveMs: target?.leftInactiveMs,
      unitInactiveMs: target?.enteredInactiveMs,
    })
    if (next === undefined || next === Number.POSITIVE_INFINITY) {
      unit.timer = { ...unit.timer, subState: timer.rules.remainAfterElapse ? 'elapsed' : 'dead' }
    } else {
      unit.timer = { ...unit.timer, subState: 'waiting' }
      const waitMs = Math.max(0, next - bootMs()) + random.next() * timer.rules.randomizedDelayMs
      const longestMs = 2_147_483_647
      unit.alarm =
        waitMs > longestMs
          ? setTimeout(() => waitForTimer(unit), longestMs)
          : setTimeout(() => elapse(unit, timer.unit), Math.ceil(waitMs))
    }
    remember(unit)
    changed([unit.name])
  }

  function elapse(unit: Unit, target: string): void {
    unit.timer = { ...unit.timer, subState: 'running', lastTriggerMs: bootMs() }
    try {
      start(target)
    } catch (error) {
      log.warn('timer cannot start its unit', { timer: unit.name, unit: target, error })
      say(unit, `Cannot start ${target}: ${error instanceof Error ? error.message : String(error)}`, 4)
      unit.timer = { ...unit.timer, subState: 'failed' }
    }
    remember(unit)
    changed([unit.name])
    // a condition may have kept it from starting, so that its end is never seen
    if (unit.timer.subState === 'running' && hasEnded(activeStateOfUnit(target)) && !jobs.has(target)) {
      waitForTimer(unit)
    }
  }

  // what is asked of the manager

  function requireStartable(name: string): Unit {
    const unit = units.get(name)
    if (unit === undefined) throw refused(`Unit ${name} not found.`, 'load the unit first')
    if (unit.read === undefined) throw refused(`start of ${name}: its file was not read yet`, 'reload first')
    return unit
  }

  function start(name: string): void {
    const unit = requireStartable(name)
    const job = jobs.get(name)
    if (job?.kind === 'start' || (isUp(name) && job === undefined)) return
    const target = timerOf(unit)?.unit
    if (target !== undefined && definitionOf(target) === undefined) {
      throw refused(`start of ${name}: Unit ${target} to trigger not loaded.`, `load ${target} first`)
    }
    const plan = planStart(graph, name, { isUp, problemOf })
    if (!plan.ok) {
      throw refused(
        `start of ${name}: ${plan.error.message}`,
        `mend ${plan.error.unit}, or load it, before ${name} is started`,
      )
    }
    for (const other of plan.value.stops) queue(other, 'stop')
    for (const other of plan.value.starts) {
      const isComing = isUp(other) && jobs.get(other) === undefined
      if (!isComing) queue(other, 'start')
    }
    runJobs()
  }

  function problemOf(name: string): string | undefined {
    const read = units.get(name)?.read
    if (read === undefined) return `Unit ${name} was not read yet.`
    return read.definition === undefined ? read.problem : undefined
  }

  function stop(name: string): void {
    if (!units.has(name)) return
    queueStop(name)
    runJobs()
  }

  async function load(name: string, file: LoadableUnit): Promise<readonly string[]> {
    requireManageable(name)
    const options = readAsFleet(file.text)
    if (!options.ok) {
      throw refused(`load of ${name}: line ${options.error.line}: ${options.error.message}`, 'mend the unit file')
    }
    const installs = options.value.some(({ section, name: key }) => section === 'Install' && !key.startsWith('X-'))
    if (file.hasInstall && !installs) {
      throw refused(`enabling ${name}: the unit carries no install information`, 'take out its [Install] section')
    }
    const specifiers = readSpecifiers(settings, directory)
    const isRunnable = readAsSystemd(file.text, { unitName: name, specifiers }).loadState === 'loaded'
    const { refusals, warnings } = judgeSupport(name, file.text, accountProblem)
    // what systemd itself would not load is taken, and says so when it is looked at: as there
    if (refusals.length > 0 && (isRunnable || typeOf(name) !== 'service')) {
      throw refused(`load of ${name}: ${refusals.join('; ')}`, 'mend the unit, or run it on a machine with systemd')
    }
    await files.write(name, file.text, file.hash)
    const unit = unitOf(name)
    unit.fileHash = file.hash
    unit.fileProblem = undefined
    changed([name])
    return warnings
  }

  async function unload(name: string, timeoutMs: number): Promise<void> {
    requireManageable(name)
    const unit = units.get(name)
    if (unit === undefined) return
    stop(name)
    const hasStopped = await waitUntil(() => hasEnded(statesOf(unit).activeState) && !jobs.has(name), timeoutMs)
    if (!hasStopped) {
      throw new SystemdError('systemd/timeout', `${name} is still stopping after ${timeoutMs} ms`, {
        hint: 'its file stays, so that the stop can finish; unload it again later',
      })
    }
    if (units.get(name) !== unit) return
    await files.remove(name)
    dispose(unit)
    units.delete(name)
    jobs.delete(name)
    graph = graphOf()
    forgetUnit(directory, name)
    tidyJournals()
    changed([name])
    runJobs()
  }

  function waitUntil(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const finish = (outcome: boolean): void => {
        clearTimeout(timer)
        waiters.delete(look)
        resolve(outcome)
      }
      const look = (): void => {
        // jobs are settled behind the change that ends them
        setImmediate(() => {
          if (waiters.has(look) && holds()) finish(true)
        })
      }
      const timer = setTimeout(() => finish(false), Math.min(timeoutMs, 2_147_483_647))
      waiters.add(look)
    })
  }

  async function reload(): Promise<void> {
    const found = await files.list()
    const names = new Set(found.map(({ name }) => name))
    for (const { name, hash, problem } of found) {
      const unit = unitOf(name)
      unit.fileHash = hash
      unit.fileProblem = problem
    }
    const read = readUnits(files.path, [...names], readSpecifiers(settings, directory))
    for (const unit of [...units.values()]) {
      const fresh = read.get(unit.name)
      if (fresh !== undefined) {
        unit.read = fresh
        unit.readHash = unit.fileHash
        if (fresh.definition?.kind === 'service') unit.service.define(fresh.definition.service)
      } else if (hasEnded(statesOf(unit).activeState)) {
        // somebody took the file away; what runs keeps what was read of it
        dispose(unit)
        units.delete(unit.name)
        forgetUnit(directory, unit.name)
      }
    }
    graph = graphOf()
    changed([...units.keys()])
  }

  function graphOf(): UnitGraph {
    const definitions = [...units].flatMap(([name, { read }]) =>
      read?.definition === undefined ? [] : [[name, read.definition] as const],
    )
    const result = new Map(
      definitions.map(([name, { relations }]) => {
        const wantedHere = definitions.filter(([, other]) => other.wantedBy.includes(name)).map(([other]) => other)
        const requiredHere = definitions.filter(([, other]) => other.requiredBy.includes(name)).map(([other]) => other)
        return [
          name,
          {
            ...relations,
            wants: [...relations.wants, ...wantedHere],
            requires: [...relations.requires, ...requiredHere],
          },
        ] as const
      }),
    )
    // a unit that does not load is there all the same: what requires it is refused with its problem
    for (const name of units.keys()) if (!result.has(name)) result.set(name, noRelations)
    return result
  }

  function dispose(unit: Unit): void {
    clearTimeout(unit.alarm)
    unit.service.close()
    unit.output?.close()
    unit.journal?.close()
    unit.output = undefined
    unit.journal = undefined
  }

  function tidyJournals(): void {
    const folder = join(directory, 'journal')
    try {
      const strays = readdirSync(folder)
        .filter((name) => !units.has(name))
        .map((name) => ({ name, changedMs: statSync(join(folder, name)).mtimeMs }))
        .sort((one, other) => other.changedMs - one.changedMs)
      for (const { name } of strays.slice(strayJournalsMax)) {
        rmSync(journalDirectory(directory, name), { recursive: true, force: true })
      }
    } catch (error) {
      log.debug('old logs cannot be tidied away', { error })
    }
  }

  async function stopAll(timeoutMs: number): Promise<void> {
    for (const name of units.keys()) queueStop(name)
    runJobs()
    await waitUntil(() => [...units.keys()].every((name) => hasEnded(activeStateOfUnit(name))), timeoutMs)
  }

  async function adopt(): Promise<void> {
    await reload()
    for (const unit of units.values()) {
      const memory = readMemory(directory, unit.name)
      if (memory === undefined) continue
      unit.isUp = memory.isUp
      unit.invocationId = memory.invocationId
      unit.leftInactiveMs = memory.leftInactiveMs
      unit.enteredInactiveMs = memory.enteredInactiveMs
      unit.timer = memory.timer
      if (typeOf(unit.name) === 'service') {
        const wasRunning = memory.service !== initialServiceState && memory.leaders.length > 0
        if (wasRunning) await openOutput(unit)
        unit.service.adopt({ state: memory.service, leaders: memory.leaders, program: memory.program })
      }
    }
    for (const unit of units.values()) {
      if (unit.timer.subState === 'waiting' || unit.timer.subState === 'running') waitForTimer(unit)
    }
  }

  await adopt()
  return {
    list: () => new Map([...units.values()].map((unit) => [unit.name, runtimeOf(unit)])),
    load,
    unload,
    reload,
    start: (name) => {
      requireManageable(name)
      start(name)
    },
    stop: (name) => {
      requireManageable(name)
      stop(name)
    },
    reloadUnit: (name) => {
      requireManageable(name)
      const unit = requireStartable(name)
      const definition = unit.read?.definition
      if (definition?.kind !== 'service' || definition.service.commands.ExecReload.length === 0) {
        throw refused(`reload of ${name}: it has no ExecReload=`, 'give it one, or stop and start it')
      }
      if (!/^(?:running|exited|reload)$/.test(statesOf(unit).subState)) {
        throw refused(`reload of ${name}: it does not run`, 'start it first')
      }
      unit.service.send({ type: 'reload' })
    },
    configure: (next) => {
      settings = next
      baseEnvironment = readBaseEnvironment(next)
    },
    stopAll,
    close: () => {
      for (const unit of units.values()) dispose(unit)
    },
  }
}

const noRelations = {
  wants: [],
  requires: [],
  requisite: [],
  bindsTo: [],
  partOf: [],
  conflicts: [],
  after: [],
  before: [],
} as const

/** What systemd gives every process: as root a path, for a user also who they are. */
function readBaseEnvironment({ environment }: SupervisorSettings): Environment {
  const { uid, username, homedir, shell } = userInfo()
  const personal = [`HOME=${homedir}`, `LOGNAME=${username}`, `USER=${username}`, `SHELL=${shell ?? '/bin/sh'}`]
  return mergeEnvironments(
    environmentOf([`PATH=${defaultPath}`, ...(uid === 0 ? [] : personal)]),
    new Map(Object.entries(environment)),
  )
}

/** After a boot, or in another container, nothing runs and, as `/run` is memory, nothing is loaded. */
function forgetOtherEpoch(directory: string): void {
  const path = join(directory, 'epoch')
  const epoch = processEpoch()
  let before: string | undefined
  try {
    before = readFileSync(path, 'utf8')
  } catch {
    // the first supervisor here
  }
  if (before === epoch) return
  if (before !== undefined) {
    for (const folder of ['run', 'units']) rmSync(join(directory, folder), { recursive: true, force: true })
  }
  mkdirSync(join(directory, 'run'), { recursive: true, mode: 0o700 })
  writeFileSync(path, epoch, { mode: 0o600 })
}
