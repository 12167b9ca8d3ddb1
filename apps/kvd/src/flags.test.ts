import { describe, expect, it } from 'vitest'
import { readFlags, usage } from './flags.ts'

const read = (argv: readonly string[], environment: Record<string, string> = {}) =>
  readFlags(argv, environment, 'the version\n')

const texts = (outcome: ReturnType<typeof read>): Record<string, string> =>
  outcome.kind === 'run' ? Object.fromEntries([...outcome.given].map(([name, { text }]) => [name, text])) : {}

describe('flags', () => {
  it.each([
    [['--name', 'a'], { name: 'a' }],
    [['-name', 'a'], { name: 'a' }],
    [['--name=a=b'], { name: 'a=b' }],
    [['-name='], { name: '' }],
    [['--debug'], { debug: 'true' }],
    [['--debug=F', '-force-new-cluster=1'], { debug: 'F', 'force-new-cluster': '1' }],
    [['--name', '--debug'], { name: '--debug' }],
    [['--name', 'a', '--name', 'b'], { name: 'b' }],
    [
      ['--listen-client-urls', 'http://127.0.0.1:1,https://[::1]:2'],
      { 'listen-client-urls': 'http://127.0.0.1:1,https://[::1]:2' },
    ],
    [
      ['--listen-client-urls', 'http://127.0.0.1:1,unix:///run/kvd.sock'],
      { 'listen-client-urls': 'http://127.0.0.1:1,unix:///run/kvd.sock' },
    ],
    [['--name', 'a', '--'], { name: 'a' }],
  ])('%j gives %j', (argv, expected) => expect(texts(read(argv))).toEqual(expected))

  it.each([
    [['--nam', 'a'], 'flag provided but not defined: -nam'],
    [['--name'], 'flag needs an argument: -name'],
    [['--debug=yes'], 'invalid boolean value "yes" for -debug: parse error'],
    [['--snapshot-count', '-1'], 'invalid value "-1" for flag -snapshot-count: parse error'],
    [['--snapshot-count', '1e3'], 'invalid value "1e3" for flag -snapshot-count: parse error'],
    [
      ['--listen-client-urls', 'ftp://a:1'],
      'invalid value "ftp://a:1" for flag -listen-client-urls: URL scheme must be http or https: ftp://a:1',
    ],
    [
      ['--listen-client-urls', 'http://a'],
      'invalid value "http://a" for flag -listen-client-urls: URL address does not have the form "host:port": http://a',
    ],
    [
      ['--listen-client-urls', 'http://a:1/x'],
      'invalid value "http://a:1/x" for flag -listen-client-urls: URL must not contain a path: http://a:1/x',
    ],
    [['--listen-client-urls', ''], 'invalid value "" for flag -listen-client-urls: parse "": missing protocol scheme'],
    [
      ['--listen-client-urls', 'unix://run/kvd.sock'],
      'invalid value "unix://run/kvd.sock" for flag -listen-client-urls: the path of a unix socket is absolute: unix:///run/NAME.sock: unix://run/kvd.sock',
    ],
    [
      ['--advertise-client-urls', 'unix:///run/kvd.sock'],
      'invalid value "unix:///run/kvd.sock" for flag -advertise-client-urls: URL scheme must be http or https: unix:///run/kvd.sock',
    ],
    [['---x'], 'bad flag syntax: ---x'],
    [['--peers', 'x'], 'flag -peers is of etcd 0.4; use --initial-cluster'],
  ])('%j is wrong usage: %s', (argv, message) => expect(read(argv)).toEqual({ kind: 'usage', message }))

  it.each([[['serve']], [['--name', 'a', 'serve']], [['--', 'serve']]])('%j has a word too many', (argv) =>
    expect(read(argv)).toEqual({
      kind: 'refused',
      message: "error verifying flags, 'serve' is not a valid flag. See 'kvd --help'.",
    }),
  )

  it('prints help and version, whatever else is given before', () => {
    expect(read(['--name', 'a', '--help'])).toEqual({ kind: 'print', text: usage })
    expect(read(['-h'])).toEqual({ kind: 'print', text: usage })
    expect(read(['--version'])).toEqual({ kind: 'print', text: 'the version\n' })
  })

  it('takes a flag of an older release without effect, and says so', () => {
    const outcome = read(['--cluster-active-size', '9', '--vv'])
    expect(texts(outcome)).toEqual({})
    expect(outcome).toMatchObject({
      notes: [
        { level: 'warn', text: 'flag -cluster-active-size is no longer used' },
        { level: 'warn', text: 'flag -vv is no longer used' },
      ],
    })
  })
})

describe('environment', () => {
  it('stands in for flags, which win', () => {
    const outcome = read(['--name', 'flag'], { ETCD_NAME: 'variable', ETCD_DATA_DIR: '/d', ETCD_CORS: '', HOME: '/h' })
    expect(texts(outcome)).toEqual({ name: 'flag', 'data-dir': '/d' })
    expect(outcome).toMatchObject({
      notes: [
        { level: 'info', text: 'recognized and used environment variable ETCD_DATA_DIR=/d' },
        { level: 'warn', text: 'environment variable ETCD_NAME=variable is shadowed by the flag --name' },
      ],
    })
  })

  it('warns of a variable that nobody knows', () =>
    expect(read([], { ETCD_NAMES: 'x' })).toMatchObject({
      notes: [{ level: 'warn', text: 'unrecognized environment variable ETCD_NAMES=x' }],
    }))

  it('is refused with the name of the variable', () =>
    expect(read([], { ETCD_SNAPSHOT_COUNT: 'many' })).toEqual({
      kind: 'refused',
      message: 'invalid value "many" for ETCD_SNAPSHOT_COUNT: parse error',
    }))
})
