import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '@cluster/daemon/system'
import { isClusterError } from '@cluster/prelude'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadableUnit } from '../src/contract.ts'
import type { JournalEntry } from '../src/journal.ts'
import { readProcessJournal } from '../src/process/process-journal.ts'
import { listProcesses } from '../src/process/process-table.ts'
import { endProcessSupervisor, type ProcessUnitManager } from '../src/process/process-unit-manager.ts'
import type { UnitRuntime } from '../src/unit-manager.ts'
import { createProcessWorld, type ProcessWorld } from './process-machine.ts'

let world: ProcessWorld

beforeAll(async () => {
  world = await createProcessWorld()
}, 60_000)

afterAll(() => world.close(), 60_000)

type Machine = { readonly directory: string; readonly units: ProcessUnitManager }

/** A machine with these units, loaded and read. */
async function machineWith(files: Readonly<Record<string, string>>): Promise<Machine> {
  const directory = await world.newDirectory()
  const units = await world.open(directory)
  for (const [name, text] of Object.entries(files)) await units.load(name, loadableUnit(text))
  await units.reload()
  return { directory, units }
}

const look = async (units: ProcessUnitManager, name: string): Promise<UnitRuntime> => {
  const runtime = (await units.list()).get(name)
  if (runtime === undefined) throw new Error(`${name} is not listed`)
  return runtime
}

async function until(
  units: ProcessUnitManager,
  name: string,
  holds: (runtime: UnitRuntime) => boolean,
): Promise<UnitRuntime> {
  const changes = units.changes(AbortSignal.timeout(20_000))
  const lookNow = (): Promise<UnitRuntime | undefined> =>
    units.list().then(
      (all) => all.get(name),
      (error: unknown) => {
        // between two supervisors
        if (isClusterError(error, 'systemd/unavailable')) return undefined
        throw error
      },
    )
  let last = await lookNow()
  if (last !== undefined && holds(last)) return last
  for await (const _names of changes) {
    last = await lookNow()
    if (last !== undefined && holds(last)) return last
  }
  throw new Error(`${name} did not get there; last seen: ${JSON.stringify(last)}`)
}

const subState =
  (wanted: string) =>
  (runtime: UnitRuntime): boolean =>
    runtime.subState === wanted

const startAnd = async (units: ProcessUnitManager, name: string, wanted = 'running'): Promise<UnitRuntime> => {
  await units.start(name)
  return until(units, name, subState(wanted))
}

const mainPidOf = ({ mainPid }: UnitRuntime): number => {
  if (mainPid === undefined) throw new Error('no main process')
  return mainPid
}

async function journalOf({ directory }: Machine, unit: string): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = []
  for await (const entry of readProcessJournal({ directory, unit })) entries.push(entry)
  return entries
}

/** The lines that the unit's own processes printed. */
const printedBy = async (machine: Machine, unit: string): Promise<readonly string[]> =>
  (await journalOf(machine, unit)).filter(({ program }) => program !== 'supervisor').map(({ message }) => message)

/** Waits for a line of the unit, past or to come. */
async function heard({ directory }: Machine, unit: string, text: string): Promise<JournalEntry> {
  const signal = AbortSignal.timeout(20_000)
  for await (const entry of readProcessJournal({ directory, unit, follow: true, signal })) {
    if (entry.message.includes(text)) return entry
  }
  throw new Error(`${unit} never said ${text}`)
}

const code = (expected: string) => (error: unknown) => isClusterError(error) && error.code === expected

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
  } catch (error) {
    if (isClusterError(error, 'systemd/refused')) return error.message
    throw error
  }
  throw new Error('it was not refused')
}

/** The PID of the supervisor, from its lock. */
const supervisorOf = async ({ directory }: Machine): Promise<number> =>
  Number((await readFile(join(directory, 'supervisor.lock'), 'utf8')).split(' ')[0])

const sleeper = '[Service]\nExecStart=/bin/sleep infinity\n'

it('kill -9 of the agent leaves its units, and the next agent finds the same process', async () => {
  const directory = await world.newDirectory()
  const script = join(directory, '..', 'agent.mjs')
  await build({
    entryPoints: [new URL('process-agent.ts', import.meta.url).pathname],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@cluster/source'],
    external: ['x11', 'usocket'],
  })
  const agent = spawn(process.execPath, [script, directory, world.supervisorCommand[1]], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: agent.stdout }), 'line')
  agent.kill('SIGKILL')
  await once(agent, 'exit')
  await using units = await world.open(directory)
  const found = await look(units, 'survivor.service')
  expect([found.activeState, found.mainPid]).toEqual(['active', Number(line)])
  await units.unload('survivor.service')
})

