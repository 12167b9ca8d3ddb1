import { expect, it } from 'vitest'
import { flags } from './flag-table.ts'
import { type FlagOutcome, readFlags, usage, variableOf } from './flags.ts'

const read = (argv: readonly string[], environment: Record<string, string> = {}): FlagOutcome =>
  readFlags(argv, environment, ['status', 'check'], 'the version\n')

const given = (argv: readonly string[], environment?: Record<string, string>): Record<string, readonly string[]> => {
  const outcome = read(argv, environment)
  if (outcome.kind !== 'run') throw new Error(JSON.stringify(outcome))
  return Object.fromEntries([...outcome.given].map(([name, { texts }]) => [name, texts]))
}

it.each([
  [['-iface=eth1'], { iface: ['eth1'] }],
  [['--iface', 'eth1', '-iface', '10.0.0.1'], { iface: ['eth1', '10.0.0.1'] }],
  [['--ip-masq'], { 'ip-masq': ['true'] }],
  [['-ip-masq=false'], { 'ip-masq': ['false'] }],
  [['--etcd-prefix', 'a', '--etcd-prefix', 'b'], { 'etcd-prefix': ['b'] }],
  [['-v', '2'], { v: ['2'] }],
  [['-v=2'], { v: ['2'] }],
  [['--version=false', '-v=2'], { v: ['2'] }],
])('%j is read as Go reads it', (argv, expected) => expect(given(argv)).toEqual(expected))

it('takes glog flags and says that they do nothing', () => {
  const outcome = read(['-logtostderr', '--vmodule', 'a=1', '-stderrthreshold=INFO'])
  expect(outcome).toMatchObject({ kind: 'run' })
  expect(outcome.kind === 'run' && outcome.warnings).toHaveLength(3)
})

it.each([
  [['--no-such'], 'usage', 'flag provided but not defined: -no-such'],
  [['--iface'], 'usage', 'flag needs an argument: --iface'],
  [['--healthz-port=x'], 'usage', 'flag --healthz-port is "x": expected a whole number'],
  [['--healthz-port=0x10'], 'usage', 'flag --healthz-port is "0x10": expected a whole number'],
  [['--ip-masq', 'false'], 'usage', '"false" is neither a flag nor a command'],
  [['-'], 'usage', 'bad flag syntax: -'],
  [['--', 'x'], 'usage', '"x" is neither a flag nor a command'],
  [['--ip-masq=yes'], 'usage', 'flag --ip-masq is "yes": expected true or false'],
  [['---x'], 'usage', 'bad flag syntax: ---x'],
  [['statsu'], 'usage', '"statsu" is neither a flag nor a command'],
  [['--kube-subnet-mgr'], 'usage', 'flag --kube-subnet-mgr is refused'],
  [['--kube-annotation-of-later'], 'usage', 'flag --kube-annotation-of-later is refused'],
  [['--net-config-path=/x'], 'usage', 'flag --net-config-path is refused'],
  [['--listen=:8888'], 'usage', 'flag --listen is refused'],
])('%j is refused', (argv, kind, message) => expect(read(argv)).toMatchObject({ kind, message }))

it('suggests the nearest flag and the nearest command', () => {
  expect(read(['--etcd-endpoint=x'])).toMatchObject({ remedy: expect.stringContaining('--etcd-endpoints') })
  expect(read(['statsu'])).toMatchObject({ remedy: 'did you mean flanneld status?' })
})

it('hands over to a command behind flags', () => {
  expect(read(['--etcd-prefix', '/x', 'status', '--output', 'json'])).toEqual({ kind: 'command' })
})

it('prefers a flag to its variable, and takes an empty variable for none', () => {
  const environment = { FLANNELD_IFACE: 'eth2', FLANNELD_ETCD_PREFIX: '', FLANNELD_IP_MASQ: 'true', OTHER: 'x' }
  expect(given(['--iface=eth1'], environment)).toEqual({ iface: ['eth1'], 'ip-masq': ['true'] })
})

it('refuses a variable that cannot be right, and names one that is nearly known', () => {
  expect(read([], { FLANNELD_IP_MASQ: 'yes' })).toMatchObject({
    kind: 'refused',
    message: 'variable FLANNELD_IP_MASQ is "yes": expected true or false',
  })
  const outcome = read([], { FLANNELD_IPMASQ: 'true' })
  expect(outcome.kind === 'run' && outcome.warnings).toEqual([
    'variable FLANNELD_IPMASQ is unknown and has no effect; did you mean FLANNELD_IP_MASQ?',
  ])
})

it('prints version and help wherever they stand', () => {
  expect(read(['--iface=eth0', '-version'])).toEqual({ kind: 'print', text: 'the version\n' })
  expect(read(['-h'])).toEqual({ kind: 'print', text: usage })
})

it('helps with every flag', () => {
  for (const name of flags.keys()) expect(usage).toContain(`--${name}`)
  expect(variableOf('etcd-cafile')).toBe('FLANNELD_ETCD_CAFILE')
})
