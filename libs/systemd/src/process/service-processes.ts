/**
 * The processes of one service: carries out what the machine of service-machine.ts asks for and tells it what came of
 * it. No choice about the service is made here.
 */
import type { Environment } from '@cluster/unit-file'
import type { ServiceDefinition } from './definition.ts'
import { isAlive, listProcesses, membersOf, type ProcessIdentity, readProcess } from './process-table.ts'
import {
  type CommandPlace,
  initialServiceState,
  type ProcessRole,
  type ServiceEffect,
  type ServiceEvent,
  type ServiceState,
  stepService,
  waitsForProcesses,
} from './service-machine.ts'
import { spawnCommand } from './spawn-command.ts'

export type ServiceProcessesOptions = {
  /** Monotonic milliseconds, comparable with those in a state that was kept. */
  readonly nowMs: () => number
  readonly baseEnvironment: () => Environment
  readonly openJournal: () => number
  /** A word about the service itself for its log; priority as syslog has it. */
  readonly say: (message: string, priority: number) => void
  /** After the state has become another; not called for what a call of `send` did before it returned to itself. */
  readonly onChange: (before: ServiceState) => void
  /** The time of `auto-restart` is over. */
  readonly onRestartDue: () => void
}

export type KeptService = {
  readonly state: ServiceState
  readonly leaders: readonly ProcessIdentity[]
  readonly program: string
}

export type ServiceProcesses = {
  readonly kept: () => KeptService
  /** Uses other rules and commands from now on. */
  readonly define: (definition: ServiceDefinition) => void
  readonly send: (event: ServiceEvent) => void
  /** Takes up what was left by a supervisor that is gone; its processes are watched by looking. */
  readonly adopt: (kept: KeptService) => void
  /** Ends timers; processes go on. */
  readonly close: () => void
}

/** How often is looked for the end of processes that are not children: waits grow from the first to the last. */
const pollMs = { first: 10, last: 250 } as const

const longestTimerMs = 2_147_483_647

