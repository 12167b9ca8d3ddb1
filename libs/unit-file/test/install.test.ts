/** What systemctl does and says where [Install], links and names are not as they should be: recorded on systemd 252. */
import { describe, expect, test } from 'vitest'
import { createUnitTree, enableUnits, linkUnits, maskUnits, type UnitTreeEntry, unitFileStates } from '../src/index.ts'
import { machine } from './machine.ts'

const usr = '/usr/lib/systemd/system'
const etc = '/etc/systemd/system'
const options = { context: machine }
const file = (path: string, install: string): UnitTreeEntry => ({ path, content: `[Install]\n${install}\n` })
const enable = (name: string, ...entries: readonly UnitTreeEntry[]) =>
  enableUnits(createUnitTree(entries), [name], options)
const states = (names: readonly string[], ...entries: readonly UnitTreeEntry[]) =>
  unitFileStates(createUnitTree(entries), names, options)

describe('what cannot be read', () => {
  test.each([
    ['Also=foo', 'File a.service: Invalid argument'],
    ['Also=b%z.service', 'Invalid specifier in a.service.'],
    ['Also=/x/b.service', 'File a.service: Invalid argument'],
    ['WantedBy=x.target\n[Broken', 'File a.service: Bad message'],
    ['WantedBy=\udcff', 'File a.service: Invalid argument'],
  ])('%j ends it', (install, reason) => {
    expect(enable('a', file(`${usr}/a.service`, install))).toMatchObject({
      exit: 1,
      links: [],
      messages: [`Failed to enable unit: ${reason}`],
    })
  })

  test.each([
    ['DefaultInstance=a b', 'File t@.service: Invalid argument'],
    ['DefaultInstance=%z', 'Invalid specifier in t@.service.'],
  ])('%j ends it for a template', (install, reason) => {
    expect(enable('t@', file(`${usr}/t@.service`, install)).messages).toEqual([`Failed to enable unit: ${reason}`])
  })

  test('a drop-in that leads nowhere ends it too', () => {
    const dropIn = { path: `${etc}/a.service.d/x.conf`, link: '/nowhere' }
    expect(enable('a', file(`${usr}/a.service`, 'WantedBy=x.target'), dropIn).messages).toEqual([
      'Failed to enable unit: Unit file a.service does not exist.',
    ])
  })

  test('words before an open quote count', () => {
    const { links } = enable('a', file(`${usr}/a.service`, 'WantedBy=x.target "y.target'))
    expect(links.map(({ path }) => path)).toEqual([`${etc}/x.target.wants/a.service`])
  })
})

describe('what went well hides what went wrong later', () => {
  test('an alias hides a bad WantedBy=', () => {
    expect(enable('a', file(`${usr}/a.service`, 'Alias=b.service\nWantedBy=foo'))).toMatchObject({
      exit: 0,
      links: [{ path: `${etc}/b.service` }],
      messages: [],
    })
  })

  test('a bad alias hides nothing', () => {
    expect(enable('a', file(`${usr}/a.service`, 'Alias=b.socket\nWantedBy=x.target'))).toMatchObject({
      exit: 1,
      links: [{ path: `${etc}/x.target.wants/a.service` }],
      messages: ['Failed to enable unit: Cannot alias a.service as b.socket.'],
    })
  })
})

