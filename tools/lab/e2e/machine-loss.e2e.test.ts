/** Machines that die, freeze, are cut off and come back. Which units run where is what systemd in the machines says. */
import { beforeEach, describe, expect, it } from 'vitest'
import { monotonicMs } from '../src/machine.ts'
import { activeAfterMs, runningPlace, unitOn } from '../src/unit-on-machine.ts'
import { until } from '../src/until.ts'
import {
  eachOnOne,
  everyMachineListed,
  fleetctlDone,
  freshCluster,
  idOf,
  keyOf,
  livesOf,
  machineNames,
  moveMsMax,
  service,
  theLab,
  untilPlaces,
} from './scenario.ts'

beforeEach(freshCluster)

/** Three plain units that never share a machine, two of which stay where they are; and a global one. */
const files = {
  'one@.service': service('[X-Fleet]\nConflicts=one@*.service\n'),
  'every.service': service('[X-Fleet]\nGlobal=true\n'),
}
const pair = ['one@1.service', 'one@2.service']

/** Starts the units; gives the machine of one@1 (the one that will be lost), that of one@2, and the free one. */
async function startUnits(): Promise<{ readonly lost: string; readonly other: string; readonly free: string }> {
  await fleetctlDone(`start ${pair.join(' ')} every.service`, { files })
  const places = await untilPlaces([...pair, 'every.service'], 'all units up', (found) => {
    return pair.every((name) => found[name]?.length === 1) && found['every.service']?.length === 3
  })
  const lost = places['one@1.service']?.[0] ?? ''
  const other = places['one@2.service']?.[0] ?? ''
  return { lost, other, free: machineNames.find((name) => name !== lost && name !== other) ?? '' }
}

/** Waits until the store gives one@1 to another machine and that one runs it. */
async function movedTo(place: string, { from }: { readonly from: string }): Promise<void> {
  await until(() => keyOf('job/one@1.service/target'), {
    what: `one@1 given to ${place}`,
    timeoutMs: 30_000,
    is: (id) => id === idOf(place),
  })
  await until(() => unitOn(theLab(), place, 'one@1.service'), {
    what: `one@1 active on ${place}, formerly on ${from}`,
    timeoutMs: 10_000,
    is: ({ activeState }) => activeState === 'active',
  })
}

describe('a machine whose plug is pulled', () => {
  it('loses its unit to the free machine within 12 s; the other units live on', async () => {
    const { lost, other, free } = await startUnits()
    const before = await livesOf(['one@2.service', 'every.service'], [other, free])
    const cutMs = await theLab().kill(lost)
    await movedTo(free, { from: lost })
    expect(await activeAfterMs(theLab(), free, 'one@1.service', cutMs)).toBeLessThan(moveMsMax)
    expect(await livesOf(['one@2.service', 'every.service'], [other, free])).toEqual(before)
  })

  it('gets its share of the global unit when it comes back, and nothing moves back to it', async () => {
    const { lost, other, free } = await startUnits()
    await theLab().kill(lost)
    await movedTo(free, { from: lost })
    const before = await livesOf([...pair, 'every.service'], [other, free])
    await theLab().boot(lost)
    await everyMachineListed()
    await until(() => unitOn(theLab(), lost, 'every.service'), {
      what: 'every.service on the machine that came back',
      timeoutMs: 20_000,
      is: ({ activeState }) => activeState === 'active',
    })
    expect(await livesOf([...pair, 'every.service'], [other, free])).toEqual(before)
    expect((await unitOn(theLab(), lost, 'one@1.service')).loadState).toBe('not-found')
  })

  it('that the engine ran on is no worse than any other', async () => {
    const lease = (await keyOf('lease/engine-leader')) ?? ''
    const leader = machineNames.find((name) => lease.includes(idOf(name))) ?? ''
    expect(leader).not.toBe('')
    // As many equal units as machines: each machine gets one.
    const three = ['any@1.service', 'any@2.service', 'any@3.service']
    await fleetctlDone(`start ${three.join(' ')}`, { files: { 'any@.service': service() } })
    const places = await untilPlaces(three, 'one on each machine', (found) => {
      return new Set(three.flatMap((name) => found[name] ?? [])).size === 3
    })
    const moving = three.find((name) => places[name]?.[0] === leader) ?? ''
    const staying = three.filter((name) => name !== moving)
    const others = machineNames.filter((name) => name !== leader)
    const before = await livesOf(staying, others)
    const cutMs = await theLab().kill(leader)
    const place = await runningPlace(theLab(), moving, { timeoutMs: 30_000, not: leader })
    expect(await activeAfterMs(theLab(), place, moving, cutMs)).toBeLessThan(moveMsMax)
    expect(await livesOf(staying, others)).toEqual(before)
  })
})

