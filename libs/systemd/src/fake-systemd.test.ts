import { expect, it } from 'vitest'
import { loadableUnit } from './contract-cases.ts'
import { createFakeSystemd } from './fake-systemd.ts'

const sleeper = loadableUnit('[Service]\nExecStart=/bin/sleep infinity\n')
const restarting = loadableUnit('[Service]\nExecStart=/bin/sleep infinity\nRestart=always\n')

async function machineWith(unit = sleeper) {
  const machine = createFakeSystemd()
  const units = machine.open()
  await units.load('a.service', unit)
  await units.reload()
  return { machine, units }
}

it('remembers what was asked, in order', async () => {
  const { machine, units } = await machineWith()
  await units.start('a.service')
  await units.stop('a.service')
  await units.unload('a.service')
  expect(machine.calls()).toEqual(['load a.service', 'reload', 'start a.service', 'stop a.service', 'unload a.service'])
})

it('does not start what was not reloaded', async () => {
  const machine = createFakeSystemd()
  const units = machine.open()
  await units.load('a.service', sleeper)
  await expect(units.start('a.service')).rejects.toMatchObject({ code: 'systemd/refused' })
})

it('fails the next start when told to, and only that', async () => {
  const { machine, units } = await machineWith()
  machine.failNextStart('a.service')
  await units.start('a.service')
  expect(machine.runtimeOf('a.service')).toMatchObject({ activeState: 'failed', result: 'exit-code' })
  await units.start('a.service')
  expect(machine.upNames()).toEqual(['a.service'])
})

it('crashes: failed without Restart=, another process with it', async () => {
  const plain = await machineWith()
  await plain.units.start('a.service')
  plain.machine.crash('a.service')
  expect(plain.machine.runtimeOf('a.service')?.activeState).toBe('failed')

  const { machine, units } = await machineWith(restarting)
  await units.start('a.service')
  const before = machine.runtimeOf('a.service')
  machine.crash('a.service')
  const after = machine.runtimeOf('a.service')
  expect(after?.activeState).toBe('active')
  expect(after?.mainPid).not.toBe(before?.mainPid)
  expect(after?.invocationId).not.toBe(before?.invocationId)
})

it('refuses what it is told to refuse, until it is allowed', async () => {
  const { machine, units } = await machineWith()
  machine.refuse('a.service')
  await expect(units.start('a.service')).rejects.toMatchObject({ code: 'systemd/refused' })
  machine.allow('a.service')
  await units.start('a.service')
  expect(machine.upNames()).toEqual(['a.service'])
})

it('keeps the file of a unit that stops slowly until it has ended', async () => {
  const { machine, units } = await machineWith()
  await units.start('a.service')
  machine.slowStop('a.service')
  const unloaded = units.unload('a.service')
  expect(machine.runtimeOf('a.service')?.activeState).toBe('deactivating')
  machine.finishStop('a.service')
  await unloaded
  expect(machine.runtimeOf('a.service')).toBeUndefined()
})

it('a bus that is away fails calls and stops nothing; when it is back, all is announced', async () => {
  const { machine, units } = await machineWith()
  await units.start('a.service')
  machine.disconnect()
  await expect(units.list()).rejects.toMatchObject({ code: 'systemd/unavailable' })
  expect(machine.upNames()).toEqual(['a.service'])
  const next = units.changes(new AbortController().signal)[Symbol.asyncIterator]().next()
  machine.reconnect()
  expect((await next).value).toEqual(new Set(['a.service']))
})

it('a reboot leaves nothing', async () => {
  const { machine, units } = await machineWith()
  await units.start('a.service')
  machine.reboot()
  expect((await machine.open().list()).size).toBe(0)
  expect(machine.textOf('a.service')).toBeUndefined()
})
