import { readConfig } from '@cluster/daemon'
import { defaultBrakePolicy } from '@cluster/scheduler'
import { describe, expect, it } from 'vitest'
import { brakeOf, checkConfig, declaration, type FleetdConfig, idleOptions } from './config.ts'

const read = async (argv: readonly string[], environment: Record<string, string> = {}): Promise<FleetdConfig> => {
  // A file that is not there, so that the machine's own configuration plays no part.
  const outcome = await readConfig({ ...declaration, defaultFile: '/nonexistent/fleet.conf' }, { argv, environment })
  if (outcome.kind === 'run') return outcome.values
  throw new Error('prints')
}

const check = async (argv: readonly string[], environment: Record<string, string> = {}): Promise<void> => {
  const outcome = await readConfig({ ...declaration, defaultFile: '/nonexistent/fleet.conf' }, { argv, environment })
  if (outcome.kind === 'run') checkConfig(outcome)
}

describe('the configuration', () => {
  it('has fleet 1.0 defaults, but a shorter TTL', async () => {
    const config = await read([])
    expect(config).toMatchObject({
      etcdServers: ['http://127.0.0.1:2379', 'http://127.0.0.1:4001'],
      etcdKeyPrefix: '/_coreos.com/fleet/',
      etcdRequestTimeout: 1,
      engineReconcileInterval: 2,
      agentTtl: 6000,
      tokenLimit: 100,
      unitsDirectory: '/run/fleet/units/',
      drainOnStop: false,
      insecureAllowNetwork: false,
      listen: [],
    })
  })

  it('has the brake of the planner, with another share or window, or none', async () => {
    expect(brakeOf(await read([]))).toEqual(defaultBrakePolicy)
    expect(brakeOf(await read(['--brake-share=0.5', '--brake-window=5m']))).toEqual({
      movedShareMax: 0.5,
      windowMs: 300_000,
      freeLosses: 1,
    })
    expect(brakeOf(await read([], { FLEET_BRAKE: 'false' }))).toBe('off')
    await expect(read(['--brake-share=1.5'])).rejects.toMatchObject({ code: 'daemon/bad-config' })
  })

  it('takes every key by its old name', async () => {
    const config = await read([], {
      FLEET_ETCD_SERVERS: '["http://a:2379", "http://b:2379"]',
      FLEET_METADATA: 'az=a, disk=ssd',
      FLEET_AGENT_TTL: '1m30s',
      FLEET_DISABLE_ENGINE: 'T',
      FLEET_PUBLIC_IP: '10.0.0.1',
    })
    expect(config.etcdServers).toEqual(['http://a:2379', 'http://b:2379'])
    expect([...config.metadata]).toEqual([
      ['az', 'a'],
      ['disk', 'ssd'],
    ])
    expect(config).toMatchObject({ agentTtl: 90_000, disableEngine: true, publicIp: '10.0.0.1' })
  })

  it.each([
    [['--agent-ttl=30'], 'agent_ttl'],
    [['--agent-ttl=1500ms'], 'whole seconds'],
    [['--token-limit=0'], '1 to 65535'],
    [['--etcd-servers='], 'at least one endpoint'],
    [['--engine-reconcile-interval=x'], 'expected a number'],
    [['--unit-manager=docker'], 'expected one of systemd, process'],
    [['--process-dir=units'], 'expected an absolute path'],
    [['--machine-id=12'], '32 lower-case hex digits'],
    [['--host-name=a b'], 'letters, digits, dots and dashes'],
  ])('%j is refused with its place: %s', async (argv, words) => {
    await expect(read(argv)).rejects.toThrow(words)
  })

  it('says what is given and does nothing', async () => {
    expect(idleOptions(await read([]))).toEqual([])
    expect(idleOptions(await read(['--enable-grpc', '--verify-units']))).toHaveLength(2)
  })

  it('has units run by systemd and the store elsewhere, unless told otherwise', async () => {
    const config = await read([])
    expect(config).toMatchObject({ unitManager: 'systemd', processDir: '/run/fleet/process', storeDir: '' })
    const other = await read(['--unit-manager=process', '--process-environment=A=1,B=http://x:1/y'])
    expect([...other.processEnvironment]).toEqual([
      ['A', '1'],
      ['B', 'http://x:1/y'],
    ])
    expect(idleOptions(other)).toEqual([])
  })

  it('keeps one store, here or elsewhere', async () => {
    await check(['--store-dir=/tmp/store', '--store-listen=127.0.0.1:2379'])
    await expect(check(['--store-dir=/s'], { FLEET_ETCD_SERVERS: 'http://a:2379' })).rejects.toThrow(
      'store_dir (flag --store-dir) and etcd_servers (environment FLEET_ETCD_SERVERS) exclude each other',
    )
    await expect(check(['--store-listen=127.0.0.1:2379'])).rejects.toThrow('store_listen without store_dir')
  })

  it.each([
    [['--unit-manager=process', '--units-directory=/x'], 'units_directory'],
    [['--unit-manager=process', '--systemd-user'], 'systemd_user'],
    [['--process-dir=/x'], 'process_dir'],
    [['--process-environment=A=1'], 'process_environment'],
    [['--host-name=a'], 'host_name'],
    [['--store-dir=/x', '--etcd-username=root'], 'etcd_username'],
  ])('%j has an option without effect: %s', async (argv, name) => {
    expect(idleOptions(await read(argv))).toEqual([expect.stringContaining(name)])
  })
})
