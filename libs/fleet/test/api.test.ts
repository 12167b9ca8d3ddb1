import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idOf, optionsOf, readAnswer, requestOf, service, startCluster, type TestCluster } from './test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({ size: 2, config: { tokenLimit: 2 } })
  for (const name of ['p0', 'p1', 'p2', 'p3']) await cluster.put(`${name}.service`, service(), 'loaded')
  await cluster.put('t@.service', service(), 'inactive')
  await cluster.put('g.service', service('Global=true'))
  await cluster.clock.advance(100)
})
afterAll(() => cluster[Symbol.asyncDispose]())

const errorBody = (code: number, message: string): string => JSON.stringify({ error: { code, message } })

describe('requests that are refused', () => {
  it.each([
    ['GET', '/', 405, ''],
    ['GET', '/fleet', 404, ''],
    ['GET', '/fleet/v1', 405, ''],
    ['GET', '/fleet/v1/', 404, ''],
    ['GET', '/fleet/v1/machines/', 404, ''],
    ['GET', '/fleet/v1/machines/x', 404, ''],
    ['GET', '/FLEET/V1/units', 404, ''],
    ['POST', '/fleet/v1/discovery', 400, 'only HTTP GET supported against this resource'],
    ['POST', '/fleet/v1/machines', 405, 'only GET and PATCH supported against this resource'],
    ['HEAD', '/fleet/v1/units', 405, 'only GET supported against this resource'],
    ['PATCH', '/fleet/v1/units/a.service', 405, 'only GET, PUT and DELETE supported against this resource'],
    ['PUT', '/fleet/v1/state', 405, 'only GET supported against this resource'],
    ['GET', '/fleet/v1/units/a%2Fb.service', 404, ''],
    ['GET', '/fleet/v1/units/nope.service', 404, 'unit does not exist'],
    ['DELETE', '/fleet/v1/units/nope.service', 404, 'unit does not exist'],
    ['GET', `/fleet/v1/units/${'x'.repeat(300)}.service`, 404, 'unit does not exist'],
    ['GET', '/fleet/v1/units/nope.service/why', 404, 'unit does not exist'],
    ['PUT', '/fleet/v1/state/a/b', 404, ''],
    ['GET', '/fleet/v1/state/nope.service', 404, 'unit state does not exist'],
    ['GET', '/fleet/v1/units?nextPageToken=', 400, 'EOF'],
    ['GET', '/fleet/v1/units?nextPageToken=AAAA', 400, 'unexpected EOF'],
    ['GET', '/fleet/v1/units?nextPageToken=!!!', 400, 'illegal base64 data at input byte 0'],
    ['GET', '/fleet/v1/units?nextPageToken=ZAABAA==', 400, 'token limit must be 2'],
    ['GET', '/fleet/v1/units?nextPageToken=AgAAAA==', 400, 'token page must be greater than zero'],
    ['GET', '/fleet/v1/units?nextPageToken=a&nextPageToken=b', 400, 'too many values for page token'],
  ])('%s %s: %i %s', async (method, target, status, message) => {
    const answer = await cluster.ask(method, target)
    expect(answer.text).toBe(errorBody(status, message))
    expect(answer.status).toBe(status)
    expect(answer.headers['Server']).toBe('fleetd/1.0.0')
  })

  const options = optionsOf(service())
  it.each([
    ['', 'unable to decode body: EOF'],
    ['garbage', "unable to decode body: invalid character 'g' looking for beginning of value"],
    ['[]', 'unable to decode body: json: cannot unmarshal array into Go value of type schema.Unit'],
    [
      '{"options":"x"}',
      'unable to decode body: json: cannot unmarshal string into Go struct field Unit.options of type []*schema.UnitOption',
    ],
    ['{"options":[null]}', 'unable to decode body: options[0] is null'],
    [{ name: 'b.service', options }, 'name in URL "a.service" differs from unit name in request body "b.service"'],
    [{ options, desiredState: 'bogus' }, 'desiredState "bogus" is none of inactive, loaded, launched'],
    [{ options: optionsOf(service('MachineID=x', 'Global=true')) }, 'MachineID cannot be used with Global'],
    [
      { options: [{ section: 'Unit', name: 'Description', value: 'a\nb' }] },
      'unexpected newline encountered while parsing option name',
    ],
    [
      { options: [{ section: 'Unit', name: 'Description', value: 'a\nB=c' }] },
      'option "Description" in [Unit] cannot be written to a unit file so that it reads the same',
    ],
    [
      { options: [{ section: 'Unit', name: '#a', value: 'b' }] },
      'option "#a" in [Unit] cannot be written to a unit file so that it reads the same',
    ],
    [
      { options: [{ section: 'Unit', name: 'A', value: 'b\u0000' }] },
      'option "A" in [Unit] contains a NUL, which systemd refuses',
    ],
  ])('PUT of %j: 400 %s', async (body, message) => {
    const answer = await cluster.ask('PUT', '/fleet/v1/units/a.service', body)
    expect(answer.text).toBe(errorBody(400, message))
    expect((await cluster.ask('GET', '/fleet/v1/units/a.service')).status).toBe(404)
  })

  it.each([
    ['a', 'unit name must contain "."'],
    ['a.foo', 'invalid unit type: "foo"'],
    ['a%20b.service', "invalid character ' ' in unit name"],
    ['@a.service', 'unit name cannot start in "@"'],
  ])('PUT of a unit named %s: 400 %s', async (name, message) => {
    const answer = await cluster.ask('PUT', `/fleet/v1/units/${name}`, { options })
    expect(answer.text).toBe(errorBody(400, message))
  })

  it('malformed metadata is refused with its remedy, but not in a template', async () => {
    const bad = { options: optionsOf(service('MachineMetadata=a=b=c')) }
    expect((await cluster.ask('PUT', '/fleet/v1/units/a.service', bad)).text).toContain('not one key=value')
    const template = { options: optionsOf(service('MachineMetadata=host=%i')) }
    expect((await cluster.ask('PUT', '/fleet/v1/units/u@.service', template)).status).toBe(201)
    expect((await cluster.ask('DELETE', '/fleet/v1/units/u@.service')).status).toBe(204)
  })

  it.each(['/../metadata/rack', '/m/metadata/..', '/./metadata/x', '/m/metadata/.'])(
    'metadata at %s is refused before anything is written',
    async (path) => {
      const patch = [
        { op: 'add', path: `/${idOf(1)}/metadata/rack`, value: 'r1' },
        { op: 'add', path, value: 'x' },
      ]
      const answer = await cluster.ask('PATCH', '/fleet/v1/machines', patch)
      expect(answer.text).toBe(errorBody(400, 'machine metadata path invalid'))
      expect((await cluster.keys()).filter((key) => key.includes('/metadata/'))).toEqual([])
    },
  )

  it('a name that the store would hide is refused', async () => {
    const answer = await cluster.ask('PUT', '/fleet/v1/units/_a.service', { options, desiredState: 'launched' })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('choose another name')
    expect((await cluster.keys()).filter((key) => key.includes('_a.service'))).toEqual([])
  })

  it('a content type must be said once, and be JSON', async () => {
    const put = async (headers: readonly (readonly [string, string])[]) =>
      readAnswer(
        await cluster
          .machine(0)
          .fleet()
          .api(requestOf('PUT', '/fleet/v1/units/a.service', { options }, headers)),
      )
    expect((await put([])).text).toBe(errorBody(415, 'expected 1 Content-Type, got 0'))
    expect((await put([['Content-Type', 'text/plain']])).status).toBe(415)
  })

  it('a unit of 10 MB is refused before it is stored', async () => {
    const huge = { options: [{ section: 'Unit', name: 'Description', value: 'x'.repeat(10_000_000) }] }
    const answer = await cluster.ask('PUT', '/fleet/v1/units/a.service', huge)
    expect(answer.status).toBe(413)
    const large = { options: [{ section: 'Unit', name: 'Description', value: 'x'.repeat(2_000_000) }] }
    expect((await cluster.ask('PUT', '/fleet/v1/units/a.service', large)).text).toContain('at most 1048576 are stored')
  })

  it('a template cannot be activated, not even when it is created', async () => {
    const message = errorBody(400, 'cannot activate template "t@.service"')
    expect((await cluster.ask('PUT', '/fleet/v1/units/t@.service', { desiredState: 'launched' })).text).toBe(message)
    const other = { options: optionsOf('[Service]\nExecStart=/bin/true'), desiredState: 'loaded' }
    expect((await cluster.ask('PUT', '/fleet/v1/units/t@.service', other)).text).toBe(message)
  })

  it.each([
    ['nonsense', "invalid character 'o' in literal null (expecting 'u')"],
    ['{}', 'json: cannot unmarshal object into Go value of type []api.machineMetadataOp'],
    [[{ op: 3 }], 'json: cannot unmarshal number into Go struct field machineMetadataOp.op of type string'],
    [[{ op: 'test', path: '/m/metadata/k', value: { value: 'x' } }], 'invalid op: expect add, remove, or replace'],
    [[{ op: 'add', path: '/m/metadata/k' }], 'invalid value: add and replace require a value'],
    [[{ op: 'add', path: '/m/meta/k', value: { value: 'x' } }], 'machine metadata path invalid'],
    [
      [{ op: 'add', path: '/m/metadata/k', value: [] }],
      'invalid value: expect text, or an object with text under "value"',
    ],
  ])('PATCH of %j: 400 %s', async (body, message) => {
    expect((await cluster.ask('PATCH', '/fleet/v1/machines', body)).text).toBe(errorBody(400, message))
  })
})

