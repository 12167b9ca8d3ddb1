import { describe, expect, it } from 'vitest'
import { groupReasons, renderReasons } from '../src/machine-reasons.ts'
import { createWorld, fleetctlIn, type World } from './run-fleetctl.ts'

const service = (...lines: string[]): string => `[Service]\nExecStart=/bin/sleep infinity\n${lines.join('\n')}\n`
const [first, second, third] = [
  '1a000000000000000000000000000001',
  '2b000000000000000000000000000002',
  '3c000000000000000000000000000003',
]

async function worldWith(files: Readonly<Record<string, string>>, ...start: readonly string[]): Promise<World> {
  const world = createWorld()
  for (const [path, text] of Object.entries(files)) world.files.set(path, text)
  if (start.length > 0) await fleetctlIn(world, ['start', '--no-block', ...start])
  world.cluster.tick()
  return world
}

describe('why of a unit that no machine can run', () => {
  const files = { 'units/db.service': `# the database\n${service('', '[X-Fleet]', 'MachineMetadata=disk=hdd')}` }

  it('says it with rule, line of the file here, and remedies', async () => {
    const world = await worldWith(files, 'units/db.service')
    expect((await fleetctlIn(world, ['why', 'units/db.service'])).stdout).toMatchSnapshot()
  })

  it('fits eighty columns on a terminal', async () => {
    const world = await worldWith(files, 'units/db.service')
    const { stdout } = await fleetctlIn(world, ['why', 'units/db.service'], {
      isTerminal: true,
      env: { NO_COLOR: '1' },
    })
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80)
  })

  it('counts lines as fleetctl cat prints them where the file here is another', async () => {
    const world = await worldWith(files, 'units/db.service')
    world.files.set('units/db.service', service('[X-Fleet]', 'MachineMetadata=disk=tape'))
    expect((await fleetctlIn(world, ['why', 'units/db.service'])).stdout).toContain(
      'db.service:5: MachineMetadata=disk=hdd',
    )
  })

  it('as JSON names place and remedies', async () => {
    const world = await worldWith(files, 'units/db.service')
    const { stdout } = await fleetctlIn(world, ['why', '--output', 'json', 'units/db.service'])
    expect(JSON.parse(stdout)).toMatchObject({
      isSubmitted: true,
      situation: 'waiting',
      machines: [
        { machine: first, place: { file: 'units/db.service', line: 6, text: 'MachineMetadata=disk=hdd' } },
        { machine: second },
        { machine: third },
      ],
      remedies: [{ kind: 'relabel', text: `relabel ${first} disk=hdd`, moves: 0, unplaced: [] }, {}, {}, {}],
    })
  })

  it('as lines with TABs has the place last', async () => {
    const world = await worldWith(files, 'units/db.service')
    const { stdout } = await fleetctlIn(world, ['why', '--output', 'plain', 'db'])
    expect(stdout.split('\n')[0]).toBe(
      '1a000000.../10.77.0.11\tno\tmetadata\tmetadata disk=hdd is required, the machine has disk=ssd\tdb.service:5: MachineMetadata=disk=hdd',
    )
  })
})

describe('why of a unit that is placed', () => {
  it('tells the line of another unit that keeps it off', async () => {
    const world = await worldWith(
      { 'a.service': service('[X-Fleet]', 'Conflicts=b*.service'), 'b.service': service() },
      'a.service',
      'b.service',
    )
    const { stdout } = await fleetctlIn(world, ['why', 'b'])
    expect(stdout).toMatchSnapshot()
  })

  it('tells of one machine alone, named by a part of its ID or its address', async () => {
    const world = await worldWith({ 'a.service': service() }, 'a.service')
    const byId = await fleetctlIn(world, ['why', 'a', '--machine', '2b0'])
    expect(byId.stdout).toContain('1 machine can run it\n  2b000000.../10.77.0.12\n')
    expect(byId.stdout).not.toContain('3c000000')
    expect(await fleetctlIn(world, ['why', 'a', '--machine', '10.77.0.12'])).toEqual(byId)
    expect(await fleetctlIn(world, ['why', 'a', '--machine', '2b000000.../10.77.0.12'])).toEqual(byId)
  })

  it('refuses a machine that is none, and names those that are', async () => {
    const world = await worldWith({ 'a.service': service() }, 'a.service')
    const { exit, stderr } = await fleetctlIn(world, ['why', 'a', '--machine', '4d'])
    expect([exit, stderr]).toEqual([
      1,
      'Cannot tell of that machine: there is no machine 4d; up are 1a000000.../10.77.0.11, 2b000000.../10.77.0.12, 3c000000.../10.77.0.13\n',
    ])
  })
})

