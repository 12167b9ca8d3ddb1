import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ExecKey,
  execKeys,
  initialServiceState,
  type ProcessExit,
  restartPolicies,
  type ServiceEffect,
  type ServiceEvent,
  type ServiceRules,
  type ServiceState,
  type ServiceSubState,
  serviceSubStates,
  shallRestart,
  stepService,
} from './service-machine.ts'

const none = { statuses: new Set<number>(), signals: new Set<number>() }
const invocationId = 'a'.repeat(32)
const exited = (status: number): ProcessExit => ({ kind: 'exited', status })
const killed = (signal: number): ProcessExit => ({ kind: 'killed', signal })

function rulesWith(
  commands: Partial<Record<ExecKey, number | 'ignored'>>,
  change: Partial<ServiceRules> = {},
): ServiceRules {
  const listOf = (key: ExecKey): readonly { ignoreFailure: boolean }[] => {
    const count = commands[key]
    return count === 'ignored'
      ? [{ ignoreFailure: true }]
      : Array.from({ length: count ?? 0 }, () => ({ ignoreFailure: false }))
  }
  return {
    type: 'simple',
    remainAfterExit: false,
    restart: 'no',
    restartMs: 100,
    startTimeoutMs: 1000,
    stopTimeoutMs: 1000,
    runtimeMaxMs: Number.POSITIVE_INFINITY,
    killMode: 'control-group',
    killSignal: 15,
    finalKillSignal: 9,
    sendSigkill: true,
    sendSighup: false,
    startTimeoutMode: 'terminate',
    startLimit: { burst: 5, intervalMs: 10_000 },
    successExits: none,
    restartPreventExits: none,
    restartForceExits: none,
    commands: {
      ExecCondition: listOf('ExecCondition'),
      ExecStartPre: listOf('ExecStartPre'),
      ExecStart: listOf('ExecStart'),
      ExecStartPost: listOf('ExecStartPost'),
      ExecReload: listOf('ExecReload'),
      ExecStop: listOf('ExecStop'),
      ExecStopPost: listOf('ExecStopPost'),
    },
    ...change,
  }
}

/** A host that starts what it is asked to, at a time of its own; processes end when the story says so. */
function createHost(rules: ServiceRules) {
  let state: ServiceState = initialServiceState
  let nowMs = 0
  let lastPid = 100
  const trace: string[] = []
  const seen = new Set<ServiceSubState>()

  function send(event: ServiceEvent): void {
    const events = [event]
    for (let next = events.shift(); next !== undefined; next = events.shift()) {
      const step = stepService(rules, state, next, nowMs)
      state = step.state
      seen.add(state.subState)
      for (const effect of step.effects) events.push(...answer(effect))
    }
  }

  function answer(effect: ServiceEffect): readonly ServiceEvent[] {
    switch (effect.type) {
      case 'spawn':
        trace.push(effect.place.key)
        lastPid += 1
        return [{ type: 'spawned', role: effect.role, pid: lastPid }]
      case 'kill': {
        trace.push(`kill ${effect.signal}${effect.everyone ? ' everyone' : ''}`)
        return [{ type: 'signalled', waits: state.mainPid !== undefined || state.controlPid !== undefined }]
      }
      case 'kill-control':
        trace.push('kill control')
        return []
      case 'restart-due':
        trace.push('restart due')
        return [{ type: 'restart', invocationId: `b${invocationId.slice(1)}` }]
      default:
        return effect satisfies never
    }
  }

  return {
    send,
    start: () => send({ type: 'start', invocationId }),
    stop: () => send({ type: 'stop' }),
    mainEnds: (exit: ProcessExit) => send({ type: 'exited', role: 'main', exit }),
    controlEnds: (exit: ProcessExit) => send({ type: 'exited', role: 'control', exit }),
    wait: (ms: number) => {
      nowMs += ms
      send({ type: 'tick' })
    },
    now: () => [state.subState, state.result],
    state: () => state,
    trace,
    seen,
  }
}

