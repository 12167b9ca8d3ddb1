import { readConfig } from '@cluster/daemon'
import { describe, expect, it } from 'vitest'
import { declaration, type FleetdConfig, idleOptions } from './config.ts'

const read = async (argv: readonly string[], environment: Record<string, string> = {}): Promise<FleetdConfig> => {
  // A file that is not there, so that the machine's own configuration plays no part.
  const outcome = await readConfig({ ...declaration, defaultFile: '/nonexistent/fleet.conf' }, { argv, environment })
  if (outcome.kind === 'run') return outcome.values
  throw new Error('prints')
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
  ])('%j is refused with its place: %s', async (argv, words) => {
    await expect(read(argv)).rejects.toThrow(words)
  })

  it('says what is given and does nothing', async () => {
    expect(idleOptions(await read([]))).toEqual([])
    expect(idleOptions(await read(['--enable-grpc', '--verify-units']))).toHaveLength(2)
  })
})
