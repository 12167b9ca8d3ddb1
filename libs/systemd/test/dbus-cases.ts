/** What only a real systemd can show: links, slow stops, a bus that goes away, systemd re-executing itself. */
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { access, readlink, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '@cluster/daemon/system'
import { isClusterError, silentLogger } from '@cluster/prelude'
import { loadableUnit } from '../src/contract.ts'
import { type DbusUnitManagerOptions, openDbusUnitManager } from '../src/dbus-unit-manager.ts'
import { readBootId, readMachineId } from '../src/host.ts'
import { type JournalEntry, readJournal } from '../src/journal.ts'
import type { UnitManager } from '../src/unit-manager.ts'

const run = promisify(execFile)
const systemBus = '/run/dbus/system_bus_socket'
const sleeper = loadableUnit('[Service]\nExecStart=/bin/sleep infinity\n')

export type DbusCase = { readonly name: string; readonly run: (unitsDirectory: string) => Promise<void> }

const openManager = (options: Partial<DbusUnitManagerOptions>): Promise<UnitManager> =>
  openDbusUnitManager({ log: silentLogger, clock: systemClock, ...options })

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const hasCode =
  (code: string) =>
  (error: unknown): boolean => {
    if (!isClusterError(error)) throw error
    strictEqual(error.code, code)
    return true
  }

/** A way to the bus that can be cut, without harm to the bus of the machine. */
async function openCuttableBus(path: string): Promise<{ cut: () => Promise<void>; mend: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  const mend = async (): Promise<void> => {
    await rm(path, { force: true })
    const opened = createServer((inner) => {
      const outer = connect(systemBus)
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
    await new Promise<void>((resolve) => opened.listen(path, resolve))
    server = opened
  }
  const cut = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())))
    server = undefined
  }
  await mend()
  return { cut, mend }
}

async function untilChanged(units: UnitManager, name: string, act: () => Promise<unknown>): Promise<void> {
  const changes = units.changes(AbortSignal.timeout(20_000))
  await act()
  for await (const names of changes) if (names.has(name)) return
  throw new Error(`nothing was said about ${name} within 20 s`)
}

/** An order that still waits is cancelled by the next one: a unit that is stopped too early has never run. */
async function untilActive(units: UnitManager, name: string): Promise<void> {
  const isActive = async (): Promise<boolean> => (await units.list()).get(name)?.activeState === 'active'
  const changes = units.changes(AbortSignal.timeout(20_000))
  if (await isActive()) return
  for await (const _ of changes) if (await isActive()) return
  throw new Error(`${name} was not active within 20 s`)
}

const mainPidOf = async (units: UnitManager, name: string): Promise<number | undefined> =>
  (await units.list()).get(name)?.mainPid