describe('a simple service', () => {
  it('runs as soon as it is forked, and ends well by SIGTERM', () => {
    const host = createHost(rulesWith({ ExecStart: 1 }))
    host.start()
    expect(host.now()).toEqual(['running', 'success'])
    host.stop()
    expect(host.now()).toEqual(['stop-sigterm', 'success'])
    host.mainEnds(killed(15))
    expect(host.now()).toEqual(['dead', 'success'])
    expect(host.trace).toEqual(['ExecStart', 'kill 15 everyone', 'kill 15 everyone', 'kill 9 everyone'])
  })

  it('runs every kind of command in its turn', () => {
    const host = createHost(
      rulesWith({ ExecCondition: 1, ExecStartPre: 2, ExecStart: 1, ExecStartPost: 1, ExecStop: 2, ExecStopPost: 1 }),
    )
    host.start()
    for (let count = 0; count < 4; count += 1) host.controlEnds(exited(0))
    expect(host.now()).toEqual(['running', 'success'])
    host.stop()
    host.controlEnds(exited(0))
    host.controlEnds(exited(0))
    host.mainEnds(exited(0))
    host.controlEnds(exited(0))
    expect(host.now()).toEqual(['dead', 'success'])
    expect(host.trace.filter((line) => line.startsWith('Exec'))).toEqual([
      'ExecCondition',
      'ExecStartPre',
      'ExecStartPre',
      'ExecStart',
      'ExecStartPost',
      'ExecStop',
      'ExecStop',
      'ExecStopPost',
    ])
  })

  it('that fails skips ExecStop= but not ExecStopPost=', () => {
    const host = createHost(rulesWith({ ExecStart: 1, ExecStop: 1, ExecStopPost: 1 }))
    host.start()
    host.mainEnds(exited(1))
    host.controlEnds(exited(0))
    expect(host.now()).toEqual(['failed', 'exit-code'])
    expect(host.trace.filter((line) => line.startsWith('Exec'))).toEqual(['ExecStart', 'ExecStopPost'])
  })

  it.each([
    [exited(0), 'dead', 'success'],
    [exited(3), 'failed', 'exit-code'],
    [killed(9), 'failed', 'signal'],
    [killed(13), 'dead', 'success'],
    [{ kind: 'unknown' } as const, 'failed', 'exit-code'],
  ])('whose process ends with %o is %s: %s', (exit, subState, result) => {
    const host = createHost(rulesWith({ ExecStart: 1 }))
    host.start()
    host.mainEnds(exit)
    expect(host.now()).toEqual([subState, result])
  })

  it('takes the failures that it was told to take', () => {
    const ignored = createHost(rulesWith({ ExecStart: 'ignored' }))
    ignored.start()
    ignored.mainEnds(exited(1))
    expect(ignored.now()).toEqual(['dead', 'success'])
    const listed = createHost(rulesWith({ ExecStart: 1 }, { successExits: { ...none, statuses: new Set([143]) } }))
    listed.start()
    listed.mainEnds(exited(143))
    expect(listed.now()).toEqual(['dead', 'success'])
  })

  it('that does not end is killed after its time', () => {
    const host = createHost(rulesWith({ ExecStart: 1 }))
    host.start()
    host.stop()
    host.wait(999)
    expect(host.now()).toEqual(['stop-sigterm', 'success'])
    host.wait(1)
    expect(host.now()).toEqual(['stop-sigkill', 'timeout'])
    host.mainEnds(killed(9))
    expect(host.now()).toEqual(['failed', 'timeout'])
  })

  it('that runs longer than RuntimeMaxSec= is ended as timed out', () => {
    const host = createHost(rulesWith({ ExecStart: 1 }, { runtimeMaxMs: 500 }))
    host.start()
    host.wait(500)
    host.mainEnds(killed(15))
    expect(host.now()).toEqual(['failed', 'timeout'])
  })

  it('does not live longer for being reloaded', () => {
    const host = createHost(rulesWith({ ExecStart: 1, ExecReload: 1 }, { runtimeMaxMs: 500 }))
    host.start()
    host.wait(400)
    host.send({ type: 'reload' })
    host.controlEnds(exited(0))
    host.wait(100)
    expect(host.now()).toEqual(['stop-sigterm', 'timeout'])
  })

  it('whose start takes too long is stopped', () => {
    const host = createHost(rulesWith({ ExecStartPre: 1, ExecStart: 1 }))
    host.start()
    host.wait(1000)
    expect(host.now()).toEqual(['stop-sigterm', 'timeout'])
    host.controlEnds(killed(15))
    expect(host.now()).toEqual(['failed', 'timeout'])
  })

  it('whose condition says no is dead, not failed', () => {
    const host = createHost(rulesWith({ ExecCondition: 1, ExecStart: 1 }, { restart: 'always' }))
    host.start()
    host.controlEnds(exited(1))
    expect(host.now()).toEqual(['dead', 'exec-condition'])
  })

  it('goes on when its reload fails or hangs', () => {
    const host = createHost(rulesWith({ ExecStart: 1, ExecReload: 1 }))
    host.start()
    host.send({ type: 'reload' })
    host.controlEnds(exited(1))
    expect(host.now()).toEqual(['running', 'success'])
    host.send({ type: 'reload' })
    host.wait(1000)
    expect(host.now()).toEqual(['running', 'success'])
    expect(host.trace.at(-1)).toBe('kill control')
  })

  it('waits for what is left of its processes', () => {
    const rules = rulesWith({ ExecStart: 1 })
    const started = stepService(rules, initialServiceState, { type: 'start', invocationId }, 0)
    const running = stepService(rules, started.state, { type: 'spawned', role: 'main', pid: 7 }, 0)
    const failing = stepService(rules, running.state, { type: 'exited', role: 'main', exit: exited(1) }, 0)
    const waiting = stepService(rules, failing.state, { type: 'signalled', waits: true }, 0)
    expect(waiting.state.subState).toBe('stop-sigterm')
    expect(stepService(rules, waiting.state, { type: 'gone' }, 0).state.subState).toBe('final-sigterm')
  })
})