describe('requests that are granted', () => {
  it('pages of two, with a token for a page behind a full one', async () => {
    const first = await cluster.ask('GET', '/fleet/v1/units')
    expect(first.json['nextPageToken']).toBe('AgACAA==')
    expect(first.json['units']).toMatchObject([{ name: 'g.service', currentState: 'inactive' }, { name: 'p0.service' }])
    const last = await cluster.ask('GET', '/fleet/v1/units?nextPageToken=AgADAA==')
    expect(last.json['nextPageToken']).toBe('AgAEAA==')
    expect((await cluster.ask('GET', '/fleet/v1/units?nextPageToken=AgAEAA==')).text).toBe('{}')
    expect((await cluster.ask('GET', '/fleet/v1/units?nextPageToken=AgD__w==')).text).toBe('{}')
  })

  it('a global unit asked for alone has no machine and no current state', async () => {
    const answer = await cluster.ask('GET', '/v1-alpha/units/g.service')
    expect(Object.keys(answer.json)).toEqual(['desiredState', 'name', 'options'])
  })

  it('outer blanks of values are dropped before the content is compared', async () => {
    const put = (value: string) =>
      cluster.ask('PUT', '/fleet/v1/units/b.service', {
        options: [{ section: 'Service', name: 'ExecStart', value }],
        desiredState: 'inactive',
      })
    expect((await put(' /bin/true ')).status).toBe(201)
    expect((await put('/bin/true')).status).toBe(204)
    await cluster.ask('DELETE', '/fleet/v1/units/b.service')
  })

  it('an unknown requirement and a circle of MachineOf are warned about', async () => {
    const put = (name: string, ...lines: readonly string[]) =>
      cluster.ask('PUT', `/fleet/v1/units/${name}`, { options: optionsOf(service(...lines)) })
    expect((await put('c1.service', 'Unknown=1')).headers['Warning']).toContain('unknown requirement Unknown=')
    await put('c1.service', 'MachineOf=c2.service')
    expect((await put('c2.service', 'MachineOf=c1.service')).headers['Warning']).toContain('c1.service')
    for (const name of ['c1', 'c2']) await cluster.ask('DELETE', `/fleet/v1/units/${name}.service`)
  })

  it('plain text is taken as a value of metadata', async () => {
    const patch = [{ op: 'add', path: `/${idOf(1)}/metadata/rack`, value: 'r1' }]
    expect((await cluster.ask('PATCH', '/fleet/v1/machines', patch)).status).toBe(204)
    expect((await cluster.ask('GET', '/fleet/v1/machines')).json['machines']).toMatchObject([
      {},
      { metadata: { rack: 'r1' } },
    ])
  })

  it('a path that is not clean is redirected', async () => {
    const answer = await cluster.ask('GET', '/fleet/v1/./units?x=1')
    expect(answer.status).toBe(301)
    expect(answer.headers['Location']).toBe('/fleet/v1/units?x=1')
  })

  it('health is told apart from everything else', async () => {
    expect((await cluster.ask('GET', '/health')).status).toBe(200)
    cluster.machine(0).kv.setUnavailable(true)
    await cluster.clock.advance(20_000)
    expect((await cluster.ask('GET', '/health')).status).toBe(503)
    expect((await cluster.ask('GET', '/metrics')).text).toBe(
      errorBody(503, 'fleet server unable to communicate with etcd'),
    )
    expect((await cluster.ask('GET', '/fleet/v1/units')).headers['Warning']).toMatch(/^299 fleetd ".+"$/)
    cluster.machine(0).kv.setUnavailable(false)
    await cluster.clock.advance(10_000)
    expect((await cluster.ask('GET', '/health')).status).toBe(200)
  })
})
