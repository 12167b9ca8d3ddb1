import { FleetApiError } from '@cluster/fleet-api'
import { describe, expect, it } from 'vitest'
import { createWorld, fleetctlIn, type World } from './run-fleetctl.ts'
import { first, runningWorld, second, third } from './running-world.ts'

const changes = ({ cluster }: World): readonly string[] =>
  cluster.requests.filter((request) => /^(UN)?CORDON|^DELETE/.test(request))
const placesIn = ({ cluster }: World): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Array.from(cluster.units, ([name, { machineId }]) => [name, machineId]))

describe('cordon and uncordon', () => {
  it('say what they did, machine by machine, and list-machines shows it', async () => {
    const world = await runningWorld()
    const before = await fleetctlIn(world, ['list-machines'])
    expect(before.stdout).not.toContain('CORDON')
    expect(await fleetctlIn(world, ['cordon', '1a', '10.77.0.12'])).toMatchObject({
      exit: 0,
      stdout: 'Machine 1a000000.../10.77.0.11 cordoned\nMachine 2b000000.../10.77.0.12 cordoned\n',
    })
    expect(changes(world)).toEqual([`CORDON ${first} false`, `CORDON ${second} false`])
    expect((await fleetctlIn(world, ['list-machines'])).stdout).toMatchSnapshot()
    expect((await fleetctlIn(world, ['list-machines', '--fields', 'machine'])).stdout).not.toContain('CORDON')
    expect((await fleetctlIn(world, ['what-if', 'add', 'new.service'])).exit).toBe(1)
    expect(await fleetctlIn(world, ['uncordon', '--output', 'json', '1a', '2b'])).toMatchObject({
      exit: 0,
      stdout: `${JSON.stringify(
        [
          { machine: first, cordon: null },
          { machine: second, cordon: null },
        ],
        null,
        2,
      )}\n`,
    })
    expect(world.cluster.cordons.size).toBe(0)
  })

  it('do nothing when one machine is none, and uncordon one that is away', async () => {
    const world = await runningWorld()
    const wrong = await fleetctlIn(world, ['cordon', '1a', 'nobody'])
    expect(wrong).toMatchObject({ exit: 1, stdout: '' })
    expect(wrong.stderr).toContain('there is no machine nobody')
    expect(changes(world)).toEqual([])
    await fleetctlIn(world, ['cordon', '3c'])
    world.cluster.machines.pop()
    expect((await fleetctlIn(world, ['uncordon', '3c'])).exit).toBe(0)
    expect(world.cluster.cordons.has(third)).toBe(false)
  })

  it('tell what was done when the daemon fails in the middle', async () => {
    const world = await runningWorld()
    world.cluster.failWith = (request) =>
      request.startsWith(`CORDON ${second}`) ? new FleetApiError('fleet-api/timeout', 'no answer') : undefined
    const { exit, stdout, stderr } = await fleetctlIn(world, ['cordon', '1a', '2b', '3c'])
    expect(exit).toBe(1)
    expect(stdout).toBe('Machine 1a000000.../10.77.0.11 cordoned\n')
    expect(stderr).toBe('Error, not cordoned: 2b000000.../10.77.0.12, 3c000000.../10.77.0.13: no answer\n')
  })

  it.each(['cordon', 'uncordon', 'drain'])('%s without a machine is wrong usage', async (name) => {
    expect(await fleetctlIn(createWorld(), [name])).toMatchObject({ exit: 2, stdout: '' })
  })

  it.each([['cordon', '1a'], ['drain', '--yes', '1a'], ['brake'], ['brake', 'release']])(
    '%s %s refuses an original daemon',
    async (...argv) => {
      const world = await runningWorld()
      world.cluster.isOriginal = true
      const { exit, stderr } = await fleetctlIn(world, argv)
      expect([exit, stderr]).toEqual([1, expect.stringContaining('this fleetd is an original one')])
    },
  )
})

