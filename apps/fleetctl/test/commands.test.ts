import { FleetApiError } from '@cluster/fleet-api'
import { describe, expect, it } from 'vitest'
import { createWorld, fleetctlIn, type World } from './run-fleetctl.ts'

const service = (...lines: string[]): string => `[Service]\nExecStart=/bin/sleep infinity\n${lines.join('\n')}\n`
const worldWith = (files: Readonly<Record<string, string>>): World => {
  const world = createWorld()
  for (const [path, text] of Object.entries(files)) world.files.set(path, text)
  return world
}
const started = async (...names: string[]): Promise<World> => {
  const world = worldWith(Object.fromEntries(names.map((name) => [name, service()])))
  await fleetctlIn(world, ['start', ...names])
  world.cluster.requests.length = 0
  return world
}
const changes = ({ cluster }: World): readonly string[] =>
  cluster.requests.filter((request) => /^(PUT|DELETE)/.test(request))

describe('start', () => {
  it('sends content and wish of a new unit together', async () => {
    const world = worldWith({ 'a.service': service() })
    expect(await fleetctlIn(world, ['start', 'a'])).toMatchObject({ exit: 0 })
    expect(changes(world)).toEqual(['PUT a.service options launched'])
  })

  it('is done a fraction of a second after the machine is', async () => {
    const world = worldWith({ 'a.service': service() })
    expect((await fleetctlIn(world, ['start', 'a'])).elapsedMs).toBeLessThan(100)
  })

  it('takes a unit given twice, by name and by path, once', async () => {
    const world = worldWith({ 'a.service': service() })
    await fleetctlIn(world, ['start', 'a', 'a.service', './a.service'])
    expect(changes(world)).toHaveLength(1)
  })

  it('takes files by a pattern that no shell expanded, in order of name, units only', async () => {
    const world = worldWith({ 'units/b.service': service(), 'units/a.service': service(), 'units/README.md': 'x' })
    const { stdout } = await fleetctlIn(world, ['start', '--no-block', 'units/*'])
    expect(stdout.split('\n').slice(0, 2)).toEqual(['Unit a.service inactive', 'Unit b.service inactive'])
    expect(changes(world)).toHaveLength(2)
  })

  it('prefers a file whose name is the pattern', async () => {
    const world = worldWith({ 'a[1].service': service(), 'a1.service': service() })
    expect((await fleetctlIn(world, ['start', 'a[1].service'])).stderr).toContain("invalid character '['")
  })

  it('reads the list once for many units', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`u${index}.service`, service()]))
    const world = worldWith(files)
    expect((await fleetctlIn(world, ['start', ...Object.keys(files)])).exit).toBe(0)
    expect(world.cluster.requests.some((request) => request.startsWith('GET'))).toBe(false)
    expect(world.cluster.requests.length).toBeLessThan(60)
  })

  it.each([
    ['a oneshot that has finished', 'Type=oneshot', 0],
    ['a oneshot that stays', 'Type=oneshot\nRemainAfterExit=yes', 0],
    ['a unit that is still getting ready', 'ExecStart=/bin/slow', 0],
    ['a unit that starts over and over', 'ExecStart=/bin/loops', 1],
    ['a unit that fails', 'ExecStart=/bin/false', 1],
  ])('of %s gives the right code', async (_, line, exit) => {
    const world = worldWith({ 'a.service': service(line) })
    expect((await fleetctlIn(world, ['start', 'a'])).exit).toBe(exit)
  })

  it('gives systemd as many attempts as --block-attempts says', async () => {
    const world = worldWith({ 'a.service': service('ExecStart=/bin/false') })
    const { stderr } = await fleetctlIn(world, ['start', '--block-attempts=3', 'a'])
    expect(stderr).toContain('Failed to find an active unit a.service within 6s')
  })

  it('waits for a unit that was wanted so before only with --wait', async () => {
    const world = worldWith({ 'a.service': service() })
    world.cluster.stuck.add('a.service')
    await fleetctlIn(world, ['start', '--no-block', 'a'])
    expect(await fleetctlIn(world, ['start', '--block-attempts=1', 'a'])).toMatchObject({ exit: 0, elapsedMs: 0 })
    expect(await fleetctlIn(world, ['start', '--block-attempts=1', '--wait', 'a'])).toMatchObject({ exit: 1 })
  })

  it('does not take the old content for the new one', async () => {
    const world = await started('a.service')
    world.files.set('a.service', service('Restart=always'))
    world.cluster.stuck.add('a.service')
    const { exit, stderr } = await fleetctlIn(world, ['start', '--replace', '--block-attempts=1', 'a'])
    expect([exit, stderr]).toEqual([1, expect.stringContaining('timed out waiting for unit a.service')])
  })

  it('says when interrupted that the wish stays', async () => {
    const world = worldWith({ 'a.service': service('[X-Fleet]', 'MachineMetadata=no=such') })
    expect(await fleetctlIn(world, ['start', 'a'], { interruptAfterMs: 3000 })).toEqual({
      exit: 130,
      stdout: 'Unit a.service inactive\n',
      stderr: 'Interrupted. What was asked for stays: a.service is to be launched; fleet goes on with it.\n',
      elapsedMs: expect.any(Number),
    })
  })

  it('shows a person what it waits for, and hints at why', async () => {
    const world = worldWith({ 'a.service': service('[X-Fleet]', 'MachineMetadata=no=such') })
    const { stderr } = await fleetctlIn(world, ['start', '--block-attempts=2', 'a'], { isTerminal: true })
    expect(stderr).toContain('waiting for a.service to be launched (')
    expect(stderr).toContain('"fleetctl why a.service" tells what keeps it')
  })

  it('refuses a template of which there is a file only, without creating it', async () => {
    const world = worldWith({ 'a@.service': service() })
    expect((await fleetctlIn(world, ['start', 'a@'])).exit).toBe(1)
    expect(changes(world)).toEqual([])
  })
})