it('kill -9 of a service brings it back under Restart=always, as another invocation', async () => {
  const { units } = await machineWith({ 'a.service': `${sleeper}Restart=always\nRestartSec=10ms\n` })
  const first = await startAnd(units, 'a.service')
  process.kill(mainPidOf(first), 'SIGKILL')
  const second = await until(
    units,
    'a.service',
    (seen) => seen.subState === 'running' && seen.mainPid !== first.mainPid,
  )
  expect(second.invocationId).not.toBe(first.invocationId)
  await units[Symbol.asyncDispose]()
})

it('a service that dies again and again is given up', async () => {
  const { units } = await machineWith({
    'a.service': '[Unit]\nStartLimitBurst=3\n[Service]\nExecStart=/bin/false\nRestart=on-failure\nRestartSec=1ms\n',
  })
  await units.start('a.service')
  const seen = await until(units, 'a.service', subState('failed'))
  expect(seen.result).toBe('start-limit-hit')
  await units[Symbol.asyncDispose]()
})

it('a process that ignores SIGTERM is killed when its time is over', async () => {
  const machine = await machineWith({
    'a.service': `[Service]\nExecStart=/bin/sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.1; done'\nTimeoutStopSec=200ms\n`,
  })
  const { units } = machine
  const { mainPid } = await startAnd(units, 'a.service')
  await heard(machine, 'a.service', 'deaf')
  await units.stop('a.service')
  const seen = await until(units, 'a.service', subState('failed'))
  expect(listProcesses().some(({ pid }) => pid === mainPid)).toBe(false)
  expect(seen.result).toBe('timeout')
  await units[Symbol.asyncDispose]()
})

it('a stop ends processes that left the session, too', async () => {
  const { units } = await machineWith({
    'a.service': `[Service]\nExecStart=/bin/sh -c 'setsid sleep 4711 & exec sleep 4711'\n`,
  })
  const { mainPid } = await startAnd(units, 'a.service')
  await units.stop('a.service')
  await until(units, 'a.service', subState('dead'))
  expect(listProcesses().filter(({ pid, session }) => pid === mainPid || session === mainPid)).toEqual([])
  await units[Symbol.asyncDispose]()
})

it('a changed text has its hash only after the reload', async () => {
  const { units } = await machineWith({ 'a.service': sleeper })
  const before = await look(units, 'a.service')
  const other = loadableUnit(`${sleeper}Environment=A=1\n`)
  await units.load('a.service', other)
  expect((await look(units, 'a.service')).hash).toBe(before.hash)
  await units.reload()
  expect((await look(units, 'a.service')).hash).toBe(other.hash)
  await units[Symbol.asyncDispose]()
})