describe('a oneshot', () => {
  it('runs its commands one after the other', () => {
    const host = createHost(rulesWith({ ExecStart: 2 }, { type: 'oneshot' }))
    host.start()
    host.mainEnds(exited(0))
    expect(host.now()).toEqual(['start', 'success'])
    host.mainEnds(exited(0))
    expect(host.now()).toEqual(['dead', 'success'])
  })

  it('stays up with RemainAfterExit=, and stops without a process', () => {
    const host = createHost(rulesWith({ ExecStart: 1 }, { type: 'oneshot', remainAfterExit: true }))
    host.start()
    host.mainEnds(exited(0))
    expect(host.now()).toEqual(['exited', 'success'])
    host.stop()
    expect(host.now()).toEqual(['dead', 'success'])
  })

  it('fails by SIGTERM, unlike a daemon', () => {
    const host = createHost(rulesWith({ ExecStart: 1 }, { type: 'oneshot' }))
    host.start()
    host.mainEnds(killed(15))
    expect(host.now()).toEqual(['failed', 'signal'])
  })
})

describe('restarts', () => {
  it('come after their pause, with another invocation, unless somebody stops it', () => {
    const host = createHost(rulesWith({ ExecStart: 1 }, { restart: 'always' }))
    host.start()
    host.mainEnds(exited(0))
    expect(host.now()).toEqual(['auto-restart', 'success'])
    host.wait(100)
    expect(host.now()).toEqual(['running', 'success'])
    expect(host.state().invocationId).not.toBe(invocationId)
    expect(host.state().restarts).toBe(1)
    host.mainEnds(exited(1))
    host.stop()
    expect(host.now()).toEqual(['failed', 'exit-code'])
  })

  it('end at the limit of starts, and begin again when the interval is over', () => {
    const host = createHost(
      rulesWith({ ExecStart: 1 }, { restart: 'always', startLimit: { burst: 2, intervalMs: 5000 } }),
    )
    host.start()
    host.mainEnds(exited(1))
    host.wait(100)
    host.mainEnds(exited(1))
    host.wait(100)
    expect(host.now()).toEqual(['failed', 'start-limit-hit'])
    host.start()
    expect(host.now()).toEqual(['failed', 'start-limit-hit'])
    host.wait(5001)
    host.start()
    expect(host.now()).toEqual(['running', 'success'])
  })

  const results = ['success', 'exit-code', 'signal', 'timeout', 'exec-condition'] as const
  it.each([
    ['no', []],
    ['always', ['success', 'exit-code', 'signal', 'timeout']],
    ['on-success', ['success']],
    ['on-failure', ['exit-code', 'signal', 'timeout']],
    ['on-abnormal', ['signal', 'timeout']],
    ['on-watchdog', []],
    ['on-abort', ['signal']],
  ] as const)('Restart=%s after %o', (restart, restarting) => {
    const rules = rulesWith({ ExecStart: 1 }, { restart })
    expect(results.filter((result) => shallRestart(rules, { ...initialServiceState, result }))).toEqual([...restarting])
  })

  it('are kept off and forced by exit status', () => {
    const prevented = rulesWith({}, { restart: 'always', restartPreventExits: { ...none, statuses: new Set([7]) } })
    const forced = rulesWith({}, { restart: 'no', restartForceExits: { ...none, signals: new Set([6]) } })
    expect(shallRestart(prevented, { ...initialServiceState, mainExit: exited(7) })).toBe(false)
    expect(shallRestart(forced, { ...initialServiceState, mainExit: killed(6) })).toBe(true)
  })
})

describe('KillMode', () => {
  it.each([
    ['control-group', ['kill 15 everyone', 'kill 15 everyone', 'kill 9 everyone']],
    ['mixed', ['kill 15', 'kill 15', 'kill 9 everyone']],
    ['process', ['kill 15', 'kill 15', 'kill 9']],
    ['none', []],
  ] as const)('%s signals %o', (killMode, signals) => {
    const host = createHost(rulesWith({ ExecStart: 1 }, { killMode }))
    host.start()
    host.stop()
    host.mainEnds(killed(15))
    expect(host.trace.filter((line) => line.startsWith('kill'))).toEqual([...signals])
    expect(host.now()).toEqual(['dead', 'success'])
  })
})

// properties

const anyExit: fc.Arbitrary<ProcessExit> = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map(exited),
  fc.constantFrom(1, 6, 9, 11, 15).map(killed),
  fc.constant({ kind: 'unknown' } as const),
)

