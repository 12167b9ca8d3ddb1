import { describe, expect, it } from 'vitest'
import { runSliced } from '../src/sliced.ts'
import { fleetctlIn } from './run-fleetctl.ts'
import { first, runningWorld, second, service, ssd, third } from './running-world.ts'

const whatIf = async (...args: string[]) => fleetctlIn(await runningWorld(), ['what-if', ...args])
const json = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await whatIf('--output', 'json', ...args)).stdout)

describe('what-if', () => {
  it.each([
    [['lose', '1a000000']],
    [['drain', '10.77.0.11', '2b']],
    [['lose', '--any', '1']],
    [['lose', '--by', 'az']],
    [['add-machine', '--count', '2', '--metadata', 'disk=ssd', '--metadata', 'az=c']],
    [['remove', 'a', 'b.service']],
  ])('%j', async (args) => expect((await whatIf(...args)).stdout).toMatchSnapshot())

  it('reads the cluster once and changes nothing', async () => {
    const world = await runningWorld()
    await fleetctlIn(world, ['what-if', 'lose', '--any', '2'])
    expect(world.cluster.requests).toEqual(['LIST units', 'LIST machines'])
  })

  it('fits eighty columns on a terminal', async () => {
    const world = await runningWorld()
    const argv = ['what-if', 'lose', '--any', '2', '--all']
    const { stdout } = await fleetctlIn(world, argv, { isTerminal: true, env: { NO_COLOR: '1' } })
    const widths = stdout.split('\n').map((line) => line.replaceAll(/[^\t]{0,7}\t/g, ' '.repeat(8)).length)
    expect(Math.max(...widths)).toBeLessThanOrEqual(80)
  })

  it('leaves global units, and what fits nowhere else, on a drained machine', async () => {
    const world = await runningWorld()
    world.files.set('g.service', service('[X-Fleet]', 'Global=true'))
    await fleetctlIn(world, ['start', 'g'])
    world.cluster.machines.forEach((machine, index) => {
      if (index === 1) machine.metadata = {}
    })
    const answer = await fleetctlIn(world, ['what-if', 'drain', '--output', 'json', first ?? ''])
    expect(JSON.parse(answer.stdout)).toMatchObject({
      consequences: {
        moves: [{ unit: 'a.service', from: first }],
        unplaced: [{ unit: 'db.service' }],
        loads: [
          { machine: first, before: 3, after: 2 },
          { before: 2, after: 3 },
        ],
      },
    })
  })

  it('as JSON has question, moves, units without a place with their reasons, loads', async () => {
    expect(await json('lose', '1a', '2b')).toEqual({
      question: { kind: 'lose', text: 'What if 1a000000.../10.77.0.11, 2b000000.../10.77.0.12 are lost?' },
      consequences: {
        moves: [
          { unit: 'a.service', from: first, to: third },
          { unit: 'b.service', from: second, to: third },
        ],
        unplaced: [
          {
            unit: 'db.service',
            lines: [],
            reasons: [
              {
                fits: false,
                rule: 'metadata',
                text: 'metadata disk=ssd is required, the machine has no disk',
                place: 'db.service:5: MachineMetadata=disk=ssd',
                machines: [third],
              },
            ],
          },
        ],
        placed: [],
        stillUnplaced: [],
        globals: [],
        loads: [
          { machine: first, ip: '10.77.0.11', before: 2, after: null },
          { machine: second, ip: '10.77.0.12', before: 1, after: null },
          { machine: third, ip: '10.77.0.13', before: 1, after: 3 },
        ],
        before: { machines: 3, units: 4, busiest: { machine: first, units: 2 } },
        after: { machines: 1, units: 3, busiest: { machine: third, units: 3 } },
      },
    })
  })

  it('of sets as JSON counts them and names the worst, of named sets each', async () => {
    expect(await json('lose', '--any', '2')).toMatchObject({
      sets: { total: 3, done: 3, failing: 1, isComplete: true },
      each: null,
      worst: { machines: [first, second], moves: 2, unplaced: 1 },
    })
    expect(await json('lose', '--by', 'az=us-west-1b')).toMatchObject({
      sets: { total: 1 },
      each: [{ name: 'az=us-west-1b', machines: [second, third], unplaced: 0 }],
    })
  })

  it('as lines with TABs', async () => {
    expect((await whatIf('lose', '1a', '--output', 'plain')).stdout.split('\n')).toContain(
      `move\ta.service\t${first}\t${second}`,
    )
    expect((await whatIf('lose', '--any', '2', '--output', 'plain')).stdout).toBe(`set\t${first},${second}\t2\t1\n`)
  })

  it.each([
    [['lose', '--any', '1'], 0],
    [['lose', '--any', '1', '--fail-on-unplaced'], 0],
    [['lose', '--any', '2'], 0],
    [['lose', '--any', '2', '--fail-on-unplaced'], 1],
    [['lose', '1a', '2b', '--fail-on-unplaced'], 1],
    [['drain', '1a', '--fail-on-unplaced'], 0],
    [['lose', 'nosuch'], 1],
    [['lose', '--any', '4'], 2],
    [['lose', '--any', '3'], 0],
    [['lose', '--by', 'nosuch'], 1],
    [['lose', '1a', '--any', '1'], 2],
    [['lose', '--any', '1', '--by', 'az'], 2],
    [['lose', '--by', '=x'], 2],
    [['drain', '1a', '--any', '1'], 2],
    [['drain'], 2],
    [['add'], 2],
    [['add-machine', 'x'], 2],
    [['add-machine', '--count', '0'], 2],
    [['add-machine', '--metadata', 'x'], 2],
    [['remove', 'nosuch'], 1],
    [['add', 'a.service'], 1],
    [['add', 'nosuch.service'], 1],
    [['edit', 'nosuch.service'], 1],
    [['los', '1a'], 2],
    [[], 2],
  ])('%j ends with %i', async (args, exit) => {
    const outcome = await whatIf(...args)
    expect(outcome.exit).toBe(exit)
    if (outcome.stdout === '') expect(outcome.stderr.endsWith('\n')).toBe(true)
  })

  it.each([
    [['lose', 'nosuch'], 'there is no machine nosuch; up are 1a000000.../10.77.0.11'],
    [['lose', '--by', 'az=us-west-1c'], 'There is us-west-1a, us-west-1b.'],
    [['los', '1a'], 'Example: fleetctl what-if lose --any 2'],
    [['remove', 'd'], 'Unit d.service is not in the cluster. Did you mean'],
    [['add', 'a.service'], 'See "fleetctl what-if edit"'],
    [['edit', 'x.service'], 'See "fleetctl what-if add"'],
  ])('%j says what to do', async (args, words) => expect((await whatIf(...args)).stderr).toContain(words))
})