describe('links', () => {
  test('an alias in the directory for configuration cannot be enabled by its name', () => {
    const unit = file(`${usr}/a.service`, 'WantedBy=x.target')
    expect(enable('b', unit, { path: `${etc}/b.service`, link: `${usr}/a.service` })).toMatchObject({
      exit: 1,
      messages: ['Failed to enable unit: Refusing to operate on alias name or linked unit file: b.service'],
    })
  })

  test('systemctl itself says that a link is no alias of a service', () => {
    expect(enable('a', { path: `${etc}/a.service`, link: `${usr}/t@.service` })).toMatchObject({
      exit: 1,
      messages: [
        'a.service: symlink target name type "t@.service" does not match source, rejecting.',
        'Failed to look up unit file state: Invalid cross-device link',
      ],
    })
  })

  test('a masked unit named by Also= is passed over by its path', () => {
    const masked = { path: `${etc}/b.service`, link: '/dev/null' }
    expect(enable('a', file(`${usr}/a.service`, 'Also=b.service'), masked)).toMatchObject({
      exit: 0,
      messages: [`Unit ${etc}/b.service is masked, ignoring.`],
    })
  })

  test('a dependency of another target is replaced', () => {
    const other = { path: `${etc}/x.target.wants/a.service`, link: '/opt/a.service' }
    expect(enable('a', file(`${usr}/a.service`, 'WantedBy=x.target'), other)).toMatchObject({
      links: [{ path: `${etc}/x.target.wants/a.service`, to: `${usr}/a.service` }],
      messages: [`Removed "${etc}/x.target.wants/a.service".`],
    })
  })

  test.each([
    ['/opt/ln.service', 'Refusing to operate on alias name or linked unit file: /opt/ln.service'],
    ['/opt/dir.service', 'File /opt/dir.service: Is a directory'],
    ['/opt/a.txt', '"/opt/a.txt" is not a valid unit name.'],
    [
      `${etc}/x.target.wants/a.service`,
      `File ${etc}/x.target.wants/a.service is under the systemd unit hierarchy already.`,
    ],
  ])('link %s: %s', (path, reason) => {
    const tree = createUnitTree([
      { path: '/opt/ln.service', link: 'a.service' },
      { path: '/opt/dir.service/x', content: '' },
      { path: '/opt/a.txt', content: '' },
      file(`${etc}/x.target.wants/a.service`, ''),
    ])
    expect(linkUnits(tree, [path], options).messages).toEqual([`Failed to link unit: ${reason}`])
  })

  test('link takes paths only', () => {
    expect(linkUnits(createUnitTree([]), ['a.service'], options).messages).toEqual([
      'Link argument must contain at least one directory separator.',
      'If you intended to link a file in the current directory, try ./a.service instead.',
    ])
  })
})

describe('names', () => {
  test('what is changed is said', () => {
    expect(enable('a b').messages).toEqual([
      'Invalid unit name "a b" escaped as "a\\x20b" (maybe you should use systemd-escape?).',
      'Failed to enable unit: Unit file a\\x20b.service does not exist.',
    ])
    expect(enable('*.service').messages.slice(0, 2)).toEqual([
      'Glob pattern passed to enable, but globs are not supported for this.',
      'Invalid unit name "*.service" escaped as "\\x2a.service".',
    ])
    expect(enable('@x').messages).toEqual(["Failed to mangle unit name or path '@x': Invalid argument"])
  })

  test('mask asks the manager for the unit first', () => {
    const mask = (name: string) => maskUnits(createUnitTree([]), [name], options).messages
    expect(mask('a@b.mount')).toEqual([
      "Failed to get properties: Unknown object '/org/freedesktop/systemd1/unit/a_40b_2emount'.",
    ])
    expect(mask('/x/a.service')).toEqual([
      'Failed to get properties: Unit name /x/a.service is neither a valid invocation ID nor unit name.',
    ])
    expect(mask('a.slice')).toEqual([])
  })
})

describe('states', () => {
  test('a template is in use where an instance of it is', () => {
    const template = file(`${usr}/t@.service`, 'WantedBy=x.target\nDefaultInstance=one')
    const wants = (instance: string) => ({
      path: `${etc}/x.target.wants/t@${instance}.service`,
      link: `${usr}/t@.service`,
    })
    expect(states(['t@'], template, wants('one')).states).toEqual(['enabled'])
    expect(states(['t@'], template, wants('two')).states).toEqual(['indirect'])
    expect(states(['t@'], template).states).toEqual(['disabled'])
  })

  test.each([
    [{ path: `${usr}/a.service`, link: 'b.service' }, 'Link has been severed'],
    [{ path: `${usr}/a.service/x`, content: '' }, 'Is a directory'],
  ])('%j has none', (entry, reason) => {
    expect(states(['a'], entry)).toEqual({
      exit: 1,
      states: [],
      messages: [`Failed to look up unit file state: ${reason}`],
    })
  })
})