/** Every case; run them one after the other, as root, on a machine with systemd. */
export const dbusCases: readonly DbusCase[] = [
  {
    name: 'D-Bus: a loaded unit is linked and enabled at run time; unloading takes both away',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      const unit = loadableUnit(
        '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=contract-wanting.target\n',
      )
      await units.load('contract-linked.service', unit)
      const link = '/run/systemd/system/contract-linked.service'
      const wanted = '/run/systemd/system/contract-wanting.target.wants/contract-linked.service'
      strictEqual(await readlink(link), join(unitsDirectory, 'contract-linked.service'))
      strictEqual(await exists(wanted), true)
      await units.unload('contract-linked.service')
      deepStrictEqual(await Promise.all([link, wanted, join(unitsDirectory, 'contract-linked.service')].map(exists)), [
        false,
        false,
        false,
      ])
    },
  },
  {
    name: 'D-Bus: an [Install] section without install information is refused, and nothing of it is left',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      const unit = loadableUnit('[Service]\nExecStart=/bin/sleep infinity\n[Install]\nX-Nothing=1\n')
      await rejects(units.load('contract-noinfo.service', unit), hasCode('systemd/refused'))
      strictEqual((await units.list()).has('contract-noinfo.service'), false)
      strictEqual(await exists('/run/systemd/system/contract-noinfo.service'), false)
    },
  },
  {
    name: 'D-Bus: unload waits for a slow stop, whose last command still runs',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      const proof = join(unitsDirectory, '..', 'contract-stopped')
      await rm(proof, { force: true })
      await units.load(
        'contract-slow.service',
        loadableUnit(
          `[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 1\nExecStopPost=/bin/touch ${proof}\n`,
        ),
      )
      await units.reload()
      await units.start('contract-slow.service')
      await untilActive(units, 'contract-slow.service')
      await units.unload('contract-slow.service')
      strictEqual(await exists(proof), true)
    },
  },
  {
    name: 'D-Bus: a unit that will not end in time keeps its file, and can be unloaded later',
    run: async (unitsDirectory) => {
      await using hasty = await openManager({ unitsDirectory, stopTimeoutMs: 300 })
      await hasty.load(
        'contract-late.service',
        loadableUnit('[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 2\n'),
      )
      await hasty.reload()
      await hasty.start('contract-late.service')
      await untilActive(hasty, 'contract-late.service')
      await rejects(hasty.unload('contract-late.service'), hasCode('systemd/timeout'))
      strictEqual((await hasty.list()).has('contract-late.service'), true)
      await using patient = await openManager({ unitsDirectory })
      await patient.unload('contract-late.service')
      strictEqual((await patient.list()).has('contract-late.service'), false)
    },
  },
  {
    name: 'D-Bus: while the bus is away calls say so; when it is back every unit is announced, untouched',
    run: async (unitsDirectory) => {
      const path = join(unitsDirectory, '..', 'contract-bus')
      const bus = await openCuttableBus(path)
      const units = await openManager({ unitsDirectory, busAddress: `unix:path=${path}` })
      try {
        await units.load('contract-cut.service', sleeper)
        await units.reload()
        await untilChanged(units, 'contract-cut.service', () => units.start('contract-cut.service'))
        const before = await mainPidOf(units, 'contract-cut.service')
        await bus.cut()
        await rejects(units.list(), hasCode('systemd/unavailable'))
        await untilChanged(units, 'contract-cut.service', bus.mend)
        strictEqual(await mainPidOf(units, 'contract-cut.service'), before)
        await untilChanged(units, 'contract-cut.service', () => units.stop('contract-cut.service'))
      } finally {
        await units.unload('contract-cut.service')
        await units[Symbol.asyncDispose]()
        await bus.cut()
      }
    },
  },
  {
    name: 'D-Bus: after systemd re-executes itself, changes are heard again and no unit was touched',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      await units.load('contract-reexec.service', sleeper)
      await units.reload()
      await untilChanged(units, 'contract-reexec.service', () => units.start('contract-reexec.service'))
      const before = await mainPidOf(units, 'contract-reexec.service')
      ok(before !== undefined)
      await untilChanged(units, 'contract-reexec.service', () => run('systemctl', ['daemon-reexec']))
      strictEqual(await mainPidOf(units, 'contract-reexec.service'), before)
      await untilChanged(units, 'contract-reexec.service', async () => process.kill(before, 'SIGKILL'))
      await units.unload('contract-reexec.service')
    },
  },
  {
    name: 'D-Bus: a process that dies is announced, with its result',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      await units.load('contract-dies.service', sleeper)
      await units.reload()
      await untilChanged(units, 'contract-dies.service', () => units.start('contract-dies.service'))
      const pid = await mainPidOf(units, 'contract-dies.service')
      ok(pid !== undefined)
      await untilChanged(units, 'contract-dies.service', async () => process.kill(pid, 'SIGKILL'))
      const seen = (await units.list()).get('contract-dies.service')
      deepStrictEqual([seen?.activeState, seen?.result], ['failed', 'signal'])
      await units.unload('contract-dies.service')
    },
  },
  {
    name: 'D-Bus: foreign files in the units directory are left out, and the rest is listed',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      await units.load('contract-tidy.service', sleeper)
      const foreign = ['contract@.service', 'README', 'contract-torn.service', 'swap.swap']
      for (const name of foreign) await writeFile(join(unitsDirectory, name), '[Service\n')
      const names = [...(await units.list()).keys()]
      deepStrictEqual(
        foreign.filter((name) => names.includes(name)),
        [],
      )
      strictEqual(names.includes('contract-tidy.service'), true)
      for (const name of foreign) await rm(join(unitsDirectory, name))
      await units.unload('contract-tidy.service')
    },
  },
  {
    name: 'D-Bus: the journal has what a unit said, past and following',
    run: async (unitsDirectory) => {
      await using units = await openManager({ unitsDirectory })
      const unit = 'contract-says.service'
      await units.load(
        unit,
        loadableUnit('[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo "hello from the unit"\n'),
      )
      await units.reload()
      const sinceMs = Date.now() - 1
      const following = firstSaid(readJournal({ unit, sinceMs, follow: true, signal: AbortSignal.timeout(20_000) }))
      await units.start(unit)
      const heard = await following
      ok(heard !== undefined)
      const past = await firstSaid(readJournal({ unit, lines: 20, sinceMs }))
      deepStrictEqual(past, heard)
      deepStrictEqual([heard.unit, heard.priority, heard.program], [unit, 6, 'echo'])
      ok(Math.abs(heard.timeMs - sinceMs) < 60_000)
      await units.unload(unit)
    },
  },
  {
    name: 'D-Bus: the machine says who it is',
    run: async () => {
      strictEqual((await readMachineId()).length, 32)
      strictEqual((await readBootId()).length, 32)
    },
  },
]

async function firstSaid(entries: AsyncIterable<JournalEntry>): Promise<JournalEntry | undefined> {
  for await (const entry of entries) if (entry.message === 'hello from the unit') return entry
  return undefined
}
