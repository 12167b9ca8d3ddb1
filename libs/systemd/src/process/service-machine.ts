/**
 * One service as a table of transitions: what happens next is computed here, processes are started elsewhere.
 * States, results and their order are systemd's (systemd.service(5); its service.c is what people know the words from).
 */

/** The commands of a service, by their key in `[Service]`. */
export const execKeys = [
  'ExecCondition',
  'ExecStartPre',
  'ExecStart',
  'ExecStartPost',
  'ExecReload',
  'ExecStop',
  'ExecStopPost',
] as const
export type ExecKey = (typeof execKeys)[number]

export const serviceSubStates = [
  'dead',
  'condition',
  'start-pre',
  'start',
  'start-post',
  'running',
  'exited',
  'reload',
  'stop',
  'stop-sigterm',
  'stop-sigkill',
  'stop-post',
  'final-sigterm',
  'final-sigkill',
  'failed',
  'auto-restart',
] as const
export type ServiceSubState = (typeof serviceSubStates)[number]

export const serviceResults = [
  'success',
  'exit-code',
  'signal',
  'timeout',
  'resources',
  'start-limit-hit',
  'exec-condition',
] as const
export type ServiceResult = (typeof serviceResults)[number]

export const restartPolicies = [
  'no',
  'always',
  'on-success',
  'on-failure',
  'on-abnormal',
  'on-watchdog',
  'on-abort',
] as const
export type RestartPolicy = (typeof restartPolicies)[number]

/** How a process ended. `unknown`: its starter was gone, so that nobody could ask; counts as a failure. */
export type ProcessExit =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: number }
  | { readonly kind: 'unknown' }

/** Exit statuses and signals, as `SuccessExitStatus=` lists them. */
export type ExitSet = { readonly statuses: ReadonlySet<number>; readonly signals: ReadonlySet<number> }

/** What a unit file says about the life of a service. Times in milliseconds; `Infinity` is never. */
export type ServiceRules = {
  readonly type: 'simple' | 'exec' | 'oneshot'
  readonly remainAfterExit: boolean
  readonly restart: RestartPolicy
  readonly restartMs: number
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  readonly runtimeMaxMs: number
  readonly killMode: 'control-group' | 'mixed' | 'process' | 'none'
  readonly killSignal: number
  readonly finalKillSignal: number
  readonly sendSigkill: boolean
  readonly sendSighup: boolean
  /** What a start that takes too long gets. */
  readonly startTimeoutMode: 'terminate' | 'kill'
  readonly startLimit: { readonly burst: number; readonly intervalMs: number }
  readonly successExits: ExitSet
  readonly restartPreventExits: ExitSet
  readonly restartForceExits: ExitSet
  /** For each key its commands in order; all that matters here is whether a failure is ignored. */
  readonly commands: Readonly<Record<ExecKey, readonly { readonly ignoreFailure: boolean }[]>>
}

/** `control`: every process that the manager runs beside the main one, such as `ExecStop=`. */
export type ProcessRole = 'main' | 'control'

/** Which command a role runs. */
export type CommandPlace = { readonly key: ExecKey; readonly index: number }

/** All that must be remembered of a service; plain data, so that it can be written down. */
export type ServiceState = {
  readonly subState: ServiceSubState
  readonly result: ServiceResult
  readonly mainPid: number | undefined
  readonly controlPid: number | undefined
  /** Set from the moment a command is asked for until its process has ended. */
  readonly mainCommand: CommandPlace | undefined
  readonly controlCommand: CommandPlace | undefined
  /** How the last main process ended. */
  readonly mainExit: ProcessExit | undefined
  /** Monotonic time at which a `tick` is due. */
  readonly deadlineMs: number | undefined
  /** Monotonic time since which it runs; `RuntimeMaxSec=` counts from here, also through reloads. */
  readonly upSinceMs: number | undefined
  /** A stop was asked for: nothing restarts by itself. */
  readonly stopAsked: boolean
  /** 32 hex digits; another for every start. */
  readonly invocationId: string | undefined
  readonly startsSince: { readonly sinceMs: number; readonly count: number } | undefined
  /** Automatic restarts since somebody asked for a start. */
  readonly restarts: number
}

