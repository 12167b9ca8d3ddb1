/** Machines that an operator takes out of use, and machines that vanish together. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { deleteKey } from '../src/store.ts'
import { until } from '../src/until.ts'
import {
  eachOnOne,
  fleetctl,
  fleetctlDone,
  freshCluster,
  idOf,
  keysBelow,
  machineNames,
  prefix,
  service,
  theLab,
  untilPlaces,
} from './scenario.ts'

beforeEach(freshCluster)
afterEach(async () => {
  for (const folder of ['cordon', 'brake']) {
    for (const key of await keysBelow(folder)) await deleteKey(theLab().names, `${prefix}/${folder}/${key}`)
  }
})

const units = [1, 2, 3, 4, 5, 6].map((n) => `u${n}.service`)
const files = Object.fromEntries(units.map((unit) => [unit, service()]))

it('a machine is cordoned, drained and taken back; two that vanish together keep units until these are let go', async () => {
  const [stays, ...vanishing] = machineNames
  const [leaves = ''] = vanishing
  await fleetctlDone(`start ${units.join(' ')}`, { files })
  await untilPlaces(units, 'six units up', eachOnOne)

  await fleetctlDone(`cordon ${idOf(leaves)}`)
  await fleetctlDone('start late.service', { files: { 'late.service': service() } })
  const late = await untilPlaces(['late.service'], 'a late unit up', eachOnOne)
  expect(late['late.service']).not.toEqual([leaves])
  await fleetctlDone('destroy late.service')

  expect(await fleetctlDone(`drain --yes ${idOf(leaves)}`)).toContain('2 units moved off')
  const drained = await untilPlaces(units, 'six units up on two machines', eachOnOne)
  expect(Object.values(drained).flat()).not.toContain(leaves)
  expect(await fleetctlDone('list-machines')).toMatch(/CORDON[\s\S]*draining/)
  await fleetctlDone(`uncordon ${idOf(leaves)}`)
  await fleetctlDone(`destroy ${units.slice(0, 4).join(' ')}`)
  await fleetctlDone(`start ${units.slice(0, 4).join(' ')}`, { files })
  const spread = await untilPlaces(units, 'units on every machine', (places) => {
    return eachOnOne(places) && new Set(Object.values(places).flat()).size === machineNames.length
  })

  await Promise.all(vanishing.map((machine) => theLab().kill(machine)))
  const status = await until(() => fleetctl('brake --output plain', { on: stays }), {
    what: 'the brake holds',
    timeoutMs: 30_000,
    everyMs: 200,
    is: ({ stdout }) => stdout.includes('The brake holds'),
  })
  expect(status.stdout).toContain('vanished at once')
  expect((await fleetctl('list-machines', { on: stays })).stderr).toContain('the brake holds')
  const onLost = units.filter((unit) => !spread[unit]?.includes(stays))
  expect(onLost.length).toBeGreaterThan(2)
  expect(await fleetctlDone('brake release', { on: stays })).toContain('Released')
  await untilPlaces(units, 'all units on the machine that is left', (places) => {
    return Object.values(places).every((found) => found.join() === stays)
  })
  await until(() => fleetctl('brake', { on: stays }), {
    what: 'the brake holds no longer',
    timeoutMs: 10_000,
    is: ({ stdout }) => stdout.includes('does not hold'),
  })
})