describe('a machine that freezes', () => {
  it('loses its unit, and stops its own copy when it thaws; nothing else is touched', async () => {
    const { lost, other, free } = await startUnits()
    await theLab().freeze(lost)
    await movedTo(free, { from: lost })
    const before = await livesOf([...pair, 'every.service'], [other, free])
    const everyBefore = theLab()
      .thaw(lost)
      .then(() => livesOf(['every.service'], [lost]))
    const every = await everyBefore
    await untilPlaces(
      ['one@1.service'],
      'one@1 on the free machine only',
      (places) => places['one@1.service']?.join() === free,
    )
    await everyMachineListed()
    expect(await livesOf([...pair, 'every.service'], [other, free])).toEqual(before)
    expect(await livesOf(['every.service'], [lost])).toEqual(every)
  })
})

describe('a machine that is cut off', () => {
  it('keeps its units running; back on the network it stops only the one that moved', async () => {
    const { lost, other, free } = await startUnits()
    const inside = await livesOf(['one@1.service', 'every.service'], [lost])
    await theLab().cut(lost)
    await movedTo(free, { from: lost })
    expect(await livesOf(['one@1.service', 'every.service'], [lost])).toEqual(inside)
    const outside = await livesOf([...pair, 'every.service'], [other, free])
    await theLab().restore(lost)
    await untilPlaces(
      ['one@1.service'],
      'one@1 on the free machine only',
      (places) => places['one@1.service']?.join() === free,
    )
    await everyMachineListed()
    const { [`every.service on ${lost}`]: everyBefore } = inside
    expect((await livesOf(['every.service'], [lost]))[`every.service on ${lost}`]).toEqual(everyBefore)
    expect(await livesOf([...pair, 'every.service'], [other, free])).toEqual(outside)
  })

  it('for less than its TTL loses nothing', async () => {
    const { lost } = await startUnits()
    const before = await livesOf([...pair, 'every.service'])
    const cutMs = monotonicMs()
    await theLab().cut(lost)
    // Two beats are missed, the presence key is not.
    await until(() => monotonicMs() - cutMs, { what: 'two seconds', timeoutMs: 5000, is: (ms) => ms > 2000 })
    await theLab().restore(lost)
    await everyMachineListed()
    await until(() => keyOf(`machines/${idOf(lost)}/object`), {
      what: 'its presence in the store',
      timeoutMs: 10_000,
      is: (text) => text !== undefined,
    })
    expect(await livesOf([...pair, 'every.service'])).toEqual(before)
    expect(await keyOf('job/one@1.service/target')).toBe(idOf(lost))
  })
})

describe('a machine that reboots', () => {
  it('comes back with its share, and every unit runs exactly once', async () => {
    const { lost, other } = await startUnits()
    const before = await livesOf(['one@2.service'], [other])
    await theLab().reboot(lost)
    await everyMachineListed()
    await untilPlaces(pair, 'each unit on one machine', eachOnOne)
    await untilPlaces(
      ['every.service'],
      'the global unit everywhere',
      (places) => places['every.service']?.length === 3,
    )
    expect(await livesOf(['one@2.service'], [other])).toEqual(before)
  })
})
