import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateUnit, readAsSystemd, type UnitEvaluation } from '../src/index.ts'
import { machine } from './machine.ts'

const service = '[Service]\nExecStart=/bin/true\n'
const read = (text: string, unitName = 'a.service'): UnitEvaluation =>
  readAsSystemd(text, { unitName, specifiers: machine })
const said = (text: string, unitName?: string): readonly string[] =>
  read(text, unitName).messages.map(({ priority, line, text: message }) => `${priority} ${line ?? '-'} ${message}`)

describe('systemd reading', () => {
  it.each([
    ['an empty file is masked', '', 'masked', 'Unit a.service is masked.'],
    ['a newline is an empty unit', '\n', 'bad-setting', 'Unit a.service has a bad unit file setting.'],
    ['a header with text behind it stops', `[Unit] # c\n${service}`, 'error', 'Bad message'],
    ['a byte that is not UTF-8 stops', `[Unit]\nDescription=\udcff\n${service}`, 'error', 'Invalid argument'],
    ['a mebibyte without end stops', `[Unit]\n#${'x'.repeat(1_048_576)}\n`, 'error', 'No buffer space available'],
    ['a bad user refuses', `${service}User=a/b\n`, 'bad-setting', 'Unit a.service has a bad unit file setting.'],
  ])('%s', (_rule, text, loadState, loadError) => expect(read(text)).toMatchObject({ loadState, loadError }))

  it('says what it skips, by the last line of an assignment', () => {
    const text = `x=1\n[Unit]\nFoo=1\nX-Foo=1\nno equals\n=v\nBar=a \\\n b\n[Socket]\nA=1\n[X-Mine]\njunk\n${service}`
    expect(said(text)).toEqual([
      'warning 1 Assignment outside of section. Ignoring.',
      "warning 3 Unknown key 'Foo' in section [Unit], ignoring.",
      "warning 5 Missing '=', ignoring line.",
      "warning 6 Missing key name before '=', ignoring line.",
      "warning 8 Unknown key 'Bar' in section [Unit], ignoring.",
      "warning 9 Unknown section 'Socket'. Ignoring.",
    ])
  })

  it('resets all conditions with one, and no dependency', () => {
    const unit = read(`[Unit]\nConditionHost=a\nConditionPathExists=|!/x\nConditionHost=\nConditionUser=!0\nAssertHost=b
Wants=b.service\nWants=\nWants=c.service t@.service\n${service}`)
    expect(unit.conditions).toEqual([{ name: 'ConditionUser', trigger: false, negate: true, parameter: '0' }])
    expect(unit.asserts).toHaveLength(1)
    expect(unit.dependencies.get('Wants')).toEqual(['b.service', 'c.service', 't@a.service'])
  })

  it('replaces variables in place and expands specifiers', () => {
    const unit = read(`${service}Environment=A=1 "B=x y"\nEnvironment=A=%i\nEnvironmentFile=-/etc/%p\n`, 'w@7.service')
    expect(unit.environment).toEqual(['A=7', 'B=x y'])
    expect(unit.environmentFiles).toEqual([{ path: '/etc/w', optional: true }])
  })

  it('puts drop-ins on top, each from outside of a section, errors ending only their own', () => {
    const unit = evaluateUnit({
      unitName: 'a.service',
      main: { path: '/a.service', text: `[Unit]\nDescription=main\n${service}` },
      dropIns: [
        { path: '/1.conf', text: '[Unit]\nDescription=one\n[Service\nExecStart=/bin/false\n' },
        { path: '/2.conf', text: 'Description=two\n' },
        { path: '/3.conf', text: '[Service]\nExecStart=\nExecStart=/bin/three\n' },
      ],
      specifiers: machine,
    })
    expect(unit).toMatchObject({ loadState: 'loaded', description: 'one' })
    expect(unit.commands.get('ExecStart')?.map(({ path }) => path)).toEqual(['/bin/three'])
    expect(unit.messages.map(({ file, line, priority }) => [file, line, priority])).toEqual([
      ['/1.conf', 3, 'error'],
      ['/2.conf', 1, 'warning'],
    ])
  })

  it.each([
    ['a.service', `${service}ExecStart=/bin/b\n`, 'Service has more than one ExecStart='],
    ['a.service', '[Service]\nType=oneshot\nRestart=always\nExecStart=/bin/a\n', 'Service has Restart= set to either'],
    ['a.service', '[Service]\nType=dbus\nExecStart=/bin/a\n', 'Service is of type D-Bus but'],
    ['a.service', '[Service]\nExecStop=/bin/a\nType=simple\n', 'Service has no ExecStart= setting'],
    ['a.socket', '[Socket]\nListenStream=/x\nListenFIFO=\n', 'Unit has no Listen setting'],
    ['a.timer', '[Timer]\nOnBootSec=1\nOnCalendar=\n', 'Timer unit lacks value setting.'],
    ['a.path', '[Path]\n', 'Path unit lacks path setting.'],
    ['srv-x.mount', '[Mount]\nWhat=/dev/x\nWhere=/srv/y\n', "Where= setting doesn't match unit name."],
    ['srv-x.mount', '[Mount]\nWhere=/srv/x\n', 'What= setting is missing.'],
    ['srv-x.automount', '[Automount]\nWhere=/srv\n', "Where= setting doesn't match unit name."],
    ['dev-x.swap', '[Swap]\nWhat=/dev/y\n', 'Value of What= and unit name do not match'],
  ])('refuses %s: %s', (unitName, text, begins) => {
    const unit = read(text, unitName)
    expect(unit.loadState).toBe('bad-setting')
    expect(unit.messages.at(-1)?.text.startsWith(begins)).toBe(true)
  })

  it('never throws', () => {
    const pieces = fc.constantFrom(
      '[Unit]',
      '[Service]',
      '\n',
      '\0',
      'ExecStart=',
      'Environment=',
      'Wants=',
      'User=',
      '%',
      '"',
      '\\',
      '/bin/a',
      ' ',
      'LimitNOFILE=1:',
      'AllowedCPUs=',
      'x',
      '-',
      '\udcff',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => void read(parts.join(''))),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(
        fc.uint8Array(),
        (bytes) => void readAsSystemd(bytes, { unitName: 'a.service', specifiers: machine }),
      ),
    )
  })
})
