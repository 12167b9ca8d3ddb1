import type { FlannelStatus } from '@cluster/flannel'
import { expect, it } from 'vitest'
import { statusLines } from './status.ts'

const waiting: FlannelStatus = {
  phase: 'waiting-for-config',
  ready: false,
  store: { reachable: false, unreachableSeconds: 75 },
  kernel: { repairs: 0, failures: [] },
  peers: [],
  problems: [],
}

const running: FlannelStatus = {
  ...waiting,
  phase: 'running',
  ready: true,
  network: '10.5.0.0/16',
  backend: 'udp',
  device: 'flannel0',
  external: { device: 'eth0', mtu: 1500, interfaceAddress: '10.78.0.11' },
  publicIp: '10.78.0.11',
  mtu: 1472,
  lease: { subnet: '10.5.34.0/24', key: 'k', expiresInSeconds: 86_000, renewsInSeconds: 82_400 },
  store: { reachable: true },
  kernel: { lastLookSeconds: 3, repairs: 2, failures: ['ip route …: no permission'] },
  drops: { truncated: 0, 'no-route': 7 },
  problems: ['key subnets/foo is no lease'],
}

it('tells everything that a person asks first', () => {
  expect(statusLines(running)).toEqual([
    'overlay     10.5.0.0/16 by udp, ready (running)',
    'subnet      10.5.34.0/24, ends in 23h53m20s, renewed in 22h53m20s',
    'link        eth0 (10.78.0.11, MTU 1500), known as 10.78.0.11',
    'containers  MTU 1472, through flannel0',
    'store       answers',
    'kernel      looked at 3s ago, 2 repairs',
    'refused     ip route …: no permission',
    'dropped     7 packets: no-route',
    'problem     key subnets/foo is no lease',
  ])
})

it('tells what is not there yet', () => {
  expect(statusLines(waiting)).toEqual([
    'overlay     no configuration yet, not ready (waiting-for-config)',
    'subnet      none yet',
    'link        none',
    'store       away for 1m15s',
    'kernel      not looked at yet, 0 repairs',
  ])
})

it.each([
  [{ subnet: 's', key: 'k' }, 'subnet      s, reserved'],
  [{ subnet: 's', key: 'k', expiresInSeconds: -60 }, 'subnet      s, ended 1m0s ago'],
])('tells how long %j lasts', (lease, line) => expect(statusLines({ ...running, lease })).toContain(line))