export type ServiceEvent =
  /** Somebody wants it up. */
  | { readonly type: 'start'; readonly invocationId: string }
  /** The time of `auto-restart` is over. */
  | { readonly type: 'restart'; readonly invocationId: string }
  | { readonly type: 'stop' }
  | { readonly type: 'reload' }
  | { readonly type: 'spawned'; readonly role: ProcessRole; readonly pid: number }
  /** Also for a command that could not be started: status 203 and its like. */
  | { readonly type: 'exited'; readonly role: ProcessRole; readonly exit: ProcessExit }
  /** What a `kill` effect reached: whether there is anything to wait for. */
  | { readonly type: 'signalled'; readonly waits: boolean }
  /** No process of the unit is left; asked for while signals are waited on. */
  | { readonly type: 'gone' }
  /** The deadline has passed. */
  | { readonly type: 'tick' }

export type ServiceEffect =
  /** Answered by `spawned`, or by `exited` when it cannot be started. */
  | { readonly type: 'spawn'; readonly role: ProcessRole; readonly place: CommandPlace }
  /** Answered by `signalled`. `everyone`: also processes that are neither main nor control. */
  | { readonly type: 'kill'; readonly signal: number; readonly hangUp: boolean; readonly everyone: boolean }
  /** SIGKILL for the control process as it was before this step. */
  | { readonly type: 'kill-control' }
  /** The deadline of `auto-restart` has passed: send `restart` once the way is free. */
  | { readonly type: 'restart-due' }

export type ServiceStep = { readonly state: ServiceState; readonly effects: readonly ServiceEffect[] }

/** A service that never ran. */
export const initialServiceState: ServiceState = {
  subState: 'dead',
  result: 'success',
  mainPid: undefined,
  controlPid: undefined,
  mainCommand: undefined,
  controlCommand: undefined,
  mainExit: undefined,
  deadlineMs: undefined,
  upSinceMs: undefined,
  stopAsked: false,
  invocationId: undefined,
  startsSince: undefined,
  restarts: 0,
}

/** The ActiveState of a SubState. */
export function activeStateOf(subState: ServiceSubState): string {
  switch (subState) {
    case 'dead':
      return 'inactive'
    case 'failed':
      return 'failed'
    case 'running':
    case 'exited':
      return 'active'
    case 'reload':
      return 'reloading'
    case 'condition':
    case 'start-pre':
    case 'start':
    case 'start-post':
    case 'auto-restart':
      return 'activating'
    case 'stop':
    case 'stop-sigterm':
    case 'stop-sigkill':
    case 'stop-post':
    case 'final-sigterm':
    case 'final-sigkill':
      return 'deactivating'
    default:
      return subState satisfies never
  }
}

/** Whether processes that are not ours to reap are waited for, so that `gone` must be found out by looking. */
export const waitsForProcesses = (subState: ServiceSubState): boolean =>
  subState === 'stop-sigterm' ||
  subState === 'stop-sigkill' ||
  subState === 'final-sigterm' ||
  subState === 'final-sigkill'

/**
 * The state after an event, and what is to be done. An event that does not fit the state changes nothing.
 *
 * @param nowMs monotonic
 */
export function stepService(rules: ServiceRules, state: ServiceState, event: ServiceEvent, nowMs: number): ServiceStep {
  const step: Step = { rules, nowMs, state, effects: [] }
  switch (event.type) {
    case 'start':
      if (state.subState === 'dead' || state.subState === 'failed') onStart(step, event.invocationId, 0)
      break
    case 'restart':
      if (state.subState === 'auto-restart') onStart(step, event.invocationId, state.restarts + 1)
      break
    case 'stop':
      onStop(step)
      break
    case 'reload':
      if (state.subState === 'running' || state.subState === 'exited') onReload(step)
      break
    case 'spawned':
      onSpawned(step, event.role, event.pid)
      break
    case 'exited':
      if (event.role === 'main') onMainExited(step, event.exit)
      else onControlExited(step, event.exit)
      break
    case 'signalled':
      if (!event.waits) onNothingToWaitFor(step)
      break
    case 'gone':
      onGone(step)
      break
    case 'tick':
      if (state.deadlineMs !== undefined && nowMs >= state.deadlineMs) onDeadline(step)
      break
    default:
      event satisfies never
  }
  return { state: step.state, effects: step.effects }
}

/** What one event grows into; `state` is replaced, never changed. */
type Step = {
  readonly rules: ServiceRules
  readonly nowMs: number
  state: ServiceState
  readonly effects: ServiceEffect[]
}

function set(step: Step, change: Partial<ServiceState>): Step {
  step.state = { ...step.state, ...change }
  return step
}

/** Only the first thing that goes wrong is the result. */
function blame(step: Step, result: ServiceResult): Step {
  return step.state.result === 'success' ? set(step, { result }) : step
}