it('kill -9 of the supervisor costs neither a process nor a line', async () => {
  const machine = await machineWith({
    'a.service': `[Service]\nExecStart=/bin/sh -c 'i=0; while :; do i=$$((i+1)); echo line $$i; sleep 0.05; done'\n`,
  })
  const { units } = machine
  const before = await startAnd(units, 'a.service')
  await heard(machine, 'a.service', 'line 2')
  const supervisor = await supervisorOf(machine)
  process.kill(supervisor, 'SIGKILL')
  const after = await until(units, 'a.service', subState('running'))
  expect([after.mainPid, after.invocationId]).toEqual([before.mainPid, before.invocationId])
  expect(await supervisorOf(machine)).not.toBe(supervisor)
  await heard(machine, 'a.service', 'line 15')
  const numbers = (await printedBy(machine, 'a.service')).map((line) => Number(line.replace('line ', '')))
  expect(numbers.slice(0, 15)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  // and the adopted process can be stopped
  await units.stop('a.service')
  expect(
    (await until(units, 'a.service', ({ activeState }) => activeState !== 'active' && activeState !== 'deactivating'))
      .mainPid,
  ).toBeUndefined()
  expect(listProcesses().some(({ pid }) => pid === before.mainPid)).toBe(false)
  await units[Symbol.asyncDispose]()
})

it('a process that died while there was no supervisor is brought back by the next', async () => {
  const machine = await machineWith({ 'a.service': `${sleeper}Restart=always\nRestartSec=10ms\n` })
  const { units } = machine
  const before = await startAnd(units, 'a.service')
  process.kill(await supervisorOf(machine), 'SIGKILL')
  process.kill(mainPidOf(before), 'SIGKILL')
  const after = await until(
    units,
    'a.service',
    (seen) => seen.subState === 'running' && seen.mainPid !== before.mainPid,
  )
  expect(after.invocationId).not.toBe(before.invocationId)
  await units[Symbol.asyncDispose]()
})

it('a command sees its environment, files before assignments, and specifiers', async () => {
  const machine = await machineWith({})
  const file = join(machine.directory, 'unit.env')
  await writeFile(file, 'FROM_FILE="two words"\nBOTH=file\n')
  const { units } = machine
  await units.load(
    'echo@x.service',
    loadableUnit(
      `[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironment=BOTH=unit MINE=1\nEnvironmentFile=${file}\nEnvironmentFile=-/nonexistent\nWorkingDirectory=/usr\nUMask=027\nSyslogIdentifier=teller\n` +
        `ExecStart=/bin/sh -c 'echo "%i $MINE $BOTH $FROM_FILE"; pwd; umask; echo "<3>bad" >&2; echo "$INVOCATION_ID"'\n` +
        `ExecStart=:/bin/echo $MINE\nExecStart=-/bin/false\nExecStart=@/bin/sh name -c 'echo $0'\n`,
    ),
  )
  await units.reload()
  const { invocationId } = await startAnd(units, 'echo@x.service', 'exited')
  await heard(machine, 'echo@x.service', 'name')
  const entries = (await journalOf(machine, 'echo@x.service')).filter(({ program }) => program === 'teller')
  expect(entries.map(({ message }) => message)).toEqual([
    'x 1 file two words',
    '/usr',
    '0027',
    'bad',
    invocationId,
    '$MINE',
    'name',
  ])
  expect(entries.find(({ message }) => message === 'bad')?.priority).toBe(3)
  await units[Symbol.asyncDispose]()
})

it('commands run in the order of systemd, and ExecStopPost= is told how it ended', async () => {
  const machine = await machineWith({
    'a.service': `[Service]
ExecCondition=/bin/echo condition
ExecStartPre=/bin/echo pre
ExecStart=/bin/sh -c 'echo start; trap "exit 3" TERM; while :; do sleep 0.05; done'
ExecStartPost=/bin/echo post
ExecReload=/bin/sh -c 'echo reload of $MAINPID'
ExecStop=/bin/echo stop
ExecStopPost=/bin/sh -c 'echo "stop-post $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"'
`,
  })
  const { units } = machine
  const { mainPid } = await startAnd(units, 'a.service')
  await heard(machine, 'a.service', 'start')
  await units.reloadUnit('a.service')
  await heard(machine, 'a.service', `reload of ${mainPid}`)
  await until(units, 'a.service', subState('running'))
  await units.stop('a.service')
  const { result } = await until(units, 'a.service', subState('failed'))
  expect(result).toBe('exit-code')
  await heard(machine, 'a.service', 'stop-post')
  const printed = await printedBy(machine, 'a.service')
  // the first two come at the same time as those of others, the third is the shell's, of the sleep in it
  const others = ['start', 'post', 'Terminated']
  expect(printed.filter((line) => !others.includes(line))).toEqual([
    'condition',
    'pre',
    `reload of ${mainPid}`,
    'stop',
    'stop-post exit-code exited 3',
  ])
  await units[Symbol.asyncDispose]()
})

it('what one unit requires is there before it, and a stop takes it along', async () => {
  const { units } = await machineWith({
    'db.service': '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 0.2\n',
    'web.service': `[Unit]\nRequires=db.service\nAfter=db.service network-online.target\n${sleeper}`,
    'side.service': `[Unit]\nBindsTo=web.service\nAfter=web.service\n${sleeper}`,
  })
  await units.start('side.service')
  await until(units, 'side.service', subState('running'))
  expect((await look(units, 'db.service')).subState).toBe('exited')
  await units.stop('db.service')
  await until(units, 'db.service', subState('dead'))
  const states = [...(await units.list())].map(([name, { subState }]) => `${name} ${subState}`)
  expect(states.sort()).toEqual(['db.service dead', 'side.service dead', 'web.service dead'])
  await units[Symbol.asyncDispose]()
})

it('a unit bound to another goes down with it', async () => {
  const { units } = await machineWith({
    'web.service': sleeper,
    'side.service': `[Unit]\nBindsTo=web.service\nAfter=web.service\n${sleeper}`,
  })
  await startAnd(units, 'side.service')
  process.kill(mainPidOf(await look(units, 'web.service')), 'SIGKILL')
  await until(units, 'side.service', subState('dead'))
  await until(units, 'web.service', subState('failed'))
  await units[Symbol.asyncDispose]()
})

it('a start stops what conflicts, and what it requires must exist', async () => {
  const { units } = await machineWith({
    'one.service': `[Unit]\nConflicts=other.service\n${sleeper}`,
    'other.service': sleeper,
    'lonely.service': `[Unit]\nRequires=missing.service\n${sleeper}`,
    'wishful.service': `[Unit]\nWants=missing.service\n${sleeper}`,
  })
  await startAnd(units, 'other.service')
  await units.start('one.service')
  await until(units, 'other.service', subState('dead'))
  await until(units, 'one.service', subState('running'))
  expect(await refusal(units.start('lonely.service'))).toContain('Unit missing.service not found.')
  await startAnd(units, 'wishful.service')
  await units[Symbol.asyncDispose]()
})

it('a unit whose requirement fails is not started', async () => {
  const machine = await machineWith({
    'db.service': '[Service]\nType=oneshot\nExecStart=/bin/false\n',
    'web.service': `[Unit]\nRequires=db.service\nAfter=db.service\n${sleeper}`,
  })
  const { units } = machine
  await units.start('web.service')
  await until(units, 'db.service', subState('failed'))
  await heard(machine, 'web.service', 'Dependency failed: db.service')
  expect((await look(units, 'web.service')).activeState).toBe('inactive')
  await units[Symbol.asyncDispose]()
})

it('a timer starts its unit again and again', async () => {
  const machine = await machineWith({
    'tick.service': '[Service]\nType=oneshot\nExecStart=/bin/echo tick\n',
    'tick.timer': '[Timer]\nOnActiveSec=10ms\nOnUnitActiveSec=50ms\nAccuracySec=1ms\n',
  })
  const { units } = machine
  await units.start('tick.timer')
  const signal = AbortSignal.timeout(20_000)
  let ticks = 0
  for await (const { message } of readProcessJournal({
    directory: machine.directory,
    unit: 'tick.service',
    follow: true,
    signal,
  })) {
    if (message === 'tick') ticks += 1
    if (ticks === 3) break
  }
  expect(ticks).toBe(3)
  expect((await look(units, 'tick.timer')).activeState).toBe('active')
  await units.stop('tick.timer')
  await until(units, 'tick.timer', subState('dead'))
  await units[Symbol.asyncDispose]()
})

it('a target starts what is wanted by it', async () => {
  const { units } = await machineWith({
    'all.target': '[Unit]\nDescription=everything\n',
    'a.service': `${sleeper}[Install]\nWantedBy=all.target\n`,
  })
  await units.start('all.target')
  await until(units, 'a.service', subState('running'))
  await until(units, 'all.target', subState('active'))
  await units[Symbol.asyncDispose]()
})

it('output goes to files where the unit says so', async () => {
  const machine = await machineWith({})
  const { units, directory } = machine
  const path = join(directory, 'out.txt')
  await units.load(
    'a.service',
    loadableUnit(
      `[Service]\nType=oneshot\nRemainAfterExit=yes\nStandardOutput=append:${path}\nStandardError=journal\nExecStart=/bin/sh -c 'echo out; echo err >&2'\n`,
    ),
  )
  await units.reload()
  await startAnd(units, 'a.service', 'exited')
  await heard(machine, 'a.service', 'err')
  expect(await readFile(path, 'utf8')).toBe('out\n')
  expect(await printedBy(machine, 'a.service')).toEqual(['err'])
  await units[Symbol.asyncDispose]()
})

it('a drop-in counts', async () => {
  const machine = await machineWith({
    'a.service': '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo file\n',
  })
  const { units, directory } = machine
  await mkdir(join(directory, 'units', 'a.service.d'))
  await writeFile(join(directory, 'units', 'a.service.d', 'x.conf'), '[Service]\nExecStart=/bin/echo drop-in\n')
  await units.reload()
  await startAnd(units, 'a.service', 'exited')
  await heard(machine, 'a.service', 'drop-in')
  await units[Symbol.asyncDispose]()
})

it('what cannot be kept without systemd is refused at load, by name and line', async () => {
  const { units } = await machineWith({})
  const load = (text: string, name = 'a.service'): Promise<string> => refusal(units.load(name, loadableUnit(text)))
  expect(await load('[Service]\nExecStart=/bin/true\nMemoryMax=1G\n')).toContain('MemoryMax= in line 3')
  expect(await load('[Service]\nType=notify\nExecStart=/bin/true\n')).toContain('Type= in line 2 (notify)')
  expect(await load('[Service]\nExecStart=/bin/true\nProtectSystem=strict\n')).toContain('ProtectSystem= in line 3')
  expect(await load('[Timer]\nOnCalendar=daily\n', 'a.timer')).toContain('OnCalendar= in line 2')
  expect(await load('[Socket]\nListenStream=80\n', 'a.socket')).toContain('units of type socket need systemd')
  expect((await units.list()).size).toBe(0)
  await units[Symbol.asyncDispose]()
})

it('what has no effect is taken with a warning', async () => {
  const warnings: unknown[] = []
  const units = await world.open(await world.newDirectory(), {
    log: {
      debug: () => undefined,
      info: () => undefined,
      error: () => undefined,
      warn: (_message, fields) => void warnings.push(fields?.['warning']),
    },
  })
  await units.load('a.service', loadableUnit('[Service]\nNice=5\nExecStart=/bin/true\n'))
  expect(warnings).toEqual([
    'Nice= in line 2 has no effect without systemd: it is a hint about the share of the machine',
  ])
  await units[Symbol.asyncDispose]()
})

it('%H and %m are what the manager was given', async () => {
  const directory = await world.newDirectory()
  const machineId = 'c'.repeat(32)
  const units = await world.open(directory, {
    identity: { hostName: 'm1', machineId },
    environment: { CLUSTER_ADDRESS: '10.0.0.1' },
  })
  await units.load(
    'a.service',
    loadableUnit(`[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo %H %m \${CLUSTER_ADDRESS}\n`),
  )
  await units.reload()
  await startAnd(units, 'a.service', 'exited')
  await heard({ directory, units }, 'a.service', `m1 ${machineId} 10.0.0.1`)
  await units[Symbol.asyncDispose]()
})

it('ending the supervisor stops every unit', async () => {
  const machine = await machineWith({ 'a.service': sleeper, 'b.service': sleeper })
  const pids = [
    mainPidOf(await startAnd(machine.units, 'a.service')),
    mainPidOf(await startAnd(machine.units, 'b.service')),
    await supervisorOf(machine),
  ]
  await machine.units[Symbol.asyncDispose]()
  await endProcessSupervisor({ directory: machine.directory, clock: systemClock })
  await expect(readFile(join(machine.directory, 'supervisor.lock'))).rejects.toThrow('ENOENT')
  expect(listProcesses().filter(({ pid }) => pids.slice(0, 2).includes(pid))).toEqual([])
})

it('many agents that come at once share one supervisor', async () => {
  const directory = await world.newDirectory()
  const managers = await Promise.all([1, 2, 3, 4].map(() => world.open(directory)))
  const [first, ...others] = managers
  await first?.load('a.service', loadableUnit(sleeper))
  for (const other of others) expect([...(await other.list()).keys()]).toEqual(['a.service'])
  for (const manager of managers) await manager[Symbol.asyncDispose]()
})

it('works in a folder whose path is too long for a socket', async () => {
  const directory = join(await world.newDirectory(), 'long'.repeat(40))
  const units = await world.open(directory)
  expect((await units.list()).size).toBe(0)
  await units[Symbol.asyncDispose]()
  await endProcessSupervisor({ directory, clock: systemClock })
})

it('refuses a folder in which others may write', async () => {
  const directory = await world.newDirectory()
  await chmod(directory, 0o777)
  await expect(world.open(directory)).rejects.toSatisfy(code('systemd/directory'))
  await chmod(directory, 0o700)
})

it('says why a supervisor cannot be started', async () => {
  const directory = await world.newDirectory()
  const attempt = world.open(directory, { supervisorCommand: [process.execPath, '/nonexistent/supervisor.js'] })
  await expect(attempt).rejects.toSatisfy(code('systemd/unavailable'))
})