describe('a daemon that fails', () => {
  const down = () =>
    new FleetApiError('fleet-api/unreachable', 'fleetd cannot be reached at unix:///x', { hint: 'start it' })

  it.each([
    [['start', 'a'], 'Error creating units: error retrieving Unit(a.service) from Registry: fleetd cannot'],
    [['stop', 'a'], 'fleetd cannot'],
    [['destroy', 'a'], 'fleetd cannot'],
    [['cat', 'a'], 'Error retrieving Unit a.service: fleetd cannot'],
    [['status', 'a'], 'Error retrieving unit: fleetd cannot'],
    [['journal', 'a'], 'Error retrieving unit a.service: fleetd cannot'],
    [['why', 'a'], 'Error explaining unit a.service: fleetd cannot'],
    [['list-units'], 'Error retrieving list of units from repository: fleetd cannot'],
    [['list-unit-files'], 'Error retrieving list of units from repository: fleetd cannot'],
    [['list-machines'], 'Error retrieving list of active machines from fleet API (fleetd cannot'],
  ])('%j says so, with the remedy', async (argv, beginning) => {
    const world = createWorld()
    world.cluster.failWith = down
    const { exit, stdout, stderr } = await fleetctlIn(world, argv)
    expect([exit, stdout]).toEqual([1, ''])
    expect(stderr.startsWith(beginning)).toBe(true)
    expect(stderr.endsWith('start it\n')).toBe(true)
  })

  it('in the middle of several units: what was done and what was not', async () => {
    const world = worldWith({ 'a.service': service(), 'b.service': service(), 'c.service': service() })
    world.cluster.failWith = (request) => (request.startsWith('PUT b.service') ? down() : undefined)
    const { exit, stderr } = await fleetctlIn(world, ['start', 'a', 'b', 'c'])
    expect(exit).toBe(1)
    expect(stderr).toContain('failed creating unit b.service: fleetd cannot')
    expect(stderr).toContain('Done before that: a.service; not done: c.service.')
  })

  it('because of Ctrl-C in the middle of several units: the same', async () => {
    const world = worldWith({ 'a.service': service(), 'b.service': service() })
    world.cluster.failWith = (request) =>
      request.startsWith('PUT b') ? new FleetApiError('fleet-api/aborted', 'given up') : undefined
    const { exit, stderr } = await fleetctlIn(world, ['start', 'a', 'b'])
    expect([exit, stderr]).toEqual([
      130,
      'Interrupted while b.service was sent; it may have arrived.\nDone before that: a.service; not done: none.\n',
    ])
  })

  it('while it is waited for is waited for itself, for a while', async () => {
    const world = worldWith({ 'a.service': service() })
    let failures = 0
    world.cluster.failWith = (request) => (request.startsWith('STATES') && failures++ < 5 ? down() : undefined)
    expect((await fleetctlIn(world, ['start', 'a'])).exit).toBe(0)
    failures = Number.NEGATIVE_INFINITY
    const { exit, stderr } = await fleetctlIn(world, ['start', '--wait', 'a'])
    expect(exit).toBe(1)
    expect(stderr).toContain('What was asked for stays: a.service is to be launched')
  })
})

