/** What must not happen to units when fleetd or the store fail: anything. */
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { deleteKey, readKey, storeRequest } from '../src/store.ts'
import { unitOn } from '../src/unit-on-machine.ts'
import { until } from '../src/until.ts'
import {
  everyMachineListed,
  fleetctlDone,
  freshCluster,
  idOf,
  keyOf,
  keysBelow,
  type Lives,
  livesOf,
  machineNames,
  presenceTtlMs,
  service,
  stayTheSame,
  theLab,
  untilPlaces,
} from './scenario.ts'

beforeEach(freshCluster)

const files = {
  'one@.service': service('[X-Fleet]\nConflicts=one@*.service\n'),
  'plain.service': service('Restart=always\n'),
  'every.service': service('[X-Fleet]\nGlobal=true\n'),
}
const units = ['one@1.service', 'one@2.service', 'one@3.service', 'plain.service', 'every.service']

async function startUnits(): Promise<void> {
  await fleetctlDone(`start ${units.join(' ')}`, { files })
  await untilPlaces(units, 'all units up', (places) =>
    units.every((name) => places[name]?.length === (name === 'every.service' ? 3 : 1)),
  )
}

const staysTheSame = (before: Lives, forMs: number): Promise<void> => stayTheSame(units, before, forMs)

const targets = (): Promise<readonly (string | undefined)[]> =>
  Promise.all(units.map((name) => keyOf(`job/${name}/target`)))

describe('fleetd', () => {
  it('killed with -9 on every machine: units keep PID and invocation, nothing moves', async () => {
    await startUnits()
    const [before, placed] = [await livesOf(units), await targets()]
    const daemons = await livesOf(['fleetd.service'])
    for (const machine of machineNames) await theLab().run(machine, ['systemctl', 'kill', '-s', 'KILL', 'fleetd'])
    await until(() => livesOf(['fleetd.service']), {
      what: 'another fleetd on each machine',
      timeoutMs: 30_000,
      is: (now) =>
        machineNames.every((machine) => {
          const name = `fleetd.service on ${machine}`
          return now[name]?.activeState === 'active' && now[name]?.invocationId !== daemons[name]?.invocationId
        }),
    })
    await everyMachineListed()
    await staysTheSame(before, presenceTtlMs * 2)
    expect(await targets()).toEqual(placed)
  })

  it('killed and back still stops, starts and destroys the units that it found running', async () => {
    await startUnits()
    for (const machine of machineNames) await theLab().run(machine, ['systemctl', 'kill', '-s', 'KILL', 'fleetd'])
    await everyMachineListed()
    await fleetctlDone('stop plain.service')
    await untilPlaces(['plain.service'], 'plain.service stopped', (places) => places['plain.service']?.length === 0)
    await fleetctlDone('start plain.service')
    await untilPlaces(['plain.service'], 'plain.service started', (places) => places['plain.service']?.length === 1)
    await fleetctlDone('destroy every.service')
    await untilPlaces(['every.service'], 'every.service gone', (places) => places['every.service']?.length === 0)
  })

  it('stopped and started in order leaves the units alone', async () => {
    await startUnits()
    const before = await livesOf(units)
    for (const machine of machineNames) await theLab().run(machine, ['systemctl', 'restart', 'fleetd'])
    await everyMachineListed()
    await staysTheSame(before, presenceTtlMs)
  })

  it('takes changed metadata at SIGHUP, in the life it is in', async () => {
    // Written in place: the file is bound into the machine.
    const file = `${theLab().names.runtimeFolder}/m1/fleet.conf`
    const configuration = readFileSync(file, 'utf8')
    const before = await livesOf(['fleetd.service'])
    const publishedMetadata = () => keyOf(`machines/${idOf('m1')}/object`)
    try {
      writeFileSync(file, configuration.replace('zone=a', 'zone=elsewhere'))
      await theLab().run('m1', ['systemctl', 'reload', 'fleetd'])
      const is = (text: string | undefined): boolean => text?.includes('elsewhere') === true
      await until(publishedMetadata, { what: 'the changed zone published', timeoutMs: 15_000, is })
      expect(await fleetctlDone('list-machines')).toContain('zone=elsewhere')
      expect(await livesOf(['fleetd.service'])).toEqual(before)
    } finally {
      writeFileSync(file, configuration)
      await theLab().run('m1', ['systemctl', 'reload', 'fleetd'])
    }
  })
})

