import { describe, expect, it } from 'vitest'
import { parseAddressShow, parseForwardingShow, parseNeighbourShow, parseRouteGet, parseRouteShow } from './parse-ip.ts'

// Recorded with iproute2 6.1.0 on Linux 6.18, members that are not looked at left out of the first.
const addressShow = `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"link_type":"loopback","address":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"254","label":"lo"}]},{"ifindex":3,"link":"e1","ifname":"e0","flags":["NO-CARRIER","BROADCAST","MULTICAST","UP","M-DOWN"],"mtu":1500,"link_type":"ether","address":"4a:c4:d2:4a:2b:f9","linkinfo":{"info_kind":"veth"},"addr_info":[{"family":"inet","local":"10.78.0.2","prefixlen":24,"scope":"0","label":"e0"}]},{"ifindex":4,"ifname":"flannel.1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1450,"master":"br0","link_type":"ether","address":"02:96:0c:a9:cb:34","linkinfo":{"info_kind":"vxlan","info_data":{"id":1,"local":"10.78.0.2","link":"e0","port_range":{"low":0,"high":0},"port":8472,"learning":false,"ttl":0,"df":"unset","ageing":300,"udp_csum":true,"gbp":true}},"ifalias":"x y","addr_info":[{"family":"inet","local":"10.5.1.0","prefixlen":32,"scope":"0"},{"family":"inet6","local":"fe80::96:cff:fea9:cb34","prefixlen":64,"scope":"253"}]}]`
const routeShow = `[{"dst":"default","gateway":"10.78.0.1","dev":"e0","flags":[]},{"dst":"10.5.2.0/24","gateway":"10.5.2.0","dev":"flannel.1","protocol":"156","flags":["onlink"]},{"dst":"10.9.0.0/24","flags":[],"nexthops":[{"gateway":"10.78.0.5","dev":"e0","weight":1,"flags":[]},{"gateway":"10.78.0.6","dev":"e0","weight":1,"flags":[]}]},{"type":"6","dst":"10.10.0.0/24","flags":[]},{"dst":"10.11.0.7","gateway":"10.78.0.7","dev":"e0","metric":50,"flags":[]},{"dst":"10.78.0.0/24","dev":"e0","protocol":"2","scope":"253","prefsrc":"10.78.0.2","flags":[]}]`

describe('what iproute2 prints', () => {
  it('links', () => {
    expect(parseAddressShow(addressShow).links).toEqual([
      { name: 'lo', index: 1, kind: '', mtu: 65536, up: true, mac: '00:00:00:00:00:00', loopback: true },
      { name: 'e0', index: 3, kind: 'veth', mtu: 1500, up: true, mac: '4a:c4:d2:4a:2b:f9' },
      {
        name: 'flannel.1',
        index: 4,
        kind: 'vxlan',
        mtu: 1450,
        up: true,
        mac: '02:96:0c:a9:cb:34',
        master: 'br0',
        alias: 'x y',
        vxlan: { vni: 1, underlay: 'e0', local: '10.78.0.2', port: 8472, learning: false, gbp: true },
      },
    ])
  })
  it('addresses', () => {
    expect(parseAddressShow(addressShow).addresses).toEqual([
      { device: 'lo', address: '127.0.0.1/8', scope: 'host' },
      { device: 'e0', address: '10.78.0.2/24' },
      { device: 'flannel.1', address: '10.5.1.0/32' },
      { device: 'flannel.1', address: 'fe80::96:cff:fea9:cb34/64', scope: 'link' },
    ])
  })
  it('routes, whose protocol is left out when it is boot', () => {
    expect(parseRouteShow(routeShow, 4)).toEqual([
      { destination: '0.0.0.0/0', gateway: '10.78.0.1', device: 'e0', protocol: 'boot' },
      { destination: '10.5.2.0/24', gateway: '10.5.2.0', device: 'flannel.1', onlink: true, protocol: '156' },
      { destination: '10.9.0.0/24', protocol: 'boot' },
      { destination: '10.10.0.0/24', protocol: 'boot', type: 'blackhole' },
      { destination: '10.11.0.7/32', gateway: '10.78.0.7', device: 'e0', protocol: 'boot', metric: 50 },
      { destination: '10.78.0.0/24', device: 'e0', source: '10.78.0.2', protocol: 'kernel', scope: 'link' },
    ])
  })
  it('routes of IPv6', () => {
    const text =
      '[{"dst":"fd01::/64","dev":"flannel.1","metric":1024,"flags":[],"pref":"medium"},{"dst":"default","gateway":"fe80::1","dev":"e0","flags":[]}]'
    expect(parseRouteShow(text, 6)).toEqual([
      { destination: 'fd01::/64', device: 'flannel.1', metric: 1024, protocol: 'boot' },
      { destination: '::/0', gateway: 'fe80::1', device: 'e0', protocol: 'boot' },
    ])
  })
  it('neighbours, also none', () => {
    const text = '[{"dst":"10.5.2.0","dev":"flannel.1","lladdr":"02:00:00:00:00:01","state":["PERMANENT"]},{}]'
    expect(parseNeighbourShow(text)).toEqual([{ device: 'flannel.1', ip: '10.5.2.0', mac: '02:00:00:00:00:01' }])
    expect(parseNeighbourShow('')).toEqual([])
  })
  it('forwarding entries with a remote', () => {
    const text =
      '[{"mac":"33:33:00:00:00:01","ifname":"e0","flags":["self"],"state":"permanent"},{"mac":"02:00:00:00:00:01","ifname":"flannel.1","dst":"10.78.0.3","flags":["self"],"state":"permanent"}]'
    expect(parseForwardingShow(text)).toEqual([{ device: 'flannel.1', mac: '02:00:00:00:00:01', remote: '10.78.0.3' }])
  })
  it('the way to an address', () => {
    const text =
      '[{"dst":"10.5.2.9","gateway":"10.5.2.0","dev":"flannel.1","prefsrc":"10.5.1.0","flags":[],"uid":0,"cache":[]}]'
    expect(parseRouteGet(text)).toEqual({ device: 'flannel.1', gateway: '10.5.2.0', source: '10.5.1.0' })
  })
  it.each(['{"dst":', '{}', 'usage: ip', '[{"dst":7}]'])('%s is an error, never an empty answer', (text) =>
    expect(() => parseRouteShow(text, 4)).toThrow(expect.objectContaining({ code: 'linux-net/observation' })),
  )
})
