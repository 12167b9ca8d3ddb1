import { describe, expect, it } from 'vitest'
import { createWorld, fleetctlIn, type World } from './run-fleetctl.ts'

const text = '[Service]\nExecStart=/bin/sleep infinity\n'

/** a is on the first machine, which is this one; b on the second; g everywhere; i nowhere. */
async function cluster(): Promise<World> {
  const world = createWorld()
  for (const name of ['a', 'b', 'i']) world.files.set(`${name}.service`, text)
  world.files.set('g.service', `${text}[X-Fleet]\nGlobal=true\n`)
  await fleetctlIn(world, ['start', 'a'])
  await fleetctlIn(world, ['start', 'b'])
  await fleetctlIn(world, ['start', 'g'])
  await fleetctlIn(world, ['submit', 'i'])
  world.cluster.tick()
  return world
}

describe('status', () => {
  it('asks systemctl here when the unit is here', async () => {
    const world = await cluster()
    expect((await fleetctlIn(world, ['status', 'a'])).exit).toBe(0)
    expect(world.programs).toEqual([['systemctl', 'status', '-l', 'a.service']])
  })

  it('asks through ssh elsewhere, without ever asking the person', async () => {
    const world = await cluster()
    await fleetctlIn(world, ['--ssh-username', 'root', 'status', '--ssh-port=2222', 'b'])
    expect(world.programs).toEqual([
      [
        'ssh',
        ...['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-o', 'StrictHostKeyChecking=yes'],
        ...['-o', 'UserKnownHostsFile="/home/core/.fleetctl/known_hosts" "/home/core/.ssh/known_hosts"'],
        ...['-p', '2222', '-l', 'root', '--', '10.77.0.12', 'systemctl status -l b.service'],
      ],
    ])
  })

  it('believes any machine when told so', async () => {
    const world = await cluster()
    await fleetctlIn(world, ['--strict-host-key-checking=false', 'status', 'b'])
    expect(world.programs[0]).toContain('StrictHostKeyChecking=no')
  })

  it('says what to do when ssh does not get there', async () => {
    const world = await cluster()
    world.runProgram = () => 255
    const { exit, stderr } = await fleetctlIn(world, ['status', 'b'])
    expect(exit).toBe(255)
    expect(stderr).toMatch(/^Unable to SSH to remote host: .*core@10\.77\.0\.12.*\nCheck that "ssh core@10\.77\.0\.12"/)
  })

  it.each([
    ['a', 'There is no systemctl on this computer.'],
    ['b', 'there is no ssh on this computer'],
  ])('of %s says when the program is missing', async (name, words) => {
    const world = await cluster()
    world.runProgram = () => undefined
    expect((await fleetctlIn(world, ['status', name])).stderr).toContain(words)
  })

  it('says when the machine is not up', async () => {
    const world = await cluster()
    world.cluster.machines.splice(1, 1)
    const { exit, stderr } = await fleetctlIn(world, ['status', 'b'])
    expect([exit, stderr]).toEqual([1, expect.stringContaining('it is not among the machines that are up')])
  })

  it('ends at the first unit that is not well, with its code, a blank line between two', async () => {
    const world = await cluster()
    expect(await fleetctlIn(world, ['status', 'a', 'b'])).toMatchObject({ exit: 0, stdout: '\n' })
    world.programs.length = 0
    world.runProgram = () => 3
    expect((await fleetctlIn(world, ['status', 'a', 'b'])).exit).toBe(3)
    expect(world.programs).toHaveLength(1)
  })

  it('asks for a global unit here, and elsewhere tells where it runs', async () => {
    const world = await cluster()
    expect((await fleetctlIn(world, ['status', 'g'])).exit).toBe(0)
    expect(world.programs).toEqual([['systemctl', 'status', '-l', 'g.service']])
    world.machineId = undefined
    const { exit, stderr } = await fleetctlIn(world, ['status', 'g'])
    expect([exit, stderr]).toEqual([1, expect.stringContaining('is global and runs on 1a0000')])
  })
})

