/** In which order and under which name a unit's files speak, and what a unit is called that does not say it. */
import { assert, describe, expect, test } from 'vitest'
import { createUnitTree, type LoadedUnit, loadUnit, type UnitTreeEntry } from '../src/index.ts'
import { machine } from './machine.ts'

function load(name: string, entries: readonly UnitTreeEntry[]): LoadedUnit {
  const loaded = loadUnit(createUnitTree(entries), name, { context: machine })
  assert(loaded.ok)
  return loaded.value
}

const vendor = '/usr/lib/systemd/system'
const etc = '/etc/systemd/system'
const service = '[Service]\nExecStart=/bin/true\n'

describe('messages', () => {
  test('come from the main file, then links, then drop-ins, then the verdict', () => {
    const { messages } = load('a.service', [
      { path: `${vendor}/a.service`, content: '[Unit]\nOne=1\n' },
      { path: `${etc}/a.service.requires/b`, link: '../b' },
      { path: `${etc}/a.service.wants/c`, link: '../c' },
      { path: `${etc}/a.service.d/x.conf`, content: '[Unit]\nTwo=2\n' },
    ])
    expect(messages.map(({ text }) => text)).toEqual([
      "Unknown key 'One' in section [Unit], ignoring.",
      `a.service: Wants dependency dropin ${etc}/a.service.wants/c is not a valid unit name, ignoring.`,
      `a.service: Requires dependency dropin ${etc}/a.service.requires/b is not a valid unit name, ignoring.`,
      "Unknown key 'Two' in section [Unit], ignoring.",
      'a.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.',
    ])
  })

  test('about dependencies on the unit itself use the name that it has at that point', () => {
    const { messages, id, evaluation } = load('z.service', [
      { path: `${vendor}/a.service`, content: `[Unit]\nAfter=a.service z.service b.service\n${service}` },
      { path: `${vendor}/z.service`, link: 'a.service' },
      { path: `${etc}/a.service.d/x.conf`, content: '[Unit]\nAfter=z.service\nWants=z.service\n' },
    ])
    expect(id).toBe('a.service')
    expect(evaluation?.dependencies.get('After')).toEqual(['b.service'])
    expect(messages.map(({ text }) => text)).toEqual([
      'z.service: Dependency After=z.service is dropped.',
      'z.service: Dependency After=a.service is dropped, as a.service is merged into z.service.',
      'z.service: Dependency Before=z.service in a.service is dropped, as a.service is merged into z.service.',
      'a.service: Dependency After=a.service is dropped.',
    ])
  })
})

describe('names', () => {
  test('an instance that is an alias keeps its name where the template is masked', () => {
    const unit = load('z@1.service', [
      { path: `${etc}/a@.service`, link: '/dev/null' },
      { path: `${vendor}/z@.service`, link: 'a@.service' },
    ])
    expect(unit).toMatchObject({ loadState: 'masked', id: 'z@1.service', names: ['a@1.service', 'z@1.service'] })
  })

  test('links of a unit to itself say nothing', () => {
    const unit = load('a.service', [
      { path: `${vendor}/a.service`, content: service },
      { path: `${etc}/a.service.wants/a.service`, link: '../a.service' },
      { path: `${etc}/a.service.requires/a.service`, link: '../a.service' },
    ])
    expect(unit).toMatchObject({ wants: [], requires: [], messages: [] })
  })
})

describe('descriptions', () => {
  test.each([
    ['a-b.slice', '', 'Slice /a/b'],
    ['-.slice', '', 'Root Slice'],
    ['system.slice', '', 'System Slice'],
    ['a-b.mount', '[Mount]\nWhat=x\n', '/a/b'],
    ['dev-x.swap', '[Swap]\nWhat=//dev/x/\n', '/dev/x'],
    ['dev-x.swap', '[Broken\n', '/dev/x'],
    ['a-b.automount', '', undefined],
  ])('%s says of itself %j: %s', (name, text, expected) => {
    expect(load(name, [{ path: `${etc}/${name}`, content: `\n${text}` }]).evaluation?.description).toBe(expected)
  })
})

test.each(['a--b.mount', '-a.automount', 'a-.swap'])('%s stands for no path and is an error', (name) => {
  const unit = load(name, [{ path: `${etc}/${name}`, content: '[Mount]\nWhat=x\n' }])
  expect(unit.loadState).toBe('error')
})

test('targets have a section of their own, without keys', () => {
  const { messages } = load('a.target', [{ path: `${etc}/a.target`, content: '[Target]\nX=1\n' }])
  expect(messages.map(({ text }) => text)).toEqual(["Unknown key 'X' in section [Target], ignoring."])
})

test('%y is the path of the file itself, behind all links', () => {
  const unit = load('a.service', [
    { path: `${etc}/a.service`, link: '/opt/a.service' },
    { path: '/opt/a.service', content: `[Unit]\nDescription=%y %Y\n${service}` },
  ])
  expect(unit.evaluation?.description).toBe('/opt/a.service /opt')
})