describe('drain', () => {
  it('tells what moves, moves it, and ends when the machine is left', async () => {
    const world = await runningWorld()
    const { exit, stdout, stderr } = await fleetctlIn(world, ['drain', '--yes', '1a'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatchSnapshot()
    expect(changes(world)).toEqual([`CORDON ${first} true`])
    expect(Object.values(placesIn(world))).not.toContain(first)
    expect((await fleetctlIn(world, ['list-machines'])).stdout).toContain('draining')
  })

  it('names what fits nowhere else, and fails for its sake', async () => {
    const world = await runningWorld()
    for (const machine of world.cluster.machines.slice(1)) machine.metadata = {}
    const { exit, stdout, stderr } = await fleetctlIn(world, ['drain', '--yes', '1a'])
    expect(exit).toBe(1)
    expect(stdout).toContain('1 unit fits nowhere else and stays')
    expect(stderr).toContain('One unit fits nowhere else and stays: db.service\n')
    expect(placesIn(world)).toMatchObject({ 'db.service': first })
    expect(placesIn(world)['a.service']).not.toBe(first)
  })

  it.each([
    ['y', 0],
    ['YES', 0],
    ['', 1],
    ['n', 1],
  ])('asks, and takes %j for an answer', async (stdin, exit) => {
    const world = await runningWorld()
    const outcome = await fleetctlIn(world, ['drain', '1a'], { isTerminal: true, stdin, env: { NO_COLOR: '1' } })
    expect(outcome.exit).toBe(exit)
    expect(outcome.stderr).toContain('Drain 1a000000.../10.77.0.11? 2 units move [y/N] ')
    expect(changes(world)).toHaveLength(exit === 0 ? 1 : 0)
  })

  it('does nothing without a terminal and without --yes, nor when interrupted at the question', async () => {
    const world = await runningWorld()
    const { exit, stderr } = await fleetctlIn(world, ['drain', '1a'])
    expect([exit, stderr]).toEqual([
      1,
      'Nothing done: without a terminal nobody can be asked\nSay --yes if you mean it\n',
    ])
    const asked = await fleetctlIn(world, ['drain', '1a'], { isTerminal: true, stdin: 'interrupt' })
    expect(asked.exit).toBe(130)
    expect(changes(world)).toEqual([])
  })

  it('says after its time what is still there, and after Ctrl-C what stays asked for', async () => {
    const world = await runningWorld()
    const { tick } = world.cluster
    Object.assign(world.cluster, { tick: () => undefined })
    const late = await fleetctlIn(world, ['drain', '--yes', '--timeout', '5', '1a'])
    expect(late.exit).toBe(1)
    expect(late.elapsedMs).toBe(5000)
    expect(late.stderr).toContain('after 5 s: a.service, db.service\n')
    const stopped = await fleetctlIn(world, ['drain', '--yes', '1a'], { interruptAfterMs: 3000 })
    expect(stopped.exit).toBe(130)
    expect(stopped.stderr).toContain(`"fleetctl uncordon ${first}" ends that`)
    Object.assign(world.cluster, { tick })
    expect((await fleetctlIn(world, ['drain', '--yes', '1a'])).exit).toBe(0)
  })

  it('waits for units that have left and have no new place yet', async () => {
    const world = await runningWorld()
    const { tick, units } = world.cluster
    const takenOff = new Set<string>()
    Object.assign(world.cluster, {
      tick: () => {
        const leaving = [...units].filter(([name, { machineId }]) => machineId === first && !takenOff.has(name))
        if (world.cluster.cordons.get(first) !== true || leaving.length === 0) return tick()
        for (const [name, stored] of leaving) {
          stored.machineId = undefined
          takenOff.add(name)
        }
      },
    })
    const { exit, stdout } = await fleetctlIn(world, ['drain', '--yes', '1a'])
    expect([exit, takenOff.size]).toEqual([0, 2])
    expect(stdout).toContain('2 units moved off')
  })

  it('as JSON tells what was expected and what came of it', async () => {
    const world = await runningWorld()
    const { stdout } = await fleetctlIn(world, ['drain', '--yes', '--output', 'json', '1a'])
    expect(JSON.parse(stdout)).toMatchObject({
      machines: [first],
      isOver: true,
      isEmpty: true,
      moved: [
        { unit: 'a.service', from: first },
        { unit: 'db.service', from: first, to: second },
      ],
      leaving: [],
      stopping: [],
      staying: [],
      expected: { moves: [{ unit: 'a.service' }, { unit: 'db.service' }] },
    })
  })
})

describe('brake', () => {
  const held = {
    kind: 'held',
    lostMachines: [second, third],
    wouldMove: 20,
    moved: 0,
    allowed: 10,
    placedUnits: 30,
    sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    text: '2 machines vanished at once: 20 units would move, more than 10 of 30',
    released: [],
  } as const

  it('tells whether it holds, and since when', async () => {
    const world = createWorld()
    expect(await fleetctlIn(world, ['brake'])).toMatchObject({ exit: 0, stdout: 'The brake does not hold.\n' })
    world.cluster.brake = held
    expect((await fleetctlIn(world, ['brake', 'status'])).stdout).toMatchSnapshot()
    expect(JSON.parse((await fleetctlIn(world, ['brake', '--output', 'json'])).stdout)).toMatchObject({
      held: true,
      since: '2026-01-02T03:04:05.000Z',
      lostMachines: [second, third],
    })
  })

  it('is released by one command, and only when it holds', async () => {
    const world = createWorld()
    world.cluster.brake = held
    expect(await fleetctlIn(world, ['brake', 'release'])).toMatchObject({
      exit: 0,
      stdout: `Released: 20 units may leave ${second}, ${third}\n`,
    })
    expect(await fleetctlIn(world, ['brake', 'release'])).toMatchObject({
      exit: 0,
      stdout: 'The brake does not hold: there is nothing to release\n',
    })
    expect(changes(world)).toEqual(['DELETE brake', 'DELETE brake'])
  })

  it('knows no other word', async () => {
    expect(await fleetctlIn(createWorld(), ['brake', 'hold'])).toMatchObject({ exit: 2, stdout: '' })
  })
})
