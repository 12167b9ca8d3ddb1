import { describe, expect, it } from 'vitest'
import { type DockerFlags, podmanWords, renderDockerOptions, renderNspawnFiles } from './container-options.ts'
import { parseSubnetEnv, parseVariables, type SubnetEnv } from './subnet-env.ts'

const sample = 'FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=false\n'
const individual = [
  'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
  'DOCKER_OPT_IPMASQ="--ip-masq=true"',
  'DOCKER_OPT_MTU="--mtu=1472"',
]
const combined = '" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472"'

const docker = (text: string | undefined, flags?: DockerFlags, environment?: Readonly<Record<string, string>>) => {
  const rendered = renderDockerOptions(text === undefined ? undefined : parseVariables(text), flags, environment)
  return rendered.ok ? rendered.value.split('\n').slice(0, -1) : rendered.error.text
}

const envOf = (text: string): SubnetEnv => {
  const env = parseSubnetEnv(text)
  if (!env.ok) throw new Error(env.error.text)
  return env.value
}

describe('docker', () => {
  it.each([
    ['no flag', {}, [...individual, `DOCKER_OPTS=${combined}`]],
    ['-i', { individual: true }, individual],
    ['-c', { combined: true }, [`DOCKER_OPTS=${combined}`]],
    ['-i -c', { individual: true, combined: true }, [...individual, `DOCKER_OPTS=${combined}`]],
    ['-k', { combinedKey: 'CUSTOM_KEY' }, [...individual, `CUSTOM_KEY=${combined}`]],
    ['-m', { withoutIpMasq: true }, [individual[0], individual[2], 'DOCKER_OPTS=" --bip=10.1.74.1/24 --mtu=1472"']],
  ])('with %s', (_, flags, expected) => expect(docker(sample, flags)).toEqual(expected))
  it('does not masquerade when the overlay does', () =>
    expect(docker('FLANNEL_IPMASQ=true', { individual: true })).toEqual(['DOCKER_OPT_IPMASQ="--ip-masq=false"']))
  it('has no options without a file', () => expect(docker(undefined)).toEqual(['DOCKER_OPTS=""']))
  it('refuses another text for masquerading, unless it is left out', () => {
    expect(docker('FLANNEL_IPMASQ=yes')).toBe('Invalid value of FLANNEL_IPMASQ: yes')
    expect(docker('FLANNEL_IPMASQ=yes', { withoutIpMasq: true })).toEqual(['DOCKER_OPTS=""'])
  })
  it('keeps what is in the environment: its options in front, its variables among the others', () =>
    expect(
      docker(sample, { combined: true }, { DOCKER_OPTS: '--debug', DOCKER_OPT_LOG: '--log-level=warn', OTHER: 'x' }),
    ).toEqual(['DOCKER_OPTS="--debug  --bip=10.1.74.1/24 --ip-masq=true --log-level=warn --mtu=1472"']))
})

describe('podman', () => {
  it('gets the subnet, the gateway and the MTU', () =>
    expect(podmanWords(envOf(sample)).join(' ')).toBe(
      'network create --driver=bridge --interface-name=overlay0 --subnet=10.1.74.0/24 --gateway=10.1.74.1 --opt=mtu=1472 overlay',
    ))
  it('leaves the bridge alone when the overlay masquerades', () =>
    expect(podmanWords(envOf(sample.replace('false', 'true')))).toContain('--opt=mode=unmanaged'))
  it('gets both families', () =>
    expect(podmanWords(envOf(`${sample}FLANNEL_IPV6_SUBNET=fc00:0:0:3::1/64\n`), { bridge: 'br0', name: 'n' })).toEqual(
      [
        ...[
          'network',
          'create',
          '--driver=bridge',
          '--interface-name=br0',
          '--subnet=10.1.74.0/24',
          '--gateway=10.1.74.1',
        ],
        ...['--ipv6', '--subnet=fc00:0:0:3::/64', '--gateway=fc00:0:0:3::1', '--opt=mtu=1472', 'n'],
      ],
    ))
})

describe('systemd-nspawn', () => {
  it('gets a bridge that hands out addresses, and each container is put on it', () =>
    expect(renderNspawnFiles(envOf(`${sample}FLANNEL_IPV6_SUBNET=fc00:0:0:3::1/64\n`), ['web'])).toEqual([
      {
        path: '/run/systemd/network/70-overlay0.netdev',
        text: '[NetDev]\nName=overlay0\nKind=bridge\nMTUBytes=1472\n',
      },
      {
        path: '/run/systemd/network/70-overlay0.network',
        text: [
          '[Match]\nName=overlay0\n',
          '[Network]\nAddress=10.1.74.1/24\nDHCPServer=yes\nAddress=fc00:0:0:3::1/64\nIPv6SendRA=yes',
          'ConfigureWithoutCarrier=yes\nIPMasquerade=both\n',
          '[DHCPServer]\nSendOption=26:uint16:1472\n',
          '[IPv6Prefix]\nPrefix=fc00:0:0:3::/64\n',
        ].join('\n'),
      },
      { path: '/run/systemd/nspawn/web.nspawn', text: '[Network]\nBridge=overlay0\n' },
    ]))
  it('does not masquerade when the overlay does', () =>
    expect(renderNspawnFiles(envOf(sample.replace('false', 'true')))[1]?.text).toContain('IPMasquerade=no'))
})