describe('the store', () => {
  it('frozen for two minutes: no unit stops or moves, then or afterwards', async () => {
    await startUnits()
    const [before, placed] = [await livesOf(units), await targets()]
    await theLab().freezeStore()
    await staysTheSame(before, 120_000)
    await theLab().thawStore()
    await staysTheSame(before, presenceTtlMs * 3)
    await everyMachineListed()
    expect(await livesOf(units)).toEqual(before)
    expect(await targets()).toEqual(placed)
  }, 300_000)

  it('killed, and back with its data after every lease ran out: no unit stops or moves', async () => {
    await startUnits()
    const [before, placed] = [await livesOf(units), await targets()]
    await theLab().killStore()
    await staysTheSame(before, presenceTtlMs * 2)
    await theLab().startStore()
    await staysTheSame(before, presenceTtlMs * 3)
    await everyMachineListed()
    expect(await targets()).toEqual(placed)
    await fleetctlDone('stop plain.service')
    await untilPlaces(['plain.service'], 'orders are obeyed again', (places) => places['plain.service']?.length === 0)
  })

  it('killed with -9 five times while it is written to, each time started at once: what it answered it has, no unit stops or moves', async () => {
    await startUnits()
    const [before, placed] = [await livesOf(units), await targets()]
    const { names } = theLab()
    const acknowledged: number[] = []
    const ending = new AbortController()
    const writing = (async () => {
      for (let number = 0; !ending.signal.aborted; number += 1) {
        const answer = await storeRequest(names, 'PUT', `/v2/keys/kept/${number}`, { value: 'yes' }).catch(
          () => undefined,
        )
        if (answer?.status === 201) acknowledged.push(number)
        // A refused connection fails in no time.
        else await nextTurn()
      }
    })()
    for (let round = 0; round < 5; round += 1) {
      const enough = acknowledged.length + 20
      const wanted = { what: 'twenty more writes', timeoutMs: 30_000, is: (count: number) => count >= enough }
      await until(() => acknowledged.length, wanted)
      await theLab().killStore()
      await theLab().startStore()
    }
    ending.abort()
    await writing
    const kept = new Set((await readKey(names, '/kept'))?.nodes?.map(({ key }) => key))
    expect(acknowledged.filter((number) => !kept.has(`/kept/${number}`))).toEqual([])
    await deleteKey(names, '/kept')
    await staysTheSame(before, presenceTtlMs * 2)
    await everyMachineListed()
    expect(await targets()).toEqual(placed)
  })

  it('cut off from the machines until every lease ran out, and back: no unit stops or moves', async () => {
    await startUnits()
    const [before, placed] = [await livesOf(units), await targets()]
    await theLab().cutStore()
    expect((await theLab().status()).store).toBe('cut off')
    await staysTheSame(before, presenceTtlMs * 2)
    await theLab().restoreStore()
    await everyMachineListed()
    await staysTheSame(before, presenceTtlMs)
    expect(await targets()).toEqual(placed)
  })

  it('held still nine tenths of the time: no unit stops or moves, and orders are obeyed, late', async () => {
    await startUnits()
    const [before, placed] = [await livesOf(units), await targets()]
    const ending = new AbortController()
    const slow = theLab().slowStore(ending.signal)
    try {
      await staysTheSame(before, presenceTtlMs * 2)
      expect(await targets()).toEqual(placed)
      await fleetctlDone('stop plain.service')
      await untilPlaces(['plain.service'], 'plain.service stopped', (places) => places['plain.service']?.length === 0)
    } finally {
      ending.abort()
      await slow
    }
    const others = units.filter((name) => name !== 'plain.service')
    const isOther = ([name]: readonly [string, unknown]): boolean => !name.startsWith('plain.service ')
    expect(await livesOf(others)).toEqual(Object.fromEntries(Object.entries(before).filter(isOther)))
  })

  it('keeps the keys of the machines whose fleetd was only restarted', async () => {
    await theLab().run('m2', ['systemctl', 'restart', 'fleetd'])
    await everyMachineListed()
    expect((await keysBelow('machines')).filter((key) => key.endsWith('/object'))).toHaveLength(3)
    expect((await unitOn(theLab(), 'm2', 'fleetd.service')).activeState).toBe('active')
  })
})
