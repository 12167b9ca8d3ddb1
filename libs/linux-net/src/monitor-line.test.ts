import { describe, expect, it } from 'vitest'
import { KnownNetwork } from './known-network.ts'
import { parseMonitorLine } from './monitor-line.ts'
import { emptyState, type NetworkState } from './state/network-state.ts'

// Recorded with iproute2 6.1.0 on Linux 6.18.
const lines = {
  link: '4: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UNKNOWN group default \\    link/ether 5a:e5:44:7e:a8:af brd ff:ff:ff:ff:ff:ff',
  pairGone:
    'Deleted 2: e1@e0: <BROADCAST,MULTICAST> mtu 1500 qdisc noqueue state DOWN group default \\    link/ether a6:85:95:1f:dd:0e',
  address: '4: flannel.1    inet 10.5.1.0/32 scope 0 flannel.1\\       valid_lft forever preferred_lft forever',
  address6:
    'Deleted 2: e1    inet6 fe80::a485:95ff:fe1f:dd0e/64 scope 253 tentative \\       valid_lft forever preferred_lft forever',
  local: 'local 10.5.1.0 dev flannel.1 table 255 proto 2 scope 254 src 10.5.1.0 ',
  neighbour: '10.5.2.0 dev flannel.1 lladdr 02:00:00:00:00:01 PERMANENT ',
  failed: '10.5.2.0 dev flannel.1 FAILED ',
  multicast: 'Deleted ff02::16 dev e1 lladdr 33:33:00:00:00:16 NOARP ',
  forwarding: '10.78.0.3 dev flannel.1 lladdr 02:00:00:00:00:01 NOARP PERMANENT ',
  route: '10.5.2.0/24 via 10.5.2.0 dev flannel.1 proto 156 onlink ',
  routeGone: 'Deleted 10.5.2.0/24 via 10.5.2.0 dev flannel.1 proto 156 onlink ',
  kernelRoute: 'Deleted fe80::/64 dev e1 proto 2 metric 256 pref medium',
  default: 'Deleted default via 10.78.0.1 dev e0 ',
  blackhole: 'blackhole 10.5.9.0/24 ',
}

describe('a line of the monitor', () => {
  it.each([
    [lines.link, { kind: 'link', gone: false, index: 4, device: 'flannel.1', mtu: 1400, up: true }],
    [lines.pairGone, { kind: 'link', gone: true, index: 2, device: 'e1', mtu: 1500, up: false }],
    [lines.address, { kind: 'address', gone: false, device: 'flannel.1', address: '10.5.1.0/32' }],
    [lines.address6, { kind: 'address', gone: true, device: 'e1', address: 'fe80::a485:95ff:fe1f:dd0e/64' }],
    [lines.local, undefined],
    [
      lines.neighbour,
      {
        kind: 'neighbour',
        gone: false,
        device: 'flannel.1',
        ip: '10.5.2.0',
        mac: '02:00:00:00:00:01',
        permanent: true,
      },
    ],
    [lines.failed, { kind: 'neighbour', gone: false, device: 'flannel.1', ip: '10.5.2.0', permanent: false }],
    [
      lines.forwarding,
      { kind: 'forwarding', gone: false, device: 'flannel.1', mac: '02:00:00:00:00:01', remote: '10.78.0.3' },
    ],
    [
      lines.route,
      {
        kind: 'route',
        gone: false,
        destination: '10.5.2.0/24',
        gateway: '10.5.2.0',
        device: 'flannel.1',
        protocol: '156',
      },
    ],
    [lines.kernelRoute, { kind: 'route', gone: true, destination: 'fe80::/64', device: 'e1', protocol: 'kernel' }],
    [
      lines.default,
      { kind: 'route', gone: true, destination: '0.0.0.0/0', gateway: '10.78.0.1', device: 'e0', protocol: 'boot' },
    ],
    [lines.blackhole, { kind: 'route', gone: false, destination: '10.5.9.0/24', protocol: 'unknown' }],
    // with -N
    ['Deleted 6 10.5.9.0/24 ', { kind: 'route', gone: true, destination: '10.5.9.0/24', protocol: 'unknown' }],
    ['6 default metric 4278198272 ', { kind: 'route', gone: false, destination: '0.0.0.0/0', protocol: 'unknown' }],
    ['something else', undefined],
    ['', undefined],
  ])('%s', (line, event) => expect(parseMonitorLine(line)).toEqual(event))
})

describe('news', () => {
  const state: NetworkState = {
    ...emptyState,
    links: [{ name: 'flannel.1', kind: 'vxlan', mtu: 1400, up: true }],
    addresses: [{ device: 'flannel.1', address: '10.5.1.0/32' }],
    routes: [
      { destination: '10.5.2.0/24', gateway: '10.5.2.0', device: 'flannel.1', onlink: true, protocol: '156' },
      { destination: '10.5.3.0/24', gateway: '10.78.0.3', protocol: '156' },
    ],
    neighbours: [{ device: 'flannel.1', ip: '10.5.2.0', mac: '02:00:00:00:00:01' }],
    forwarding: [{ device: 'flannel.1', mac: '02:00:00:00:00:01', remote: '10.78.0.3' }],
  }
  const known = new KnownNetwork(state, {
    devices: [{ name: 'flannel.1', kind: 'vxlan' }],
    networks: ['10.5.0.0/16'],
    routeProtocol: '156',
  })
  const judge = (line: string): readonly boolean[] => {
    const event = parseMonitorLine(line)
    return event === undefined ? [] : [known.concerns(event), known.isNews(event)]
  }
  it.each([
    ['the echo of what was done', lines.route, [true, false]],
    ['the echo of a route without a link', '10.5.3.0/24 via 10.78.0.3 dev eth0 proto 156 ', [true, false]],
    ['a route taken away', lines.routeGone, [true, true]],
    ['a route led elsewhere', '10.5.2.0/24 via 10.78.0.9 dev e0 ', [true, true]],
    ['an unknown subnet of the network on another link', '10.5.77.0/24 dev docker0 proto 2 scope 253 ', [true, true]],
    ['a link of the machine', '192.168.7.0/24 dev eth7 proto 2 scope 253 ', [false, true]],
    ['the link as it is', lines.link, [true, false]],
    ['another size', lines.link.replace('mtu 1400', 'mtu 1300'), [true, true]],
    ['the link down', lines.link.replace('UP,LOWER_UP', 'M-DOWN'), [true, true]],
    ['the neighbour as it is', lines.neighbour, [true, false]],
    ['the neighbour forgotten', lines.failed, [true, true]],
    ['the neighbour with another MAC', lines.neighbour.replace('00:01', '00:02'), [true, true]],
    ['a neighbour that the kernel asks for', '10.5.3.9 dev flannel.1 FAILED ', [true, false]],
    ['the entry as it is', lines.forwarding, [true, false]],
    ['the entry gone', `Deleted ${lines.forwarding}`, [true, true]],
    ['an address as it is', lines.address, [true, false]],
    ['a device that comes', lines.pairGone.replace('Deleted ', ''), [false, true]],
  ])('%s', (_, line, verdict) => expect(judge(line)).toEqual(verdict))
})
