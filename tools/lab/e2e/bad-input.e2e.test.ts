/** What people and broken programs put in: one clear error, nothing half-applied, daemons still up. */
import { beforeEach, describe, expect, it } from 'vitest'
import { deleteKey, putKey, storeRequest } from '../src/store.ts'
import { runningPlace, unitOn } from '../src/unit-on-machine.ts'
import { until } from '../src/until.ts'
import {
  everyMachineListed,
  fleetctl,
  fleetctlDone,
  freshCluster,
  keyOf,
  keysBelow,
  livesOf,
  prefix,
  service,
  theLab,
  untilPlaces,
} from './scenario.ts'

beforeEach(freshCluster)

const names = () => theLab().names

/** Every daemon is in the life it was in. */
async function daemonsLiveOn<T>(act: () => Promise<T>): Promise<T> {
  const before = await livesOf(['fleetd.service'])
  const outcome = await act()
  expect(await livesOf(['fleetd.service'])).toEqual(before)
  return outcome
}

describe('a unit that cannot be', () => {
  const tooLarge = `[Service]\n${`# ${'x'.repeat(1000)}\n`.repeat(10_500)}ExecStart=/bin/true\n`
  it.each([
    ['with a NUL', 'nul.service', '[Service]\nExecStart=/bin/echo a\0b\n'],
    ['of 10 MB', 'large.service', tooLarge],
    ['without a section', 'bare.service', 'ExecStart=/bin/true\n'],
    ['with an unknown suffix', 'odd.servcie', service()],
    [
      'that is global and has a peer',
      'both.service',
      service('[X-Fleet]\nGlobal=true\nMachineOf=other.service\n'),
      // fleet's own words, which name the options and not the unit.
      'Global cannot be used with Peers',
    ],
  ])('%s: start says so in one error, exits 1, and leaves nothing', async (_, name, text, words = name) => {
    const { code, stderr } = await daemonsLiveOn(() => fleetctl(`start ${name}`, { files: { [name]: text } }))
    expect(code).toBe(1)
    expect(stderr).toContain(words)
    expect(stderr.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(3)
    expect(await keysBelow('job')).toEqual([])
  })

  it('because its name has a slash, or no file is there, or a folder is: the same', async () => {
    for (const words of ['start nowhere/hello.service', 'start missing.service', 'submit /tmp/units']) {
      const { code, stderr } = await fleetctl(words)
      expect(code, words).toBe(1)
      expect(stderr.trim(), words).not.toBe('')
    }
    expect(await keysBelow('job')).toEqual([])
  })

  it('because it and another are each on the machine of the other: named, and nothing is placed', async () => {
    const files = {
      'a.service': service('[X-Fleet]\nMachineOf=b.service\n'),
      'b.service': service('[X-Fleet]\nMachineOf=a.service\n'),
    }
    const { stdout, stderr } = await fleetctl('start --no-block a.service b.service', { files })
    expect(`${stdout}${stderr}`).toMatch(/a\.service.*b\.service|b\.service.*a\.service/s)
    expect(await keyOf('job/a.service/target')).toBeUndefined()
    expect(await keyOf('job/b.service/target')).toBeUndefined()
  })
})

describe('garbage under the keys of fleet', () => {
  const garbage: Readonly<Record<string, string>> = {
    'job/broken.service/object': 'not json',
    'job/broken.service/target-state': 'banana',
    'job/list.service/object': '[]',
    'job/orphan.service/object': '{"Name":"orphan.service","UnitHash":[1,2,3]}',
    'job/orphan.service/target-state': 'launched',
    'machines/zzz/object': '{',
    'machines/yyy/object': '{"ID":5}',
    'states/hello.service/zzz': '<html>',
    'unit/0000': 'junk',
    'foreign/key': 'whatever',
  }

  it('is passed over: units around it start and stop, lists go on', async () => {
    try {
      await daemonsLiveOn(async () => {
        for (const [key, value] of Object.entries(garbage)) await putKey(names(), `${prefix}/${key}`, value)
        await fleetctlDone('start hello.service', { files: { 'hello.service': service() } })
        await runningPlace(theLab(), 'hello.service')
        expect(await fleetctlDone('list-units')).toContain('hello.service')
        expect((await fleetctlDone('list-machines --no-legend')).trim().split('\n')).toHaveLength(3)
        expect(await fleetctlDone('list-unit-files')).toContain('hello.service')
        await fleetctlDone('stop hello.service')
        await untilPlaces(['hello.service'], 'stopped', (places) => places['hello.service']?.length === 0)
      })
      expect(await keyOf('foreign/key')).toBe('whatever')
    } finally {
      for (const key of Object.keys(garbage)) await deleteKey(names(), `${prefix}/${key}`)
      for (const name of ['broken', 'list', 'orphan']) await deleteKey(names(), `${prefix}/job/${name}.service`)
      for (const name of ['zzz', 'yyy']) await deleteKey(names(), `${prefix}/machines/${name}`)
    }
  })

  it('in the lease of the engine holds it up no longer than its TTL', async () => {
    await storeRequest(names(), 'PUT', `/v2/keys${prefix}/lease/engine-leader`, { value: 'junk', ttl: '3' })
    await fleetctlDone('start hello.service', { files: { 'hello.service': service() } })
    await runningPlace(theLab(), 'hello.service', { timeoutMs: 30_000 })
  })

  it('as a deleted presence key is mended by its machine, which keeps its units', async () => {
    await fleetctlDone('start hello.service', { files: { 'hello.service': service() } })
    await runningPlace(theLab(), 'hello.service')
    const before = await livesOf(['hello.service'])
    for (const { machineId } of theLab().machines) await deleteKey(names(), `${prefix}/machines/${machineId}`)
    await everyMachineListed()
    expect(await livesOf(['hello.service'])).toEqual(before)
  })
})

describe('a store that is down', () => {
  it('is named by the command, which exits 1; the daemons live on and take orders afterwards', async () => {
    await daemonsLiveOn(async () => {
      await theLab().killStore()
      const down = await until(() => fleetctl('start hello.service', { files: { 'hello.service': service() } }), {
        what: 'fleetctl failing',
        timeoutMs: 30_000,
        everyMs: 500,
        is: ({ code }) => code !== 0,
      })
      expect(down.code).toBe(1)
      expect(down.stderr.trim()).not.toBe('')
      await theLab().startStore()
      await everyMachineListed()
    })
    await fleetctlDone('start hello.service', { files: { 'hello.service': service() } })
    await runningPlace(theLab(), 'hello.service')
  })
})

describe('a systemd that refuses', () => {
  it('a unit keeps no other from running, and the reason can be read', async () => {
    const files = {
      'bad.service': '[Service]\nExecStart=relative/path\n',
      'gone.service': '[Service]\nExecStart=/nowhere/at/all\n',
      'good.service': service(),
    }
    await daemonsLiveOn(async () => {
      await fleetctl('start --no-block bad.service gone.service good.service', { files })
      await runningPlace(theLab(), 'good.service')
    })
    const failed = await until(
      async () =>
        (await Promise.all(['m1', 'm2', 'm3'].map((name) => unitOn(theLab(), name, 'gone.service')))).map(
          ({ activeState }) => activeState,
        ),
      { what: 'gone.service failed', timeoutMs: 20_000, is: (states) => states.includes('failed') },
    )
    expect(failed).not.toContain('active')
    expect(await fleetctlDone('list-units')).toMatch(/gone\.service\s.*failed/)
  })
})