describe('why of a file that the cluster does not have', () => {
  it('tells where it would run', async () => {
    const world = await worldWith({ 'units/a.service': service() })
    const { exit, stdout } = await fleetctlIn(world, ['why', 'units/a.service'])
    expect(exit).toBe(0)
    expect(stdout).toContain(`a.service is not in the cluster; if started, it would run on ${first}`)
    expect(world.cluster.requests.some((request) => request.startsWith('PUT'))).toBe(false)
  })

  it('tells that it would wait, and what would help', async () => {
    const world = await worldWith({ 'w@.service': service('[X-Fleet]', 'MachineMetadata=disk=hdd') })
    const { stdout } = await fleetctlIn(world, ['why', 'w@1'])
    expect(stdout).toMatchSnapshot()
  })

  it('tells on how many machines a global one would run', async () => {
    const world = await worldWith({ 'g.service': service('[X-Fleet]', 'Global=true', 'MachineMetadata=disk=ssd') })
    expect((await fleetctlIn(world, ['why', 'g'])).stdout).toContain('if started, it would run on 2 of 3 machines')
  })

  it('says what is wrong with a file that no cluster takes', async () => {
    const world = await worldWith({ 'bad.service': '[Service\nExecStart=/bin/true\n' })
    expect(await fleetctlIn(world, ['why', 'bad'])).toMatchObject({ exit: 1, stdout: '' })
  })

  it('suggests a name when there is neither unit nor file', async () => {
    const world = await worldWith({ 'hello.service': service() }, 'hello.service')
    expect((await fleetctlIn(world, ['why', 'helo'])).stderr).toBe(
      'Unit helo.service does not exist, and there is no such file.\nDid you mean hello.service?\nSee "fleetctl list-unit-files".\n',
    )
  })
})

describe('a thousand machines', () => {
  const many = (text: (index: number) => string, rule = 'metadata') =>
    Array.from({ length: 1000 }, (_, index) => ({
      machineId: `m${index}`,
      fits: false,
      rule,
      text: text(index),
      line: { file: 'a.service', line: 4, text: 'X=y' },
    }))
  const render = (all: boolean, text: (index: number) => string) =>
    renderReasons(groupReasons(many(text)), { cell: (id) => id, all })

  it('that say the same are one group, the first ones named', () => {
    expect(render(false, () => 'no disk')).toBe(
      '1000 machines: no disk\n  a.service:4: X=y\n  m0, m1, m2 and 997 more (--all names them)\n',
    )
  })

  it('are told apart by a few wordings of one rule', () => {
    expect(render(false, (index) => (index % 2 === 0 ? 'no disk' : 'disk=hdd')).match(/500 machines: /g)).toHaveLength(
      2,
    )
  })

  it('that all differ in words are one group by rule', () => {
    const text = render(false, (index) => `disk=${index}`)
    expect(text).toContain('1000 machines: metadata\n')
    expect(text).toContain('  m0: disk=0\n')
    expect(text.split('\n')).toHaveLength(7)
  })

  it('are all named with --all', () => {
    expect(render(true, () => 'no disk')).toContain('m998, m999\n')
  })
})
