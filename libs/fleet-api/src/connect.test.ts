import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@cluster/http'
import { describeError, isClusterError } from '@cluster/prelude'
import { expect, it } from 'vitest'
import { connectFleet } from './connect.ts'

const linesOf = async (work: Promise<unknown>) => {
  const error = await work.catch((found: unknown) => found)
  return { code: isClusterError(error) ? error.code : '', text: describeError(error).join('\n') }
}

it('asks through a unix socket', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-api-'))
  const path = join(folder, 'fleet.sock')
  try {
    await using _listener = await serve(() => ({ status: 200, body: '{"machines":[{"id":"m"}]}' }), {
      listen: { kind: 'unix', path },
    })
    await using client = connectFleet({ endpoint: `unix://${path}` })
    expect(await client.listMachines()).toEqual([{ id: 'm', metadata: {}, primaryIp: '' }])
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('says which socket is missing and what to do', async () => {
  await using client = connectFleet({ endpoint: 'unix:///nonexistent/fleet.sock' })
  const { code, text } = await linesOf(client.listUnits())
  expect(code).toBe('fleet-api/unreachable')
  expect(text).toContain('unix:///nonexistent/fleet.sock')
  expect(text).toContain('systemctl start fleetd')
})

it('does not wait for ever for a daemon that is silent', async () => {
  await using listener = await serve(() => new Promise(() => undefined), {
    listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  })
  await using client = connectFleet({ endpoint: listener.url, timeoutMs: 50 })
  expect((await linesOf(client.listUnits())).code).toBe('fleet-api/timeout')
  await listener.close(0)
})

it('stops asking when the caller gives up', async () => {
  await using listener = await serve(() => new Promise(() => undefined), {
    listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  })
  await using client = connectFleet({ endpoint: listener.url })
  const caller = new AbortController()
  const asked = linesOf(client.listUnits(caller.signal))
  caller.abort()
  expect((await asked).code).toBe('fleet-api/aborted')
  await listener.close(0)
})
