import { isClusterError } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createFleetClient } from './client.ts'
import type { FleetAnswer, FleetRequest } from './transport.ts'

type Script = Readonly<Record<string, string | readonly [number, string]>>

/** A daemon that knows these answers by `METHOD path`, and 404 without a word for everything else. */
function clientOf(script: Script) {
  const sent: FleetRequest[] = []
  const client = createFleetClient('unix:///run/fleet.sock', async (request): Promise<FleetAnswer> => {
    sent.push(request)
    const found = script[`${request.method} ${request.path}`] ?? ([404, '{"error":{"code":404,"message":""}}'] as const)
    const [status, body] = typeof found === 'string' ? ([200, found] as const) : found
    return { status, body, warnings: status === 201 || status >= 500 ? ['odd'] : [] }
  })
  return { client, sent }
}

const failureOf = async (work: Promise<unknown>): Promise<Error & { readonly code: string }> => {
  const error = await work.then(
    () => undefined,
    (found: unknown) => found,
  )
  if (isClusterError(error)) return error
  throw new Error('did not fail')
}

describe('the client', () => {
  it('follows pages to the last', async () => {
    const { client } = clientOf({
      'GET /fleet/v1/units': '{"nextPageToken":"ZAACAA==","units":[{"name":"a.service"}]}',
      'GET /fleet/v1/units?nextPageToken=ZAACAA%3D%3D': '{"units":[{"name":"b.service","machineID":"m"}]}',
    })
    expect(await client.listUnits()).toEqual([
      { name: 'a.service', options: [] },
      { name: 'b.service', options: [], machineId: 'm' },
    ])
  })

  it('takes an empty list for an empty list', async () => {
    const { client } = clientOf({
      'GET /fleet/v1/machines': '{}',
      'GET /fleet/v1/state?unitName=a.service&machineID=m': '{}',
    })
    expect(await client.listMachines()).toEqual([])
    expect(await client.listStates({ unit: 'a.service', machineId: 'm' })).toEqual([])
  })

  it('has no unit where there is none, and says whether one was destroyed', async () => {
    const { client } = clientOf({ 'DELETE /fleet/v1/units/a%40b.service': [204, ''] })
    expect(await client.getUnit('a.service')).toBeUndefined()
    expect(await client.deleteUnit('a@b.service')).toBe(true)
    expect(await client.deleteUnit('c.service')).toBe(false)
  })

  it('sends content and target state together, and tells what came of it', async () => {
    const { client, sent } = clientOf({
      'PUT /fleet/v1/units/a.service': [201, ''],
      'PUT /fleet/v1/units/b.service': [204, ''],
    })
    const options = [{ section: 'Service', name: 'ExecStart', value: 'a & b' }]
    expect(await client.putUnit('a.service', { options, targetState: 'launched' })).toEqual({
      kind: 'created',
      warnings: ['odd'],
    })
    expect(sent[0]?.body).toBe(
      '{"desiredState":"launched","name":"a.service","options":[{"name":"ExecStart","section":"Service","value":"a \\u0026 b"}]}',
    )
    expect((await client.putUnit('b.service', { targetState: 'loaded' })).kind).toBe('updated')
  })

  it('knows a daemon that cannot explain from a unit that is not there', async () => {
    const { client } = clientOf({
      'GET /fleet/v1/units/a.service/why': [404, '{"error":{"code":404,"message":"unit does not exist"}}'],
    })
    expect(await client.why('a.service')).toBe('no-such-unit')
    expect(await client.why('b.service')).toBe('unsupported')
  })

  it.each([
    [503, '{"error":{"code":503,"message":"no store"}}', 'fleet-api/unavailable', 'no store'],
    [500, '{"error":{"code":500,"message":""}}', 'fleet-api/server-failed', 'HTTP 500'],
    [409, '{"error":{"code":409,"message":"no options"}}', 'fleet-api/refused', 'no options'],
    [400, '<html>', 'fleet-api/refused', 'HTTP 400'],
    [302, '', 'fleet-api/invalid-answer', 'HTTP 302'],
    [200, 'hello', 'fleet-api/invalid-answer', 'no JSON'],
    [200, '{"units":[{"name":7}]}', 'fleet-api/invalid-answer', 'units.0.name'],
    [200, '[]', 'fleet-api/invalid-answer', 'received Array'],
  ])('an answer of %i %s is %s', async (status, body, code, words) => {
    const { client } = clientOf({ 'GET /fleet/v1/units': [status, body] })
    const error = await failureOf(client.listUnits())
    expect(error.code).toBe(code)
    expect(error.message).toContain('unix:///run/fleet.sock')
    expect(error.message).toContain(words)
  })

  it.each([503, 500])('an answer of %i is told with the reason that the daemon gives in a header', async (status) => {
    const { client } = clientOf({ 'GET /fleet/v1/units': [status, ''] })
    expect(await failureOf(client.listUnits())).toMatchObject({ hint: expect.stringMatching(/^odd\n.*journalctl/s) })
  })
})

