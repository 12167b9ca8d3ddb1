/**
 * What every UnitManager does, as named cases without a test runner, so that the D-Bus one can prove it inside a
 * machine. Each case uses unit names of its own and unloads them, so that cases can share a machine.
 */
import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import { isClusterError } from '@cluster/prelude'
import { hashOptions, readAsFleet, renderOptions } from '@cluster/unit-file'
import { SystemdError } from './errors.ts'
import type { LoadableUnit, UnitManager, UnitRuntime } from './unit-manager.ts'

/** Opens a manager; each call within one case reaches the same machine, as a daemon does that restarts. */
export type OpenUnitManager = () => Promise<UnitManager>

export type ContractCase = { readonly name: string; readonly run: (open: OpenUnitManager) => Promise<void> }

const waitLimitMs = 20_000

/** A unit as an agent hands it over. */
export function loadableUnit(text: string): LoadableUnit {
  const options = readAsFleet(text)
  if (!options.ok) throw new SystemdError('systemd/refused', `unit of a test: ${options.error.message}`)
  return {
    text: renderOptions(options.value),
    hash: hashOptions(options.value),
    hasInstall: options.value.some(({ section }) => section === 'Install'),
  }
}

const sleeper = (description: string): LoadableUnit =>
  loadableUnit(`[Unit]\nDescription=${description}\n[Service]\nExecStart=/bin/sleep infinity\n`)

/** Runs the story with a manager, and takes its units away afterwards, whatever happened. */
async function withUnits(
  open: OpenUnitManager,
  names: readonly string[],
  story: (units: UnitManager) => Promise<void>,
): Promise<void> {
  await using units = await open()
  try {
    await story(units)
  } finally {
    for (const name of names) await units.unload(name)
    await units.reload()
  }
}

/** Looks again at every change until the unit is as wanted; fails with what it was last. */
async function until(
  units: UnitManager,
  name: string,
  wanted: string,
  holds: (runtime: UnitRuntime) => boolean,
): Promise<UnitRuntime> {
  const limit = AbortSignal.timeout(waitLimitMs)
  const changes = units.changes(limit)
  let last = (await units.list()).get(name)
  if (last !== undefined && holds(last)) return last
  for await (const names of changes) {
    if (!names.has(name)) continue
    last = (await units.list()).get(name)
    if (last !== undefined && holds(last)) return last
  }
  throw new Error(`${name} did not become ${wanted} within ${waitLimitMs} ms; last seen: ${JSON.stringify(last)}`)
}

const isRunning = (runtime: UnitRuntime): boolean => runtime.activeState === 'active' && runtime.subState === 'running'

const present = (unit: UnitRuntime | undefined): UnitRuntime => {
  if (unit === undefined) throw new Error('the unit is not listed')
  return unit
}

const hasCode =
  (code: string) =>
  (error: unknown): boolean => {
    if (!isClusterError(error)) throw error
    strictEqual(error.code, code)
    return true
  }