function enter(step: Step, subState: ServiceSubState, timeoutMs = Number.POSITIVE_INFINITY): Step {
  return set(step, {
    subState,
    deadlineMs: timeoutMs === Number.POSITIVE_INFINITY ? undefined : step.nowMs + timeoutMs,
  })
}

const has = ({ rules }: Step, key: ExecKey): boolean => rules.commands[key].length > 0

function spawn(step: Step, role: ProcessRole, place: CommandPlace): Step {
  set(step, role === 'main' ? { mainCommand: place } : { controlCommand: place })
  step.effects.push({ type: 'spawn', role, place })
  return step
}

function onStart(step: Step, invocationId: string, restarts: number): Step {
  const { startLimit } = step.rules
  const { startsSince } = step.state
  set(step, { ...initialServiceState, invocationId, restarts, startsSince })
  if (startLimit.burst > 0 && startLimit.intervalMs > 0) {
    const isFresh = startsSince === undefined || startsSince.sinceMs + startLimit.intervalMs < step.nowMs
    if (!isFresh && startsSince.count >= startLimit.burst) {
      return set(step, { subState: 'failed', result: 'start-limit-hit' })
    }
    set(step, {
      startsSince: isFresh
        ? { sinceMs: step.nowMs, count: 1 }
        : { sinceMs: startsSince.sinceMs, count: startsSince.count + 1 },
    })
  }
  if (!has(step, 'ExecCondition')) return enterStartPre(step)
  enter(step, 'condition', step.rules.startTimeoutMs)
  return spawn(step, 'control', { key: 'ExecCondition', index: 0 })
}

function enterStartPre(step: Step): Step {
  if (!has(step, 'ExecStartPre')) return enterStart(step)
  enter(step, 'start-pre', step.rules.startTimeoutMs)
  return spawn(step, 'control', { key: 'ExecStartPre', index: 0 })
}

function enterStart(step: Step): Step {
  // only a oneshot that exists for its ExecStop= has nothing to start
  if (!has(step, 'ExecStart')) return enterStartPost(step)
  enter(step, 'start', step.rules.startTimeoutMs)
  return spawn(step, 'main', { key: 'ExecStart', index: 0 })
}

function enterStartPost(step: Step): Step {
  if (!has(step, 'ExecStartPost')) return enterRunning(step)
  enter(step, 'start-post', step.rules.startTimeoutMs)
  return spawn(step, 'control', { key: 'ExecStartPost', index: 0 })
}

/** Up, unless the main process has ended meanwhile. */
function enterRunning(step: Step): Step {
  if (step.state.result !== 'success') return enterSignal(step, 'stop-sigterm', step.state.result)
  if (step.state.mainCommand !== undefined) {
    const upSinceMs = step.state.upSinceMs ?? step.nowMs
    set(step, { upSinceMs })
    return enter(step, 'running', upSinceMs + step.rules.runtimeMaxMs - step.nowMs)
  }
  if (step.rules.remainAfterExit) return enter(step, 'exited')
  return enterStop(step, 'success')
}

function enterStop(step: Step, result: ServiceResult): Step {
  blame(step, result)
  if (!has(step, 'ExecStop')) return enterSignal(step, 'stop-sigterm', 'success')
  enter(step, 'stop', step.rules.stopTimeoutMs)
  return spawn(step, 'control', { key: 'ExecStop', index: 0 })
}

type SignalState = 'stop-sigterm' | 'stop-sigkill' | 'final-sigterm' | 'final-sigkill'

function enterSignal(step: Step, subState: SignalState, result: ServiceResult): Step {
  blame(step, result)
  const { rules } = step
  const isKill = subState === 'stop-sigkill' || subState === 'final-sigkill'
  enter(step, subState, rules.stopTimeoutMs)
  if (rules.killMode === 'none') return onNothingToWaitFor(step)
  step.effects.push({
    type: 'kill',
    signal: isKill ? rules.finalKillSignal : rules.killSignal,
    hangUp: rules.sendSighup && !isKill,
    everyone: rules.killMode === 'control-group' || (rules.killMode === 'mixed' && isKill),
  })
  return step
}

function enterStopPost(step: Step, result: ServiceResult): Step {
  blame(step, result)
  if (!has(step, 'ExecStopPost')) return enterSignal(step, 'final-sigterm', 'success')
  enter(step, 'stop-post', step.rules.stopTimeoutMs)
  return spawn(step, 'control', { key: 'ExecStopPost', index: 0 })
}