export function createServiceProcesses(options: ServiceProcessesOptions): ServiceProcesses {
  const { nowMs, say } = options
  let definition: ServiceDefinition | undefined
  let state: ServiceState = initialServiceState
  let leaders: readonly ProcessIdentity[] = []
  let program = ''
  /** Processes that another supervisor started, by role. */
  const adopted = new Map<ProcessRole, ProcessIdentity>()
  const events: ServiceEvent[] = []
  let isStepping = false
  let deadline: NodeJS.Timeout | undefined
  let poll: NodeJS.Timeout | undefined
  let pollEveryMs: number = pollMs.first

  function send(event: ServiceEvent): void {
    events.push(event)
    if (isStepping) return
    isStepping = true
    const before = state
    try {
      for (let next = events.shift(); next !== undefined; next = events.shift()) take(next)
    } finally {
      isStepping = false
    }
    armDeadline()
    armPoll(before)
    if (state !== before) options.onChange(before)
  }

  function take(event: ServiceEvent): void {
    if (definition === undefined) return
    const before = state
    const step = stepService(definition.rules, state, event, nowMs())
    state = step.state
    if (state.invocationId !== before.invocationId) leaders = []
    report(event, before)
    for (const effect of step.effects) carryOut(effect, before)
  }

  function carryOut(effect: ServiceEffect, before: ServiceState): void {
    switch (effect.type) {
      case 'spawn':
        spawn(effect.role, effect.place)
        return
      case 'kill':
        events.push({ type: 'signalled', waits: kill(effect) })
        return
      case 'kill-control':
        if (before.controlPid !== undefined) signal(before.controlPid, 9)
        return
      case 'restart-due':
        options.onRestartDue()
        return
      default:
        effect satisfies never
    }
  }

  function spawn(role: ProcessRole, { key, index }: CommandPlace): void {
    const command = definition?.commands[key][index]
    if (definition === undefined || command === undefined) {
      // the unit was reloaded with fewer commands while it ran them
      return void events.push({ type: 'exited', role, exit: { kind: 'exited', status: 0 } })
    }
    const outcome = spawnCommand({
      service: definition,
      command,
      baseEnvironment: options.baseEnvironment(),
      ownEnvironment: ownEnvironment(state, key === 'ExecStopPost'),
      openJournal: options.openJournal,
    })
    if (outcome.kind === 'failed') {
      say(`${key}=: ${outcome.message} (status ${outcome.status})`, 3)
      return void events.push({ type: 'exited', role, exit: { kind: 'exited', status: outcome.status } })
    }
    const { pid, startTicks } = outcome
    leaders = [...leaders.filter(isAlive), { pid, startTicks }]
    program = outcome.command
    adopted.delete(role)
    events.push({ type: 'spawned', role, pid })
    void outcome.ended.then((exit) => {
      // a process that was let go may end when another has its place
      const current = role === 'main' ? state.mainPid : state.controlPid
      if (current === pid) send({ type: 'exited', role, exit })
    })
  }

  /** Signals the processes, and tells whether there were any. */
  function kill({ signal: number, hangUp, everyone }: Extract<ServiceEffect, { type: 'kill' }>): boolean {
    const own = [state.mainPid, state.controlPid].filter((pid) => pid !== undefined)
    const others = everyone ? members().map(({ pid }) => pid) : []
    const isOurChild = (pid: number): boolean =>
      own.includes(pid) && ![...adopted.values()].some((identity) => identity.pid === pid)
    let reached = false
    for (const pid of new Set([...own, ...others])) {
      const exists = signal(pid, number)
      // the end of a child is reported, also when it is over already; of others we must see that they live
      reached ||= exists && (isOurChild(pid) || readProcess(pid) !== undefined)
      if (hangUp) signal(pid, 1)
      // what is stopped could not react
      if (number !== 9) signal(pid, 18)
    }
    return reached
  }

  const members = () => membersOf(listProcesses(), { leaders, invocationId: state.invocationId })

  function armDeadline(): void {
    clearTimeout(deadline)
    deadline = undefined
    if (state.deadlineMs === undefined) return
    const waitMs = Math.min(Math.max(0, state.deadlineMs - nowMs()), longestTimerMs)
    // the clock of timers is coarser than ours: never early
    deadline = setTimeout(() => send({ type: 'tick' }), Math.ceil(waitMs) + 1)
  }

  function armPoll(before: ServiceState): void {
    if (before.subState !== state.subState) pollEveryMs = pollMs.first
    clearTimeout(poll)
    poll = undefined
    if (adopted.size === 0 && !waitsForProcesses(state.subState)) return
    poll = setTimeout(look, pollEveryMs)
    pollEveryMs = Math.min(pollEveryMs * 2, pollMs.last)
  }

  function look(): void {
    for (const [role, identity] of [...adopted]) {
      if (isAlive(identity)) continue
      adopted.delete(role)
      send({ type: 'exited', role, exit: { kind: 'unknown' } })
    }
    const isAlone = state.mainPid === undefined && state.controlPid === undefined
    if (isAlone && waitsForProcesses(state.subState) && members().length === 0) send({ type: 'gone' })
    armPoll(state)
  }

  function report(event: ServiceEvent, before: ServiceState): void {
    if (event.type === 'exited') {
      const place = event.role === 'main' ? before.mainCommand : before.controlCommand
      if (place === undefined) return
      const what = event.role === 'main' ? 'Main process' : `Process of ${place.key}=`
      const { exit } = event
      const how =
        exit.kind === 'exited'
          ? `exited with status ${exit.status}`
          : exit.kind === 'killed'
            ? `was killed by signal ${exit.signal}`
            : 'ended while nobody watched'
      const isBad = exit.kind !== 'exited' || exit.status !== 0
      if (isBad) say(`${what} ${how}.`, 5)
    }
    if (before.subState === state.subState) return
    if (state.subState === 'failed') say(`Failed with result '${state.result}'.`, 4)
    else if (state.subState === 'dead') say('Stopped.', 6)
    else if (state.subState === 'running' && before.subState !== 'reload') say('Started.', 6)
    else if (state.subState === 'exited') say('Finished.', 6)
    else if (state.subState === 'auto-restart') say('Scheduled a restart.', 6)
    else if (state.subState === 'stop-sigkill' || state.subState === 'final-sigkill') {
      if (state.result === 'timeout') say('Did not stop in time. Killing.', 4)
    }
  }

  return {
    kept: () => ({ state, leaders, program }),
    define: (next) => {
      definition = next
    },
    send,
    adopt: (kept) => {
      const before = state
      state = kept.state
      leaders = kept.leaders
      program = kept.program
      for (const [role, pid, command] of [
        ['main', state.mainPid, state.mainCommand],
        ['control', state.controlPid, state.controlCommand],
      ] as const) {
        const identity = leaders.find((leader) => leader.pid === pid)
        if (identity !== undefined && isAlive(identity)) adopted.set(role, identity)
        // died with its supervisor, or was never started
        else if (command !== undefined) send({ type: 'exited', role, exit: { kind: 'unknown' } })
      }
      armDeadline()
      armPoll(before)
    },
    close: () => {
      clearTimeout(deadline)
      clearTimeout(poll)
      definition = undefined
    },
  }
}

/** Sends a signal; false when there is no such process any more. */
function signal(pid: number, number: number): boolean {
  try {
    return process.kill(pid, number)
  } catch {
    return false
  }
}

/** What systemd tells processes about their service. @see systemd.exec(5), "Environment Variables Set on Spawned Processes" */
function ownEnvironment(state: ServiceState, tellsResult: boolean): Environment {
  const { mainExit, result } = state
  return new Map([
    ...(state.invocationId === undefined ? [] : [['INVOCATION_ID', state.invocationId] as const]),
    ...(state.mainPid === undefined ? [] : [['MAINPID', String(state.mainPid)] as const]),
    ...(tellsResult ? [['SERVICE_RESULT', result] as const] : []),
    ...(tellsResult && mainExit?.kind === 'exited'
      ? [['EXIT_CODE', 'exited'] as const, ['EXIT_STATUS', String(mainExit.status)] as const]
      : []),
    ...(tellsResult && mainExit?.kind === 'killed'
      ? [['EXIT_CODE', 'killed'] as const, ['EXIT_STATUS', String(mainExit.signal)] as const]
      : []),
  ])
}