const anyEvent: fc.Arbitrary<ServiceEvent> = fc.oneof(
  fc.constant({ type: 'start', invocationId } as const),
  fc.constant({ type: 'restart', invocationId } as const),
  fc.constant({ type: 'stop' } as const),
  fc.constant({ type: 'reload' } as const),
  fc.constant({ type: 'gone' } as const),
  fc.constant({ type: 'tick' } as const),
  fc.record({ type: fc.constant('signalled' as const), waits: fc.boolean() }),
  fc.record({ type: fc.constant('exited' as const), role: fc.constantFrom('main', 'control'), exit: anyExit }),
)

const anyCommands = fc.record(
  Object.fromEntries(execKeys.map((key) => [key, fc.integer({ min: 0, max: 2 })])) as Record<
    ExecKey,
    fc.Arbitrary<number>
  >,
)

const anyRules: fc.Arbitrary<ServiceRules> = fc
  .record({
    commands: anyCommands,
    type: fc.constantFrom('simple', 'exec', 'oneshot'),
    remainAfterExit: fc.boolean(),
    restart: fc.constantFrom(...restartPolicies),
    killMode: fc.constantFrom('control-group', 'mixed', 'process', 'none'),
    sendSigkill: fc.boolean(),
    startTimeoutMode: fc.constantFrom('terminate', 'kill'),
    runtimeMaxMs: fc.constantFrom(500, Number.POSITIVE_INFINITY),
  })
  .map(({ commands, type, ...change }) =>
    rulesWith({ ...commands, ExecStart: type === 'oneshot' ? commands.ExecStart : 1 }, { type, ...change }),
  )

describe('whatever happens', () => {
  it('a stop brings it down for good within its times, without a word from any process', () => {
    fc.assert(
      fc.property(
        anyRules,
        fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: 1500 })), { maxLength: 30 }),
        (rules, story) => {
          const host = createHost(rules)
          for (const [event, waitMs] of story) {
            host.send(event)
            host.wait(waitMs)
          }
          host.stop()
          // ExecStop=, two signals, two commands of ExecStopPost=, two signals, each with its own time
          for (let count = 0; count < 12; count += 1) host.wait(1000)
          expect(['dead', 'failed']).toContain(host.state().subState)
          expect(host.state().mainPid).toBeUndefined()
          expect(host.state().controlPid).toBeUndefined()
        },
      ),
    )
  })

  it('what waits has something to wait for: a process, a deadline, or somebody who asks', () => {
    fc.assert(
      fc.property(
        anyRules,
        fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: 1500 })), { maxLength: 30 }),
        (rules, story) => {
          const host = createHost(rules)
          for (const [event, waitMs] of story) {
            host.send(event)
            host.wait(waitMs)
            const { subState, mainCommand, controlCommand, deadlineMs } = host.state()
            if (subState === 'dead' || subState === 'failed' || subState === 'exited') continue
            expect(mainCommand ?? controlCommand ?? deadlineMs).toBeDefined()
          }
        },
      ),
    )
  })

  it('every state is reached by some story', () => {
    const reached = new Set<ServiceSubState>(['dead'])
    for (const killMode of ['control-group', 'process'] as const) {
      const all = Object.fromEntries(execKeys.map((key) => [key, 1]))
      const host = createHost(rulesWith(all, { killMode, restart: 'always' }))
      host.start()
      for (let count = 0; count < 3; count += 1) host.controlEnds(exited(0))
      host.send({ type: 'reload' })
      host.controlEnds(exited(0))
      host.stop()
      for (let count = 0; count < 8; count += 1) host.wait(1000)
      for (const subState of host.seen) reached.add(subState)
      const failing = createHost(rulesWith({ ExecStart: 1, ExecStopPost: 1 }, { restart: 'always' }))
      failing.start()
      failing.mainEnds(exited(1))
      for (let count = 0; count < 4; count += 1) failing.wait(1000)
      failing.stop()
      const oneshot = createHost(rulesWith({ ExecStart: 1 }, { type: 'oneshot', remainAfterExit: true }))
      oneshot.start()
      oneshot.mainEnds(exited(0))
      for (const subState of [...failing.seen, ...oneshot.seen]) reached.add(subState)
    }
    expect([...serviceSubStates].filter((subState) => !reached.has(subState))).toEqual([])
  })

  it('a state is plain data', () => {
    fc.assert(
      fc.property(anyRules, fc.array(anyEvent, { maxLength: 20 }), (rules, events) => {
        const host = createHost(rules)
        for (const event of events) host.send(event)
        expect(JSON.parse(JSON.stringify(host.state()))).toEqual(
          JSON.parse(JSON.stringify(structuredClone(host.state()))),
        )
      }),
    )
  })
})
