import { expect, it } from 'vitest'
import type { LocalFile } from '../src/local-files.ts'
import { createWorld, fleetctlIn } from './run-fleetctl.ts'

const unit = (...fleet: string[]): string =>
  `[Service]\nExecStart=/bin/true\n${fleet.length > 0 ? `[X-Fleet]\n${fleet.join('\n')}\n` : ''}`
const unreadable = (why: string, remedy: string): LocalFile => ({ kind: 'unreadable', why, remedy })

it.each<readonly [string, Readonly<Record<string, string | LocalFile>>, readonly string[], string]>([
  [
    'a file that may not be read',
    { 'a.service': unreadable('permission denied', 'let yourself read it') },
    ['a'],
    'Error creating units: failed getting Unit(a.service) from file: permission denied\nlet yourself read it\n',
  ],
  [
    'a NUL',
    { 'a.service': '[Service]\nExecStart=/bin/\0true\n' },
    ['a'],
    'Error creating units: failed getting Unit(a.service) from file: line 2 holds a NUL character\n' +
      'a unit file is plain text: remove it\n',
  ],
  [
    'no section',
    { 'a.service': '# text\nExecStart=/bin/true\n' },
    ['a'],
    'Error creating units: failed getting Unit(a.service) from file: it has no section: line 2 stands under none\n' +
      'put a line such as [Service] ahead of it\n',
  ],
  [
    'an unknown suffix',
    { 'a.foo': unit() },
    ['a.foo'],
    'Error creating units: unable to find Unit(a.foo.service) in Registry or on filesystem\n',
  ],
  [
    'options that exclude each other',
    { 'a.service': unit('Global=true', 'MachineOf=b.service') },
    ['a'],
    'Error creating units: Global cannot be used with Peers\n',
  ],
  [
    'options that exclude each other once specifiers are filled in',
    { 'a@true.service': unit('Global=%i', 'MachineOf=b.service') },
    ['a@true'],
    'Error creating units: Global cannot be used with Peers\n',
  ],
  [
    'a circle of MachineOf',
    { 'a.service': unit('MachineOf=b.service'), 'b.service': unit('MachineOf=a.service') },
    ['a', 'b'],
    'Error creating units: MachineOf= leads in a circle: a.service -> b.service -> a.service\n' +
      'Each would wait for the other to be placed, for ever: remove MachineOf= from one of them.\n',
  ],
  [
    'a unit that is its own peer',
    { 'a.service': unit('MachineOf=%p.service') },
    ['a'],
    expect.stringContaining('a.service -> a.service'),
  ],
  [
    'a name with a slash at its end',
    { 'a.service': unit() },
    ['a/'],
    'Error creating units: unable to find Unit(a/.service) in Registry or on filesystem\n',
  ],
  [
    'a good unit and one that is not there',
    { 'a.service': unit() },
    ['a', 'b'],
    'Error creating units: unable to find Unit(b.service) in Registry or on filesystem\n',
  ],
  [
    'a template that is not there',
    {},
    ['units/a@1'],
    'Error creating units: failed getting Unit(units/a@1.service) from template: ' +
      'unable to find template Unit(a@.service) in Registry or on filesystem\n',
  ],
  [
    'a name that is too long',
    { [`${'x'.repeat(300)}.service`]: unit() },
    ['x'.repeat(300)],
    expect.stringContaining('256'),
  ],
])('%s: one clear error, and nothing is sent', async (_, files, args, stderr) => {
  const world = createWorld()
  for (const [path, file] of Object.entries(files)) world.files.set(path, file)
  expect(await fleetctlIn(world, ['start', ...args])).toMatchObject({ exit: 1, stdout: '', stderr })
  expect(world.cluster.units.size).toBe(0)
})

it.each([
  ['CRLF', '[Service]\r\nExecStart=/bin/true\r\n', 'its lines end in CR LF, which is read as LF'],
  ['a line ahead of the first section', 'Description=x\n[Service]\nExecStart=/bin/true\n', 'line 1 stands ahead'],
])('%s is accepted, and told', async (_, text, words) => {
  const world = createWorld()
  world.files.set('a.service', text)
  expect(await fleetctlIn(world, ['submit', 'a'])).toMatchObject({ exit: 0, stderr: expect.stringContaining(words) })
})

it('a person in front of a terminal is told where and what to do', async () => {
  const world = createWorld()
  world.files.set('a.service', '[Unit\nDescription=x\n')
  const { stderr } = await fleetctlIn(world, ['submit', 'a'], { isTerminal: true })
  expect(stderr).toBe(
    'Error creating units: failed getting Unit(a.service) from file: unable to find end of section\n' +
      'look at a.service, line 1\n',
  )
})
