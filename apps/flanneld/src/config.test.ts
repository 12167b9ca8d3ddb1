import { expect, it } from 'vitest'
import { configOf, type FlanneldConfig } from './config.ts'
import { readFlags } from './flags.ts'

function read(argv: readonly string[], environment: Record<string, string> = {}): ReturnType<typeof configOf> {
  const outcome = readFlags(argv, environment, [], '')
  if (outcome.kind !== 'run') throw new Error(JSON.stringify(outcome))
  return configOf(outcome.given)
}

function config(argv: readonly string[], environment?: Record<string, string>): FlanneldConfig {
  const outcome = read(argv, environment)
  if (!outcome.ok) throw new Error(outcome.error.message)
  return outcome.value
}

it("has flannel's defaults", () => {
  expect(config([])).toMatchObject({
    store: {
      endpoints: ['http://127.0.0.1:4001', 'http://127.0.0.1:2379'],
      prefix: '/coreos.com/network',
      username: undefined,
    },
    networks: [{ subnetFile: '/run/flannel/subnet.env' }],
    isMasquerading: false,
    isForwarding: true,
    filter: 'auto',
    filterResyncMs: 5000,
    renewMarginSeconds: 3600,
    health: undefined,
    warnings: [],
  })
})

it('takes an empty interface for none, as a unit has it whose variable is not set', () => {
  const { external } = config(['--iface=', '--iface-regex=', '--iface=eth1'])
  expect([external.names, external.patterns]).toEqual([['eth1'], []])
})

it('joins the prefix as a path', () => {
  expect(config(['--etcd-prefix=//a/b//']).store.prefix).toBe('/a/b')
})

it('has a file for each network', () => {
  expect(config(['--networks=blue,green', '--subnet-dir=/run/nets/']).networks).toEqual([
    { name: 'blue', subnetFile: '/run/nets/blue.env' },
    { name: 'green', subnetFile: '/run/nets/green.env' },
  ])
})

it('shows no password', () => {
  const { store, warnings } = config(['--etcd-username=u'], { FLANNELD_ETCD_PASSWORD: 'hush' })
  expect([String(store.password), JSON.stringify(store), warnings]).toEqual([
    '[secret]',
    expect.not.stringContaining('hush'),
    [],
  ])
  expect(config(['--etcd-username=u', '--etcd-password=hush']).warnings).toEqual([
    expect.stringContaining('list of processes'),
  ])
})

it.each([
  [['--subnet-lease-renew-margin=0'], 'Invalid subnet-lease-renew-margin option, out of acceptable range'],
  [['--subnet-lease-renew-margin=1440'], 'Invalid subnet-lease-renew-margin option, out of acceptable range'],
  [['--public-ip=10.0.0.256'], 'invalid public IP address: 10.0.0.256'],
  [['--healthz-port=65536'], '--healthz-port is 65536'],
  [['--healthz-port=-1'], '--healthz-port is -1'],
  [['--etcd-endpoints='], '--etcd-endpoints: "" is no endpoint'],
  [['--filter=pf'], '--filter is "pf"'],
  [['--lease-lost=pray'], '--lease-lost is "pray"'],
  [['--networks=a,a'], '--networks names a twice'],
  [['--networks=../x'], '--networks: "../x" is no name of a network'],
  [['--etcd-endpoints=10.0.0.1:2379'], '--etcd-endpoints: "10.0.0.1:2379" is no endpoint'],
  [['--etcd-endpoints=http://a:1, http://b:1'], '--etcd-endpoints: " http://b:1" is no endpoint'],
  [['--etcd-password=x'], 'a password of the store without a user'],
  [
    ['--etcd-username=u', '--etcd-password=x', '--etcd-password-file=/y'],
    '--etcd-password and --etcd-password-file exclude each other',
  ],
])('%j cannot be', (argv, message) => {
  const outcome = read(argv)
  expect(outcome.ok ? undefined : outcome.error.message).toBe(message)
})

it('names the variable that is wrong', () => {
  const outcome = read([], { FLANNELD_HEALTHZ_PORT: '70000' })
  expect(outcome.ok ? undefined : outcome.error.message).toBe('FLANNELD_HEALTHZ_PORT is 70000')
})

it.each([
  [['--etcd-cafile=/ca.pem'], 'https:'],
  [['--networks=a', '--subnet-file=/x'], '--subnet-dir'],
  [['--public-ip=10.0.0.1'], 'peers will send to 10.0.0.1'],
])('%j is odd', (argv, part) => expect(config(argv).warnings).toEqual([expect.stringContaining(part)]))