function enterDead(step: Step, result: ServiceResult): Step {
  blame(step, result)
  // what would not die is let go
  set(step, { mainPid: undefined, controlPid: undefined, mainCommand: undefined, controlCommand: undefined })
  if (!step.state.stopAsked && shallRestart(step.rules, step.state)) {
    return enter(step, 'auto-restart', step.rules.restartMs)
  }
  const ended = step.state.result === 'success' || step.state.result === 'exec-condition'
  return enter(step, ended ? 'dead' : 'failed')
}

function onStop(step: Step): Step {
  switch (step.state.subState) {
    case 'dead':
    case 'failed':
      return step
    case 'auto-restart':
      set(step, { stopAsked: true })
      return enter(step, step.state.result === 'success' ? 'dead' : 'failed')
    case 'condition':
    case 'start-pre':
    case 'start':
    case 'start-post':
    case 'reload':
      set(step, { stopAsked: true })
      return enterSignal(step, 'stop-sigterm', 'success')
    case 'running':
    case 'exited':
      set(step, { stopAsked: true })
      return enterStop(step, 'success')
    default:
      // on its way down already; it shall stay there
      return set(step, { stopAsked: true })
  }
}

function onReload(step: Step): Step {
  if (!has(step, 'ExecReload')) return step
  enter(step, 'reload', step.rules.startTimeoutMs)
  return spawn(step, 'control', { key: 'ExecReload', index: 0 })
}

function onSpawned(step: Step, role: ProcessRole, pid: number): Step {
  if (role === 'control') return set(step, { controlPid: pid })
  set(step, { mainPid: pid })
  return step.state.subState === 'start' && step.rules.type !== 'oneshot' ? enterStartPost(step) : step
}

function onMainExited(step: Step, exit: ProcessExit): Step {
  const place = step.state.mainCommand
  if (place === undefined) return step
  const { rules } = step
  const ignored = rules.commands[place.key][place.index]?.ignoreFailure === true
  const result = ignored ? 'success' : resultOf(exit, isCleanMain(rules, exit))
  set(step, { mainPid: undefined, mainCommand: undefined, mainExit: exit })
  blame(step, result)
  switch (step.state.subState) {
    case 'start': {
      if (result !== 'success' || rules.type !== 'oneshot') {
        return result === 'success' ? enterRunning(step) : enterSignal(step, 'stop-sigterm', result)
      }
      const index = place.index + 1
      if (index >= rules.commands.ExecStart.length) return enterStartPost(step)
      return spawn(step, 'main', { key: 'ExecStart', index })
    }
    case 'running':
      return enterRunning(step)
    case 'stop':
      // the process of ExecStop= is waited for
      return step.state.controlCommand === undefined ? enterSignal(step, 'stop-sigterm', result) : step
    case 'stop-sigterm':
    case 'stop-sigkill':
      return step.state.controlCommand === undefined ? enterStopPost(step, result) : step
    case 'final-sigterm':
    case 'final-sigkill':
      return step.state.controlCommand === undefined ? enterDead(step, result) : step
    default:
      // start-post, reload, stop-post: their own process ends them
      return step
  }
}

function onControlExited(step: Step, exit: ProcessExit): Step {
  const place = step.state.controlCommand
  if (place === undefined) return step
  const commands = step.rules.commands[place.key]
  const ignored = commands[place.index]?.ignoreFailure === true
  const result = ignored ? 'success' : resultOf(exit, exit.kind === 'exited' && exit.status === 0)
  set(step, { controlPid: undefined, controlCommand: undefined })
  const more = result === 'success' && place.index + 1 < commands.length
  const next = (): Step => spawn(step, 'control', { key: place.key, index: place.index + 1 })
  switch (step.state.subState) {
    case 'condition':
      if (more) return next()
      if (result === 'success') return enterStartPre(step)
      // 1 to 254 say "not now", 255 and everything else that something is wrong
      return enterSignal(step, 'stop-sigterm', exit.kind === 'exited' && exit.status < 255 ? 'exec-condition' : result)
    case 'start-pre':
      if (more) return next()
      return result === 'success' ? enterStart(step) : enterSignal(step, 'stop-sigterm', result)
    case 'start-post':
      if (more) return next()
      return result === 'success' ? enterRunning(step) : enterSignal(step, 'stop-sigterm', result)
    case 'reload':
      // a reload that fails leaves the service as it is
      return more ? next() : enterRunning(step)
    case 'stop':
      return more ? next() : enterSignal(step, 'stop-sigterm', result)
    case 'stop-sigterm':
    case 'stop-sigkill':
      return step.state.mainCommand === undefined ? enterStopPost(step, result) : step
    case 'stop-post':
      return more ? next() : enterSignal(step, 'final-sigterm', result)
    case 'final-sigterm':
    case 'final-sigkill':
      return step.state.mainCommand === undefined ? enterDead(step, result) : step
    default:
      return step
  }
}

