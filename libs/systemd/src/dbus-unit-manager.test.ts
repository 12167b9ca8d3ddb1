// What it does with a real systemd is in test/run-contract.ts; here is what it does without one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@cluster/daemon/system'
import { silentLogger } from '@cluster/prelude'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDbusUnitManager } from './dbus-unit-manager.ts'
import { errorOfReply } from './errors.ts'

let folder = ''
let server: Server | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dbus-test-'))
})
afterEach(async () => {
  server?.close()
  server = undefined
  await rm(folder, { recursive: true })
})

const open = (busAddress: string) =>
  openDbusUnitManager({
    busAddress,
    unitsDirectory: join(folder, 'units'),
    log: silentLogger,
    clock: systemClock,
    callTimeoutMs: 100,
  })

it('says that there is no bus', async () => {
  await expect(open(`unix:path=${join(folder, 'none')}`)).rejects.toMatchObject({
    code: 'systemd/unavailable',
    message: expect.stringContaining(join(folder, 'none')),
    hint: expect.stringContaining('systemd'),
  })
})

it('does not wait for ever for a bus that says nothing', async () => {
  const path = join(folder, 'silent')
  const sockets = new Set<{ destroy: () => void }>()
  server = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server?.listen(path, resolve))
  await expect(open(`unix:path=${path}`)).rejects.toMatchObject({ code: 'systemd/unavailable' })
  for (const socket of sockets) socket.destroy()
})

it('says that the other end hung up', async () => {
  const path = join(folder, 'rude')
  server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => server?.listen(path, resolve))
  await expect(open(`unix:path=${path}`)).rejects.toMatchObject({ code: 'systemd/unavailable' })
})

it('refuses an address that is none', async () => {
  await expect(open('nonsense:')).rejects.toMatchObject({ code: 'systemd/unavailable' })
})

it('says which units directory it cannot have', async () => {
  await writeFile(join(folder, 'units'), '')
  await expect(open(`unix:path=${join(folder, 'none')}`)).rejects.toMatchObject({ code: 'systemd/directory' })
})

it.each([
  ['org.freedesktop.DBus.Error.ServiceUnknown', 'systemd/unavailable'],
  ['org.freedesktop.DBus.Error.NoReply', 'systemd/unavailable'],
  ['org.freedesktop.DBus.Error.TimedOut', 'systemd/timeout'],
  ['org.freedesktop.DBus.Error.AccessDenied', 'systemd/refused'],
  ['org.freedesktop.systemd1.BadUnitSetting', 'systemd/refused'],
  ['org.freedesktop.systemd1.NoSuchUnit', 'systemd/refused'],
])('%s is %s', (name, code) => {
  expect(errorOfReply('start of a.service', { name, text: 'why' })).toMatchObject({
    code,
    message: expect.stringMatching(/^start of a\.service: .*why$/),
  })
})