describe('stop and unload', () => {
  it('go on with the others when one cannot be told', async () => {
    const world = await started('a.service', 'b.service')
    world.cluster.failWith = (request) =>
      request.startsWith('PUT a') ? new FleetApiError('fleet-api/server-failed', 'HTTP 500') : undefined
    const { exit, stderr } = await fleetctlIn(world, ['stop', 'a', 'b'])
    expect(exit).toBe(1)
    expect(stderr).toBe('Unable to stop unit a.service: HTTP 500\nSuccessfully stopped units [b.service].\n')
  })

  it('do not wait for ever for a unit that no machine qualifies for', async () => {
    const world = worldWith({ 'a.service': service('[X-Fleet]', 'MachineMetadata=no=such') })
    await fleetctlIn(world, ['start', '--no-block', 'a'])
    expect(await fleetctlIn(world, ['stop', 'a'])).toMatchObject({ exit: 0, stdout: 'Unit a.service inactive\n' })
  })

  it('do each unit once', async () => {
    const world = await started('a.service')
    const { stdout } = await fleetctlIn(world, ['stop', 'a', 'a.service'])
    expect(stdout.match(/Unit a\.service/g)).toHaveLength(1)
  })
})

describe('restart', () => {
  it('really stops a unit before it starts it', async () => {
    const world = await started('a.service')
    expect((await fleetctlIn(world, ['restart', 'a'])).exit).toBe(0)
    expect(changes(world)).toEqual(['PUT a.service - loaded', 'PUT a.service - launched'])
    const between = world.cluster.requests.slice(
      world.cluster.requests.indexOf('PUT a.service - loaded'),
      world.cluster.requests.indexOf('PUT a.service - launched'),
    )
    expect(between).toContain('STATES a.service')
  })

  it('goes one by one, and tells where it ended', async () => {
    const world = await started('a.service', 'b.service', 'c.service')
    world.cluster.failWith = (request) =>
      request === 'PUT b.service - launched' ? new FleetApiError('fleet-api/server-failed', 'HTTP 500') : undefined
    const { exit, stderr } = await fleetctlIn(world, ['restart', 'a', 'b', 'c'])
    expect(exit).toBe(1)
    expect(stderr).toContain(
      'Error restarting units: HTTP 500\n"fleetctl start b.service" starts it.\nNot restarted: c.service.\n',
    )
    expect(changes(world).some((request) => request.includes('c.service'))).toBe(false)
  })

  it('says when it ends in between that the unit is stopped', async () => {
    const world = await started('a.service')
    world.cluster.stuck.add('a.service')
    const { exit, stderr } = await fleetctlIn(world, ['restart', '--block-attempts=1', 'a'])
    expect(exit).toBe(1)
    expect(stderr).toContain('It is told to stop and was not started again; "fleetctl start a.service" does.')
  })
})

describe('destroy', () => {
  it('waits until no machine has the unit', async () => {
    const world = await started('a.service')
    await fleetctlIn(world, ['destroy', 'a'])
    expect(world.cluster.units.size).toBe(0)
  })

  it('does not wait with --no-block', async () => {
    const world = await started('a.service')
    expect(await fleetctlIn(world, ['destroy', '--no-block', 'a'])).toMatchObject({ exit: 0, elapsedMs: 0 })
  })

  it('destroys a unit that the daemon cannot read, and those named with it', async () => {
    const world = await started('a.service', 'bad.service')
    world.cluster.failWith = (request) =>
      request === 'GET bad.service' ? new FleetApiError('fleet-api/server-failed', 'HTTP 500') : undefined
    const { exit, stdout } = await fleetctlIn(world, ['destroy', '--no-block', 'a', 'bad'])
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'Destroyed a.service\nDestroyed bad.service\n' })
  })

  it('finds a unit that cannot be read among many, of which it reads the list', async () => {
    const world = await started('a.service', 'bad.service')
    world.cluster.failWith = (request) =>
      request === 'GET bad.service' ? new FleetApiError('fleet-api/server-failed', 'HTTP 500') : undefined
    const many = Array.from({ length: 8 }, (_, index) => `no${index}`)
    const { stdout } = await fleetctlIn(world, ['destroy', '--no-block', 'bad', ...many])
    expect(stdout).toBe('Destroyed bad.service\n')
  })
})