/** Every case; run them one after the other. */
export const contractCases: readonly ContractCase[] = [
  {
    name: 'a unit that was never loaded is not listed, and stopping or unloading it does nothing',
    run: (open) =>
      withUnits(open, [], async (units) => {
        strictEqual((await units.list()).has('contract-nobody.service'), false)
        await units.stop('contract-nobody.service')
        await units.unload('contract-nobody.service')
      }),
  },
  {
    name: 'a loaded unit is listed with the hash of its text, and does not run',
    run: (open) =>
      withUnits(open, ['contract-load.service'], async (units) => {
        const unit = sleeper('loaded')
        await units.load('contract-load.service', unit)
        await units.reload()
        const seen = present((await units.list()).get('contract-load.service'))
        strictEqual(seen.hash, unit.hash)
        deepStrictEqual([seen.loadState, seen.activeState, seen.subState], ['loaded', 'inactive', 'dead'])
        strictEqual(seen.mainPid, undefined)
        strictEqual(seen.problem, undefined)
      }),
  },
  {
    name: 'a started service runs, with a process and an invocation',
    run: (open) =>
      withUnits(open, ['contract-start.service'], async (units) => {
        await units.load('contract-start.service', sleeper('started'))
        await units.reload()
        await units.start('contract-start.service')
        const seen = await until(units, 'contract-start.service', 'running', isRunning)
        strictEqual(seen.result, 'success')
        ok(seen.mainPid !== undefined && seen.mainPid > 1)
        match(seen.invocationId ?? '', /^[0-9a-f]{32}$/)
      }),
  },
  {
    name: 'starting what runs changes nothing: same process, same invocation',
    run: (open) =>
      withUnits(open, ['contract-again.service'], async (units) => {
        await units.load('contract-again.service', sleeper('started twice'))
        await units.reload()
        await units.start('contract-again.service')
        const first = await until(units, 'contract-again.service', 'running', isRunning)
        await units.start('contract-again.service')
        const second = present((await units.list()).get('contract-again.service'))
        deepStrictEqual([second.mainPid, second.invocationId], [first.mainPid, first.invocationId])
      }),
  },
  {
    name: 'a stopped unit ends and stays loaded; started again it has another invocation',
    run: (open) =>
      withUnits(open, ['contract-stop.service'], async (units) => {
        await units.load('contract-stop.service', sleeper('stopped'))
        await units.reload()
        await units.start('contract-stop.service')
        const first = await until(units, 'contract-stop.service', 'running', isRunning)
        await units.stop('contract-stop.service')
        const stopped = await until(units, 'contract-stop.service', 'dead', ({ subState }) => subState === 'dead')
        strictEqual(stopped.activeState, 'inactive')
        await units.stop('contract-stop.service')
        await units.start('contract-stop.service')
        const second = await until(units, 'contract-stop.service', 'running', isRunning)
        notStrictEqual(second.invocationId, first.invocationId)
      }),
  },
  {
    name: 'an unloaded unit has ended and is gone from the list',
    run: (open) =>
      withUnits(open, ['contract-unload.service'], async (units) => {
        await units.load('contract-unload.service', sleeper('unloaded'))
        await units.reload()
        await units.start('contract-unload.service')
        await until(units, 'contract-unload.service', 'running', isRunning)
        await units.unload('contract-unload.service')
        strictEqual((await units.list()).has('contract-unload.service'), false)
        await rejects(units.start('contract-unload.service'), hasCode('systemd/refused'))
      }),
  },
  {
    name: 'a failed unit can be unloaded, and is clean when it is loaded again',
    run: (open) =>
      withUnits(open, ['contract-failed.service'], async (units) => {
        // the fake fails it when it is told to, systemd because the command is not there
        const unit = loadableUnit('[Service]\nExecStart=/nonexistent/contract\n')
        await units.load('contract-failed.service', unit)
        await units.reload()
        await units.start('contract-failed.service')
        await until(units, 'contract-failed.service', 'failed', ({ activeState }) => activeState === 'failed')
        await units.unload('contract-failed.service')
        await units.reload()
        await units.load('contract-failed.service', sleeper('clean'))
        await units.reload()
        const seen = present((await units.list()).get('contract-failed.service'))
        deepStrictEqual([seen.loadState, seen.activeState], ['loaded', 'inactive'])
      }),
  },
  {
    name: 'a unit loaded with another text has the other hash',
    run: (open) =>
      withUnits(open, ['contract-replace.service'], async (units) => {
        await units.load('contract-replace.service', sleeper('old'))
        await units.reload()
        const replacement = sleeper('new')
        await units.load('contract-replace.service', replacement)
        await units.reload()
        strictEqual(present((await units.list()).get('contract-replace.service')).hash, replacement.hash)
      }),
  },
  {
    name: 'a oneshot ends by itself, successfully',
    run: (open) =>
      withUnits(open, ['contract-oneshot.service'], async (units) => {
        await units.load(
          'contract-oneshot.service',
          loadableUnit('[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n'),
        )
        await units.reload()
        await units.start('contract-oneshot.service')
        const seen = await until(units, 'contract-oneshot.service', 'exited', ({ subState }) => subState === 'exited')
        strictEqual(seen.activeState, 'active')
        strictEqual(seen.result, 'success')
        strictEqual(seen.mainPid, undefined)
      }),
  },
  {
    name: 'timers, targets and slices are managed like services',
    run: (open) =>
      withUnits(
        open,
        ['contract-kinds.timer', 'contract-kinds.service', 'contract-kinds.target', 'contractkinds.slice'],
        async (units) => {
          await units.load('contract-kinds.service', sleeper('started by a timer'))
          await units.load('contract-kinds.timer', loadableUnit('[Timer]\nOnActiveSec=1d\n'))
          await units.load('contract-kinds.target', loadableUnit('[Unit]\nDescription=a target\n'))
          await units.load('contractkinds.slice', loadableUnit('[Unit]\nDescription=a slice\n'))
          await units.reload()
          for (const [name, subState] of [
            ['contract-kinds.timer', 'waiting'],
            ['contract-kinds.target', 'active'],
            ['contractkinds.slice', 'active'],
          ] as const) {
            await units.start(name)
            await until(units, name, subState, (seen) => seen.activeState === 'active' && seen.subState === subState)
          }
          deepStrictEqual([...(await units.list()).keys()].filter((name) => /^contract-?kinds/.test(name)).sort(), [
            'contract-kinds.service',
            'contract-kinds.target',
            'contract-kinds.timer',
            'contractkinds.slice',
          ])
        },
      ),
  },
  {
    name: 'an instance with an escaped name is managed like any other',
    run: (open) =>
      withUnits(open, ['contract-x@a\\x2db:1.service'], async (units) => {
        await units.load('contract-x@a\\x2db:1.service', sleeper('instance'))
        await units.reload()
        await units.start('contract-x@a\\x2db:1.service')
        await until(units, 'contract-x@a\\x2db:1.service', 'running', isRunning)
      }),
  },
  {
    name: 'names that systemd cannot run are refused, and harm nobody',
    run: (open) =>
      withUnits(open, ['contract-good.service'], async (units) => {
        await units.load('contract-good.service', sleeper('good'))
        for (const bad of ['t@.service', 'a/b.service', 'a b.service', 'noname', '.service', 'a.swap', 'a.scope', '']) {
          await rejects(units.load(bad, sleeper('bad')), hasCode('systemd/invalid-name'))
          await rejects(units.start(bad), hasCode('systemd/invalid-name'))
        }
        await units.reload()
        strictEqual((await units.list()).has('contract-good.service'), true)
      }),
  },
  {
    name: 'a unit that systemd cannot load says why, is refused at start, and does not harm the list',
    run: (open) =>
      withUnits(open, ['contract-bad.service', 'contract-beside.service'], async (units) => {
        await units.load('contract-bad.service', loadableUnit('[Unit]\nDescription=no command\n[Service]\nUser=root\n'))
        await units.load('contract-beside.service', sleeper('beside a bad one'))
        await units.reload()
        const seen = present((await units.list()).get('contract-bad.service'))
        strictEqual(seen.loadState, 'bad-setting')
        ok(seen.problem !== undefined && seen.problem !== '')
        await rejects(units.start('contract-bad.service'), hasCode('systemd/refused'))
        await units.start('contract-beside.service')
        await until(units, 'contract-beside.service', 'running', isRunning)
      }),
  },
  {
    name: 'a unit with [Install] is enabled at load and forgotten at unload',
    run: (open) =>
      withUnits(open, ['contract-install.service'], async (units) => {
        const unit = loadableUnit(
          '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=contract-wanting.target\n',
        )
        await units.load('contract-install.service', unit)
        await units.reload()
        await units.start('contract-install.service')
        await until(units, 'contract-install.service', 'running', isRunning)
        await units.unload('contract-install.service')
        strictEqual((await units.list()).has('contract-install.service'), false)
      }),
  },
  {
    name: 'units outlive their manager, and the next one finds them as they are',
    run: (open) =>
      withUnits(open, ['contract-outlive.service'], async (first) => {
        const unit = sleeper('outlives')
        await first.load('contract-outlive.service', unit)
        await first.reload()
        await first.start('contract-outlive.service')
        const before = await until(first, 'contract-outlive.service', 'running', isRunning)
        await using second = await open()
        const after = present((await second.list()).get('contract-outlive.service'))
        deepStrictEqual(after, before)
        strictEqual(after.hash, unit.hash)
      }),
  },
  {
    name: 'a change of a unit is announced by its name',
    run: (open) =>
      withUnits(open, ['contract-change.service'], async (units) => {
        await units.load('contract-change.service', sleeper('changes'))
        await units.reload()
        const limit = AbortSignal.timeout(waitLimitMs)
        const changes = units.changes(limit)
        await units.start('contract-change.service')
        let seen = false
        for await (const names of changes) {
          seen = names.has('contract-change.service')
          if (seen) break
        }
        strictEqual(seen, true)
      }),
  },
  {
    name: 'looking is not a change: lists announce nothing',
    run: (open) =>
      withUnits(open, ['contract-quiet.service', 'contract-loud.service'], async (units) => {
        await units.load('contract-quiet.service', sleeper('quiet'))
        await units.load('contract-loud.service', sleeper('loud'))
        await units.reload()
        await units.list()
        const changes = units.changes(AbortSignal.timeout(waitLimitMs))
        for (let look = 0; look < 5; look += 1) await units.list()
        await units.start('contract-loud.service')
        const announced = new Set<string>()
        for await (const names of changes) {
          for (const name of names) announced.add(name)
          if (announced.has('contract-loud.service')) break
        }
        deepStrictEqual([...announced], ['contract-loud.service'])
      }),
  },
  {
    name: 'changes end when their signal fires',
    run: (open) =>
      withUnits(open, [], async (units) => {
        const stop = new AbortController()
        const changes = units.changes(stop.signal)[Symbol.asyncIterator]()
        const next = changes.next()
        stop.abort()
        strictEqual((await next).done, true)
      }),
  },
  {
    name: 'a closed manager refuses calls',
    run: async (open) => {
      const units = await open()
      await units[Symbol.asyncDispose]()
      await rejects(units.list(), hasCode('systemd/unavailable'))
      await rejects(units.reload(), hasCode('systemd/unavailable'))
    },
  },
]
