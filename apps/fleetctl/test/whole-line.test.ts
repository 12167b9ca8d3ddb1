/** fleetctl against three real daemons in this process: real API over TCP, engine, agents; store and systemd in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryIo, runCommandLine } from '@cluster/cli'
import { systemClock } from '@cluster/daemon/system'
import { createFleet } from '@cluster/fleet'
import { type HttpListener, serve } from '@cluster/http'
import { createModelKv, type ModelKv } from '@cluster/kv'
import { seededRandom, silentLogger, silentMeter } from '@cluster/prelude'
import { createFakeSystemd, type FakeSystemd } from '@cluster/systemd'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { fleetctl } from '../src/fleetctl.ts'
import { filesIn } from '../src/local-files.ts'
import { openFleet } from '../src/open-fleet.ts'

const ids = ['1a000000000000000000000000000001', '2b000000000000000000000000000002', '3c000000000000000000000000000003']
const systemds: FakeSystemd[] = []
const stop = new AbortController()
const running: Promise<void>[] = []
let folder = ''
let store: ModelKv | undefined
let listener: HttpListener | undefined

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleetctl-'))
  const kv = createModelKv({ clock: systemClock })
  store = kv
  for (const [index, id] of ids.entries()) {
    const systemd = createFakeSystemd()
    systemds.push(systemd)
    const fleet = await createFleet({
      kv: kv.connect(),
      units: systemd.open(),
      machine: {
        id,
        bootId: `boot-${index}`,
        publicIp: `10.77.0.1${index + 1}`,
        metadata: { disk: index === 2 ? 'hdd' : 'ssd' },
      },
      version: '0.1.0',
      clock: systemClock,
      random: seededRandom(index),
      log: silentLogger,
      meter: silentMeter,
    })
    running.push(fleet.run(stop.signal))
    if (index === 0) listener = await serve(fleet.api, { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
  }
  const isComplete = async (): Promise<void> => {
    const { stdout } = await run('list-machines', '--output', 'plain')
    if (stdout.split('\n').length !== 4) throw new Error(`three machines, not:\n${stdout}`)
  }
  await vi.waitFor(isComplete, { timeout: 20_000 })
}, 30_000)

afterAll(async () => {
  stop.abort()
  await Promise.all(running)
  await listener?.close(100)
  await store?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

async function run(...argv: string[]) {
  const io = memoryIo({ env: { FLEETCTL_ENDPOINT: listener?.url ?? '' } })
  const exit = await runCommandLine(fleetctl, argv, io, (settings) => ({
    io,
    settings,
    clock: systemClock,
    files: filesIn(folder),
    host: {
      machineId: async () => ids[0],
      homeFolder: folder,
      processMachines: async () => new Map(),
      async *readProcessLog() {},
    },
    runProgram: async () => 0,
    ask: async () => '',
    signal: stop.signal,
    openFleet: (flags) => openFleet({ io, clock: systemClock }, flags),
  }))
  return { exit, ...io.written }
}

const write = (name: string, ...lines: string[]): void =>
  writeFileSync(join(folder, name), `[Service]\nExecStart=/bin/sleep infinity\n${lines.join('\n')}\n`)

const upOn = (name: string): readonly number[] =>
  systemds.flatMap((systemd, index) => (systemd.upNames().includes(name) ? [index] : []))

it('starts, restarts, stops, unloads and destroys a unit', async () => {
  write('a.service')
  const started = await run('start', 'a')
  expect(started).toEqual({
    exit: 0,
    stdout: expect.stringMatching(
      /^Unit a\.service inactive\nUnit a\.service launched on \w{8}\.\.\.\/10\.77\.0\.1\d\n$/,
    ),
    stderr: '',
  })
  const [where = -1] = upOn('a.service')
  const before = systemds[where]?.runtimeOf('a.service')?.invocationId
  expect(await run('restart', 'a')).toMatchObject({ exit: 0, stderr: expect.stringContaining('was restarted') })
  expect(systemds[where]?.runtimeOf('a.service')?.invocationId).not.toBe(before)
  expect(await run('stop', 'a')).toMatchObject({ exit: 0, stderr: 'Successfully stopped units [a.service].\n' })
  expect(await run('unload', 'a')).toMatchObject({ exit: 0, stdout: 'Unit a.service inactive\n' })
  expect(await run('destroy', 'a')).toMatchObject({ exit: 0, stdout: 'Destroyed a.service\n' })
  expect(upOn('a.service')).toEqual([])
  expect((await run('list-units', '--no-legend')).stdout).toBe('')
}, 30_000)

it('replaces a running unit and waits for the new content', async () => {
  write('r.service')
  await run('start', 'r')
  write('r.service', 'Restart=always')
  expect((await run('start', '--replace', 'r')).exit).toBe(0)
  const [where = -1] = upOn('r.service')
  expect(systemds[where]?.textOf('r.service')).toContain('Restart=always')
}, 30_000)

it('starts instances of a template that conflict, each on a machine of its own', async () => {
  write('web@.service', '[X-Fleet]', 'Conflicts=web@*.service')
  expect((await run('start', 'web@1', 'web@2', 'web@3')).exit).toBe(0)
  const machines = ['web@1.service', 'web@2.service', 'web@3.service'].flatMap(upOn)
  expect([...machines].sort()).toEqual([0, 1, 2])
}, 30_000)

it('tells why a unit runs nowhere', async () => {
  write('p.service', '[X-Fleet]', 'MachineMetadata=disk=tape')
  expect((await run('start', '--no-block', 'p')).exit).toBe(0)
  const { exit, stdout } = await run('why', 'p')
  expect(exit).toBe(0)
  expect(stdout).toContain('p.service: waits, 0 of 3 machines can run it')
  expect(stdout).toContain('2 machines: metadata disk=tape is required, the machine has disk=ssd')
  expect(stdout).toContain('p.service:4: MachineMetadata=disk=tape')
  expect(stdout).toContain('1. relabel ')
}, 30_000)

it.each([
  ['empty.service', '# nothing\n', 'googleapi: Error 409: unit does not exist and options field empty'],
  ['long.service', `[Service]\nExecStart=/bin/true ${'x'.repeat(3000)}\n`, undefined],
])('%s is refused by the daemon, or taken', async (name, text, refusal) => {
  writeFileSync(join(folder, name), text)
  const { exit, stderr } = await run('submit', name)
  const expected = refusal === undefined ? '' : `Error creating units: failed creating unit ${name}: ${refusal}\n`
  expect([exit, stderr]).toEqual([refusal === undefined ? 0 : 1, expected])
})

it('warns once of a requirement that nobody knows, though daemon and client both look', async () => {
  write('typo.service', '[X-Fleet]', 'Conflict=other.service')
  const { exit, stderr } = await run('submit', 'typo')
  expect(exit).toBe(0)
  expect(stderr.split('\n').filter((line) => line.includes('Conflict'))).toHaveLength(1)
  await run('destroy', 'typo')
})