function onNothingToWaitFor(step: Step): Step {
  const { sendSigkill } = step.rules
  switch (step.state.subState) {
    case 'stop-sigterm':
      return sendSigkill ? enterSignal(step, 'stop-sigkill', 'success') : enterStopPost(step, 'success')
    case 'stop-sigkill':
      return enterStopPost(step, 'success')
    case 'final-sigterm':
      return sendSigkill ? enterSignal(step, 'final-sigkill', 'success') : enterDead(step, 'success')
    case 'final-sigkill':
      return enterDead(step, 'success')
    default:
      return step
  }
}

function onGone(step: Step): Step {
  if (step.state.mainCommand !== undefined || step.state.controlCommand !== undefined) return step
  switch (step.state.subState) {
    case 'stop-sigterm':
    case 'stop-sigkill':
      return enterStopPost(step, 'success')
    case 'final-sigterm':
    case 'final-sigkill':
      return enterDead(step, 'success')
    default:
      return step
  }
}

function onDeadline(step: Step): Step {
  const { sendSigkill, startTimeoutMode } = step.rules
  switch (step.state.subState) {
    case 'condition':
    case 'start-pre':
    case 'start':
    case 'start-post':
      return enterSignal(step, startTimeoutMode === 'kill' ? 'stop-sigkill' : 'stop-sigterm', 'timeout')
    case 'running':
      return enterStop(step, 'timeout')
    case 'reload':
      // only the process that reloads is at fault
      step.effects.push({ type: 'kill-control' })
      set(step, { controlPid: undefined, controlCommand: undefined })
      return enterRunning(step)
    case 'stop':
      return enterSignal(step, 'stop-sigterm', 'timeout')
    case 'stop-sigterm':
      return sendSigkill ? enterSignal(step, 'stop-sigkill', 'timeout') : enterStopPost(step, 'timeout')
    case 'stop-sigkill':
      return enterStopPost(step, 'timeout')
    case 'stop-post':
      return enterSignal(step, 'final-sigterm', 'timeout')
    case 'final-sigterm':
      return sendSigkill ? enterSignal(step, 'final-sigkill', 'timeout') : enterDead(step, 'timeout')
    case 'final-sigkill':
      return enterDead(step, 'timeout')
    case 'auto-restart':
      set(step, { deadlineMs: undefined })
      step.effects.push({ type: 'restart-due' })
      return step
    default:
      return step
  }
}

/** SIGHUP, SIGINT, SIGPIPE, SIGTERM: how daemons are ended. */
const politeSignals: ReadonlySet<number> = new Set([1, 2, 13, 15])

const includes = ({ statuses, signals }: ExitSet, exit: ProcessExit): boolean =>
  exit.kind === 'exited' ? statuses.has(exit.status) : exit.kind === 'killed' && signals.has(exit.signal)

function isCleanMain({ type, successExits }: ServiceRules, exit: ProcessExit): boolean {
  if (includes(successExits, exit)) return true
  if (exit.kind === 'exited') return exit.status === 0
  return exit.kind === 'killed' && type !== 'oneshot' && politeSignals.has(exit.signal)
}

const resultOf = (exit: ProcessExit, isClean: boolean): ServiceResult =>
  isClean ? 'success' : exit.kind === 'killed' ? 'signal' : 'exit-code'

/** Whether a service that ended like this comes back by itself. */
export function shallRestart(rules: ServiceRules, { result, mainExit }: ServiceState): boolean {
  if (result === 'start-limit-hit') return false
  if (mainExit !== undefined && includes(rules.restartPreventExits, mainExit)) return false
  if (mainExit !== undefined && includes(rules.restartForceExits, mainExit)) return true
  switch (rules.restart) {
    case 'no':
    case 'on-watchdog':
      // nothing here watches: that needs the notifications of Type=notify
      return false
    case 'always':
      return result !== 'exec-condition'
    case 'on-success':
      return result === 'success'
    case 'on-failure':
      return result !== 'success' && result !== 'exec-condition'
    case 'on-abnormal':
      return result !== 'success' && result !== 'exec-condition' && result !== 'exit-code'
    case 'on-abort':
      return result === 'signal'
    default:
      return rules.restart satisfies never
  }
}