describe('what is ours alone', () => {
  it('is asked for and understood', async () => {
    const { client, sent } = clientOf({
      'GET /fleet/v1/cordons': '{"cordons":[{"machineID":"m1","drain":true},{"machineID":"m2"}]}',
      'PUT /fleet/v1/cordons/m1': [204, ''],
      'DELETE /fleet/v1/cordons/m1': [204, ''],
      'GET /fleet/v1/brake': '{"held":true,"lostMachines":["m3"],"wouldMove":4,"sinceMs":5,"text":"why"}',
      'DELETE /fleet/v1/brake': [204, ''],
      'GET /fleet/v1/machines': '{"machines":[{"id":"m1","cordon":"draining"},{"id":"m2","cordon":"new"},{"id":"m3"}]}',
    })
    expect(await client.listCordons()).toEqual([
      { machineId: 'm1', drain: true },
      { machineId: 'm2', drain: false },
    ])
    expect(await client.cordon({ machineId: 'm1', drain: true })).toBe('done')
    expect(sent.at(-1)?.body).toBe('{"drain":true}')
    expect(await client.uncordon('m1')).toBe('done')
    expect(await client.brake()).toEqual({
      kind: 'held',
      lostMachines: ['m3'],
      wouldMove: 4,
      moved: 0,
      allowed: 0,
      placedUnits: 0,
      sinceMs: 5,
      text: 'why',
      released: [],
    })
    expect(await client.releaseBrake()).toBe('done')
    expect((await client.listMachines()).map(({ cordon }) => cordon)).toEqual(['draining', 'cordoned', undefined])
  })

  it('is unsupported by an original daemon, and a brake that does not hold is not released', async () => {
    const { client } = clientOf({})
    expect(await client.listCordons()).toBe('unsupported')
    expect(await client.cordon({ machineId: 'm', drain: false })).toBe('unsupported')
    expect(await client.uncordon('m')).toBe('unsupported')
    expect(await client.brake()).toBe('unsupported')
    expect(await client.releaseBrake()).toBe('unsupported')
    const idle = clientOf({ 'DELETE /fleet/v1/brake': [409, '{"error":{"code":409,"message":"it does not hold"}}'] })
    expect(await idle.client.releaseBrake()).toBe('not-held')
  })

  it('remarks on a list are told once for the list', async () => {
    const told: string[] = []
    const client = createFleetClient(
      'unix:///x',
      async ({ path }) => ({
        status: 200,
        body: path.includes('nextPageToken') ? '{}' : '{"nextPageToken":"ZAACAA=="}',
        warnings: ['the brake holds'],
      }),
      { onWarning: (text) => told.push(text) },
    )
    await client.listMachines()
    expect(told).toEqual(['the brake holds'])
  })
})