describe('JSON', () => {
  const json = async (world: World, ...argv: string[]): Promise<unknown> =>
    JSON.parse((await fleetctlIn(world, [...argv, '--output', 'json'])).stdout)

  it('of start, stop and destroy tells what became of each unit, and nothing else', async () => {
    const world = worldWith({ 'a.service': service() })
    const machine = world.cluster.machines[0]?.id
    const about = { unit: 'a.service', machine }
    expect(await json(world, 'start', 'a')).toEqual([
      { ...about, action: 'created', targetState: 'launched', currentState: 'launched' },
    ])
    expect(await json(world, 'start', 'a')).toMatchObject([{ action: 'unchanged', currentState: 'launched' }])
    expect(await json(world, 'stop', 'a', 'b')).toMatchObject([
      { unit: 'b.service', action: 'not-found' },
      { ...about, action: 'changed', targetState: 'loaded', currentState: 'loaded' },
    ])
    expect(await json(world, 'destroy', 'a')).toMatchObject([{ ...about, action: 'destroyed', targetState: null }])
  })

  it('of lists has the same keys for every row', async () => {
    const world = await started('a.service')
    expect(await json(world, 'list-units')).toMatchSnapshot()
    expect(await json(world, 'list-unit-files')).toMatchSnapshot()
    expect(await json(world, 'list-machines')).toMatchSnapshot()
  })

  it('of cat, why and version', async () => {
    const world = await started('a.service')
    expect(await json(world, 'cat', 'a')).toMatchObject({ unit: 'a.service', text: service().trimEnd().concat('\n') })
    expect(await json(world, 'why', 'a')).toMatchSnapshot()
    expect(await json(world, 'version')).toEqual({ version: '0.1.0' })
  })
})

describe('why', () => {
  it('prints what the daemon says', async () => {
    expect((await fleetctlIn(await started('a.service'), ['why', 'a'])).stdout).toMatchSnapshot()
  })

  it('asks the planner here when the daemon is an original one', async () => {
    const world = worldWith({ 'a.service': service('[X-Fleet]', 'MachineMetadata=disk=hdd') })
    await fleetctlIn(world, ['start', '--no-block', 'a'])
    world.cluster.isOriginal = true
    const { exit, stdout } = await fleetctlIn(world, ['why', 'a'])
    expect(exit).toBe(0)
    expect(stdout).toMatchSnapshot()
  })

  it('tells of a unit that systemd cannot load', async () => {
    const world = worldWith({ 'a.service': '[Unit]\nDescription=nothing to run\n' })
    await fleetctlIn(world, ['start', '--no-block', 'a'])
    world.cluster.tick()
    expect((await fleetctlIn(world, ['why', 'a'])).stdout).toContain('it could not load the unit: bad-setting')
  })

  it.each([
    [['why'], 2],
    [['why', 'a', 'b'], 2],
    [['why', '--nosuch'], 2],
    [['why', 'nosuch'], 1],
    [['completion'], 2],
    [['completion', 'tcsh'], 2],
    [['completion', 'bash'], 0],
    [['verify'], 2],
  ])('%j ends with %i', async (argv, exit) => expect((await fleetctlIn(createWorld(), argv)).exit).toBe(exit))
})

it.each([
  [['submit'], 'No units given\n', 0],
  [['restart'], 'No units given\n', 0],
  [['status'], '', 0],
  [['cat'], 'One unit file must be provided\n', 1],
  [['journal', 'a', 'b'], 'One unit file must be provided.\n', 1],
  [['nosuch'], expect.stringContaining('unknown command "nosuch"'), 0],
  [['start', '--block-attempts=x', 'a'], expect.stringContaining('strconv.ParseInt'), 0],
])('%j says %j and ends with %i, as recorded', async (argv, stderr, exit) =>
  expect(await fleetctlIn(createWorld(), argv)).toMatchObject({ stderr, exit }),
)
