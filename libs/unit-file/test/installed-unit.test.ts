/** Units in trees of files: loading, drop-ins, enable and its like. The recorded cases run in tools/vectors. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createUnitTree,
  enableUnits,
  type LoadedUnit,
  linkUnits,
  loadUnit,
  maskUnits,
  type UnitTreeEntry,
  unitFileStates,
} from '../src/index.ts'
import { machine } from './machine.ts'

const context = { ...machine, hostName: 'node1.example.org', osRelease: {} }
const options = { context }
const etc = '/etc/systemd/system'
const usr = '/usr/lib/systemd/system'
const service = (description: string, install = ''): string =>
  `[Unit]\nDescription=${description}\n[Service]\nExecStart=/bin/true\n${install}`

function load(name: string, ...entries: readonly UnitTreeEntry[]): LoadedUnit {
  const loaded = loadUnit(createUnitTree(entries), name, options)
  if (!loaded.ok) throw new Error(loaded.error.message)
  return loaded.value
}

describe('loadUnit', () => {
  it('expands the main file for the name that was asked for, drop-ins for the main name', () => {
    const unit = load(
      'b.service',
      { path: `${usr}/a.service`, content: service('%n') },
      { path: `${usr}/b.service`, link: 'a.service' },
      { path: `${etc}/a.service.d/x.conf`, content: '[Unit]\nDocumentation=man:%N(1)\n' },
    )
    expect(unit).toMatchObject({ id: 'a.service', names: ['a.service', 'b.service'] })
    expect(unit.evaluation).toMatchObject({ description: 'b.service', documentation: ['man:a(1)'] })
  })

  it('does not look at drop-ins or other names when the main file is broken', () => {
    const unit = load(
      'b.service',
      { path: `${usr}/a.service`, content: '[Unit\n' },
      { path: `${usr}/b.service`, link: 'a.service' },
      { path: `${etc}/a.service.d/x.conf`, content: '[Unit]\nDescription=x\n' },
    )
    expect(unit).toMatchObject({ loadState: 'error', id: 'b.service', names: ['b.service'], dropIns: [] })
  })

  it('says that a linked file is gone', () => {
    expect(load('a.service', { path: `${etc}/a.service`, link: '/opt/a.service' })).toMatchObject({
      loadState: 'not-found',
      messages: [{ text: `a.service: Failed to open ${etc}/a.service: No such file or directory` }],
    })
  })

  it('names dependencies by the main names of units', () => {
    const unit = load(
      'a.service',
      { path: `${usr}/a.service`, content: '[Unit]\nWants=alias.service\n[Service]\nExecStart=/bin/true\n' },
      { path: `${usr}/real.service`, content: service('r') },
      { path: `${usr}/alias.service`, link: 'real.service' },
      { path: `${etc}/a.service.wants/alias.service`, link: '../alias.service' },
    )
    expect(unit.wants).toEqual(['real.service'])
  })

  it('keeps an instance with a file of its own apart from an alias of its template', () => {
    const entries = [
      { path: `${usr}/t@.service`, content: service('template') },
      { path: `${usr}/d@.service`, link: 't@.service' },
      { path: `${usr}/d@1.service`, content: service('own') },
    ]
    expect(load('t@1.service', ...entries).names).toEqual(['t@1.service'])
    expect(load('t@2.service', ...entries).names).toEqual(['d@2.service', 't@2.service'])
    expect(load('d@1.service', ...entries)).toMatchObject({ id: 'd@1.service', fragment: `${usr}/d@1.service` })
  })

  it.each([
    ['a@.service', 'template'],
    ['a@b.mount', 'no-instances-of-type'],
    ['a b', 'no-type'],
  ])('refuses %s: %s', (name, kind) => {
    expect(loadUnit(createUnitTree([]), name, options)).toMatchObject({ ok: false, error: { kind } })
  })
})

describe('enableUnits', () => {
  const enable = (name: string, ...entries: readonly UnitTreeEntry[]) =>
    enableUnits(createUnitTree(entries), [name], options)

  it('makes nothing that is there already', () => {
    const unit = { path: `${usr}/a.service`, content: service('a', '[Install]\nWantedBy=x.target\nAlias=b.service\n') }
    const first = enable('a', unit)
    expect(first.links).toHaveLength(2)
    const again = enable('a', unit, ...first.links.map(({ path, to }) => ({ path, link: to })))
    expect(again).toMatchObject({ exit: 0, links: [], messages: [] })
  })

  it('leaves a foreign alias alone, also one that leads nowhere', () => {
    const unit = { path: `${usr}/a.service`, content: service('a', '[Install]\nAlias=b.service\n') }
    const other = { path: `${usr}/c.service`, content: service('c') }
    expect(enable('a', unit, other, { path: `${etc}/b.service`, link: `${usr}/c.service` })).toMatchObject({
      exit: 1,
      links: [],
      messages: [`Failed to enable unit: File ${etc}/b.service already exists and is a symlink to ${usr}/c.service.`],
    })
    expect(enable('a', unit, { path: `${etc}/b.service`, link: '/gone' })).toMatchObject({ exit: 1, links: [] })
    const sameName = { path: `${etc}/b.service`, link: '/usr/local/lib/systemd/system/a.service' }
    expect(enable('a', unit, sameName)).toMatchObject({ exit: 0, links: [] })
  })

  it('names units that links lead to though they do not exist', () => {
    const unit = { path: `${usr}/a.service`, content: service('a', '[Install]\nWantedBy=x.target\n') }
    expect(enable('a', unit).absentUnits).toEqual(['x.target'])
  })

  it('ends where Also= goes round in circles', () => {
    const also = (name: string, other: string): UnitTreeEntry => ({
      path: `${usr}/${name}.service`,
      content: service(name, `[Install]\nAlso=${other}.service\nWantedBy=x.target\n`),
    })
    expect(enable('a', also('a', 'b'), also('b', 'a')).links).toHaveLength(2)
  })

  it('leaves generated units to their generator', () => {
    const path = '/run/systemd/generator/a.service'
    expect(enable('a', { path, content: service('a') })).toMatchObject({
      exit: 1,
      messages: [`Failed to enable unit: Unit ${path} is transient or generated.`],
    })
  })
})

describe('linkUnits and maskUnits', () => {
  it('refuse to stand in the place of a file', () => {
    const tree = createUnitTree([
      { path: '/opt/a.service', content: service('a') },
      { path: `${etc}/a.service`, content: service('mine') },
    ])
    const messages = (verb: string): readonly string[] => [
      `Failed to ${verb} unit: File ${etc}/a.service already exists.`,
    ]
    expect(linkUnits(tree, ['/opt/a.service'], options)).toMatchObject({ exit: 1, messages: messages('link') })
    expect(maskUnits(tree, ['a'], options)).toMatchObject({ exit: 1, messages: messages('mask') })
  })

  it('mask what does not exist, with a remark', () => {
    expect(maskUnits(createUnitTree([]), ['a'], { context, lifetime: 'runtime' })).toMatchObject({
      exit: 0,
      links: [{ path: '/run/systemd/system/a.service', to: '/dev/null' }],
      messages: ['Unit a.service does not exist, proceeding anyway.'],
    })
  })
})

describe('unitFileStates', () => {
  const unit = { path: `${usr}/a.service`, content: service('a', '[Install]\nWantedBy=x.target\nAlias=b.service\n') }
  const target = `${usr}/a.service`

  it.each([
    ['nothing', [], 'disabled'],
    ['a wants link', [{ path: `${etc}/x.target.wants/a.service`, link: target }], 'enabled'],
    ['its alias', [{ path: `${etc}/b.service`, link: target }], 'enabled'],
    ['an alias of another name', [{ path: `${etc}/z.service`, link: target }], 'indirect'],
    ['a runtime link', [{ path: '/run/systemd/system/x.target.wants/a.service', link: target }], 'enabled-runtime'],
    ['a mask', [{ path: `${etc}/a.service`, link: '/dev/null' }], 'masked'],
    [
      'a file of a generator above it',
      [{ path: '/run/systemd/generator/a.service', content: service('g') }],
      'generated',
    ],
    ['a transient file above it', [{ path: '/run/systemd/transient/a.service', content: service('t') }], 'transient'],
  ] as const)('with %s the unit is %s', (_, entries, state) => {
    expect(unitFileStates(createUnitTree([unit, ...entries]), ['a'], options).states).toEqual([state])
  })

  it('tells linked units and aliases apart', () => {
    const tree = createUnitTree([
      unit,
      { path: `${etc}/b.service`, link: target },
      { path: '/opt/l.service', content: service('l') },
      { path: `${etc}/l.service`, link: '/opt/l.service' },
    ])
    expect(unitFileStates(tree, ['b', 'l'], options)).toEqual({ exit: 0, states: ['alias', 'linked'], messages: [] })
    expect(unitFileStates(tree, ['l', 'none'], options)).toMatchObject({ exit: 1, states: ['linked'] })
  })
})

it('no tree makes anything throw', () => {
  const name = fc.constantFrom(
    'a.service',
    'a@.service',
    'a@1.service',
    'b.service',
    'a-b.service',
    'x.target',
    'bad name',
  )
  const directory = fc.constantFrom(
    etc,
    usr,
    '/run/systemd/system',
    `${etc}/a.service.d`,
    `${etc}/a.service.wants`,
    '/opt',
  )
  const path = fc.oneof(
    fc.tuple(directory, name).map(([folder, file]) => `${folder}/${file}`),
    directory.map((folder) => `${folder}/x.conf`),
  )
  const content = fc.constantFrom(
    '',
    '[Install]\nWantedBy=x.target\nAlso=b.service\nAlias=b.service\n',
    service('%i'),
    '[',
  )
  const entry: fc.Arbitrary<UnitTreeEntry> = fc.oneof(
    fc.record({ path, content }),
    fc.record({ path, link: fc.oneof(path, name, fc.constant('/dev/null')) }),
  )
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), name, (entries, unit) => {
      const tree = createUnitTree(entries)
      loadUnit(tree, unit, options)
      enableUnits(tree, [unit], options)
      maskUnits(tree, [unit], options)
      linkUnits(tree, [`/opt/${unit}`], options)
      unitFileStates(tree, [unit], options)
    }),
    { numRuns: 500 },
  )
})