describe('what-if of files', () => {
  it('tells where new units would run, and which would not, with the line of the file', async () => {
    const world = await runningWorld()
    world.files.set('units/x.service', service('[X-Fleet]', 'MachineMetadata=disk=hdd'))
    world.files.set('units/w@.service', service('[X-Fleet]', 'Conflicts=w@*.service'))
    world.files.set('units/g.service', service('[X-Fleet]', 'Global=true', 'MachineMetadata=disk=ssd'))
    const files = ['units/x.service', 'units/w@1', 'units/w@2.service', 'units/g']
    const { exit, stdout } = await fleetctlIn(world, ['what-if', 'add', ...files, '--fail-on-unplaced'])
    expect(exit).toBe(1)
    expect(stdout).toMatchSnapshot()
  })

  it('tells where a unit would go with other text, and keeps it where it still fits', async () => {
    const world = await runningWorld()
    world.files.set('a.service', service('[X-Fleet]', 'MachineMetadata=az=us-west-1b'))
    world.files.set('b.service', ssd)
    const { stdout } = await fleetctlIn(world, ['what-if', 'edit', 'a.service', 'b.service', '--output', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ consequences: { moves: [{ unit: 'a.service', from: first }] } })
  })

  it('finds nothing to tell of a file that says the same', async () => {
    expect((await whatIf('edit', 'a.service')).stdout).toContain('No unit moves.')
  })

  it('passes on what is doubtful in a file', async () => {
    const world = await runningWorld()
    world.files.set('n.service', service('[X-Fleet]', 'Conflict=a.service'))
    expect((await fleetctlIn(world, ['what-if', 'add', 'n'])).stderr).toContain('Conflict')
  })
})

describe('a long what-if', () => {
  it('stops at Ctrl-C with the worst so far', async () => {
    const world = await runningWorld()
    const argv = ['what-if', 'lose', '--any', '1']
    const { exit, stdout, stderr } = await fleetctlIn(world, argv, { interruptAfterMs: 0, lookMs: 21 })
    expect(exit).toBe(130)
    expect(stdout).toContain('1 of 3 sets looked at')
    expect(stdout).toContain('The worst so far: 1a000000.../10.77.0.11')
    expect(stderr).toBe('Interrupted after 1 of 3 sets: this is the worst so far.\n')
  })

  it('shows a person how far it is', async () => {
    const argv = ['what-if', 'lose', '--any', '2']
    const { stderr } = await fleetctlIn(await runningWorld(), argv, { isTerminal: true, lookMs: 600 })
    expect(stderr).toContain('1 of 3 sets, so far 1 leaves units without a place, at worst 1')
  })

  it('gives others their turn after each slice, and heeds the signal', async () => {
    const stop = new AbortController()
    let nowMs = 0
    const clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      sleep: async () => {
        if (nowMs >= 100) stop.abort()
      },
    }
    function* steps(): Generator<number> {
      for (let step = 0; ; step++) {
        nowMs += 5
        yield step
      }
    }
    const slices: number[] = []
    const options = { clock, signal: stop.signal, onSlice: (step: number) => slices.push(step) }
    expect(await runSliced(steps(), options)).toEqual({ last: 19, isComplete: false })
    expect(slices).toEqual([3, 7, 11, 15, 19])
  })
})