describe('journal', () => {
  it.each([
    [['journal', 'a'], 'journalctl --unit a.service --no-pager -n 10 --output short'],
    [['journal', '--lines=3', '--output=cat', 'a'], 'journalctl --unit a.service --no-pager -n 3 --output cat'],
    [['journal', '--follow', 'a'], 'journalctl --unit a.service --no-pager -n 10 --output short -f'],
    [['journal', '--f', '--sudo', 'a'], 'sudo journalctl --unit a.service --no-pager -n 10 --output short -f'],
  ])('%j runs %s', async (argv, program) => {
    const world = await cluster()
    await fleetctlIn(world, argv)
    expect(world.programs.map((words) => words.join(' '))).toEqual([program])
  })

  it('leaves odd words to the other side as they are', async () => {
    const world = await cluster()
    await fleetctlIn(world, ['journal', "--output=a b'c", 'b'])
    expect(world.programs[0]?.at(-1)).toBe("journalctl --unit b.service --no-pager -n 10 --output 'a b'\\''c'")
  })
})

describe('where fleetd runs units as processes', () => {
  const here = '1a000000000000000000000000000001'

  async function processes(): Promise<World> {
    const world = await cluster()
    world.machineId = undefined
    world.processMachines.set(here, '/tmp/m1')
    const logged = (second: number, message: string) =>
      world.processLog.push({
        timeMs: new Date(2026, 10, 21, 6, 30, second).getTime(),
        message,
        unit: 'a.service',
        pid: 7,
        program: 'sh',
      })
    logged(1, 'one')
    logged(2, 'two')
    return world
  }

  it('journal reads the log in the folder that --process-dir names', async () => {
    const world = await processes()
    const { exit, stdout } = await fleetctlIn(world, ['--process-dir=/tmp/m0,/tmp/m1', 'journal', '--lines=1', 'a'])
    expect([exit, stdout]).toEqual([0, 'Nov 21 06:30:02 1a000000 sh[7]: two\n'])
    expect(world.programs).toEqual([])
  })

  it.each([
    ['cat', 'one\ntwo\n'],
    ['json', expect.stringContaining('"_PID":"7","SYSLOG_IDENTIFIER":"sh","MESSAGE":"two"}\n')],
  ])('journal prints it as %s', async (form, stdout) => {
    const world = await processes()
    expect(await fleetctlIn(world, ['--process-dir=/tmp/m1', 'journal', '--output', form, 'a'])).toMatchObject({
      exit: 0,
      stdout,
    })
  })

  it('journal refuses forms that only journalctl has', async () => {
    const { exit, stdout, stderr } = await fleetctlIn(await processes(), [
      ...['--process-dir=/tmp/m1', 'journal', '--output=export', 'a'],
    ])
    expect([exit, stdout]).toEqual([1, ''])
    expect(stderr).toContain('as "export"')
    expect(stderr).toContain('short, cat, json')
  })

  it('status tells what is published, and the latest lines', async () => {
    const { exit, stdout } = await fleetctlIn(await processes(), ['--process-dir=/tmp/m1', 'status', 'a', 'g'])
    expect(exit).toBe(0)
    expect(stdout).toMatchInlineSnapshot(`
      "● a.service
           Loaded: loaded
           Active: active (running)
          Machine: 1a000000000000000000000000000001
          Manager: processes of fleetd, in /tmp/m1

      Nov 21 06:30:01 1a000000 sh[7]: one
      Nov 21 06:30:02 1a000000 sh[7]: two

      ● g.service
           Loaded: loaded
           Active: active (running)
          Machine: 1a000000000000000000000000000001
          Manager: processes of fleetd, in /tmp/m1
      "
    `)
  })

  it('a machine at a loopback address is not asked by SSH', async () => {
    const world = await processes()
    world.cluster.machines.splice(0, 1, { id: here, metadata: {}, ip: '127.0.0.1' })
    const { exit, stderr } = await fleetctlIn(world, ['journal', 'a'])
    expect([exit, world.programs]).toEqual([1, []])
    expect(stderr).toContain('--process-dir')
  })
})

// Recorded: vectors/fleetctl/10-status-journal.json.
it.each([
  [['status', 'nosuch'], 'Unit nosuch.service does not exist.\n'],
  [['status', 'i'], 'Unit i.service does not appear to be loaded.\n'],
  [['journal', 'nosuch'], 'Unit nosuch.service does not exist.\n'],
  [['journal', 'i'], 'Unit i.service does not appear to be running.\n'],
  [['journal', 'g'], 'Unable to retrieve journal of global unit g.service.\n'],
])('%j says %j', async (argv, stderr) => {
  expect(await fleetctlIn(await cluster(), argv)).toMatchObject({ exit: 1, stderr, stdout: '' })
})
