import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commandText } from './command.ts'
import { diff, removal } from './diff.ts'
import { ModelNetwork } from './model-network.ts'
import { emptyState, type Link, type NetworkState, type Route } from './network-state.ts'
import { connectedRoutesInside, type Ownership } from './ownership.ts'

const ownership: Ownership = {
  devices: [{ name: 'flannel.1', kind: 'vxlan' }],
  networks: ['10.5.0.0/16'],
  routeProtocol: '156',
  mark: 'cluster:10.5.0.0/16',
}
const vxlan = { vni: 1, underlay: 'eth0', local: '10.78.0.2', port: 8472, learning: false, gbp: false }
const overlayLink: Link = { name: 'flannel.1', kind: 'vxlan', mtu: 1450, up: true, vxlan }
const eth0: Link = { name: 'eth0', kind: '', mtu: 1500, up: true, index: 2 }
const docker0: Link = { name: 'docker0', kind: 'bridge', mtu: 1500, up: true, index: 3 }
const host: NetworkState = {
  links: [eth0, docker0],
  addresses: [
    { device: 'eth0', address: '10.78.0.2/24' },
    { device: 'docker0', address: '10.5.34.1/24' },
  ],
  routes: [
    { destination: '0.0.0.0/0', gateway: '10.78.0.1', device: 'eth0', protocol: 'boot' },
    { destination: '10.78.0.0/24', device: 'eth0', protocol: 'kernel', scope: 'link' },
    { destination: '10.5.34.0/24', device: 'docker0', protocol: 'kernel', scope: 'link' },
  ],
  neighbours: [{ device: 'eth0', ip: '10.78.0.1', mac: '02:00:00:00:aa:01' }],
  forwarding: [],
}
const peer = (n: number, mac = `02:00:00:00:00:0${n}`): NetworkState => ({
  ...emptyState,
  routes: [{ destination: `10.5.${n}.0/24`, gateway: `10.5.${n}.0`, device: 'flannel.1', onlink: true }],
  neighbours: [{ device: 'flannel.1', ip: `10.5.${n}.0`, mac }],
  forwarding: [{ device: 'flannel.1', mac, remote: `10.78.0.${n}` }],
})
const merge = (...states: readonly NetworkState[]): NetworkState => ({
  links: states.flatMap(({ links }) => links),
  addresses: states.flatMap(({ addresses }) => addresses),
  routes: states.flatMap(({ routes }) => routes),
  neighbours: states.flatMap(({ neighbours }) => neighbours),
  forwarding: states.flatMap(({ forwarding }) => forwarding),
})
const own: NetworkState = {
  ...emptyState,
  links: [overlayLink],
  addresses: [{ device: 'flannel.1', address: '10.5.34.0/32' }],
}
const applied = (desired: NetworkState, observed: NetworkState, owner = ownership): NetworkState => {
  const model = new ModelNetwork(observed)
  for (const command of diff(desired, observed, owner).commands) {
    expect([commandText(command), model.apply(command)]).toEqual([commandText(command), undefined])
  }
  return model.state()
}
const lines = (desired: NetworkState, observed: NetworkState, owner = ownership): readonly string[] =>
  diff(desired, observed, owner).commands.map(commandText)

describe('from nothing', () => {
  it('a vxlan device, its address and a peer are made in an order that no packet can fall through', () => {
    expect(lines(merge(own, peer(2)), host)).toEqual([
      'ip link add flannel.1 mtu 1450 type vxlan id 1 dev eth0 local 10.78.0.2 dstport 8472 nolearning',
      'ip link set dev flannel.1 alias cluster:10.5.0.0/16 up',
      'ip address replace 10.5.34.0/32 dev flannel.1',
      'bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 10.78.0.2 self permanent',
      'ip neighbour replace 10.5.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud permanent',
      'ip route replace 10.5.2.0/24 via 10.5.2.0 dev flannel.1 proto 156 onlink',
    ])
  })
  it('a tun device is not made: what it should carry waits for it', () => {
    const tun: Ownership = { ...ownership, devices: [{ name: 'flannel0', kind: 'tun' }] }
    const desired: NetworkState = {
      ...emptyState,
      links: [{ name: 'flannel0', kind: 'tun', mtu: 1472, up: true }],
      addresses: [{ device: 'flannel0', address: '10.5.34.0/32' }],
      routes: [{ destination: '10.5.0.0/16', device: 'flannel0' }],
    }
    expect(lines(desired, host, tun)).toEqual([])
    const withTun = { ...host, links: [...host.links, { name: 'flannel0', kind: 'tun', mtu: 1500, up: false }] }
    expect(lines(desired, withTun, tun)).toEqual([
      'ip link set dev flannel0 mtu 1472 alias cluster:10.5.0.0/16 up',
      'ip address replace 10.5.34.0/32 dev flannel0',
      'ip route replace 10.5.0.0/16 dev flannel0 proto 156',
    ])
  })
})

describe('one change', () => {
  const before = applied(merge(own, peer(2), peer(3)), host)
  it.each<[string, NetworkState, readonly string[]]>([
    ['nothing', merge(own, peer(2), peer(3)), []],
    [
      'a peer leaves: route, neighbour, entry',
      merge(own, peer(2)),
      [
        'ip route delete 10.5.3.0/24 via 10.5.3.0 dev flannel.1 proto 156 onlink',
        'ip neighbour delete 10.5.3.0 dev flannel.1',
        'bridge fdb delete 02:00:00:00:00:03 dev flannel.1 dst 10.78.0.3 self',
      ],
    ],
    [
      'a peer has another MAC: the new way before the old one goes',
      merge(own, peer(2), peer(3, '02:00:00:00:00:33')),
      [
        'bridge fdb replace 02:00:00:00:00:33 dev flannel.1 dst 10.78.0.3 self permanent',
        'ip neighbour replace 10.5.3.0 lladdr 02:00:00:00:00:33 dev flannel.1 nud permanent',
        'bridge fdb delete 02:00:00:00:00:03 dev flannel.1 dst 10.78.0.3 self',
      ],
    ],
    [
      'a bigger link below: the MTU of the device that is there',
      merge({ ...own, links: [{ ...overlayLink, mtu: 8950 }] }, peer(2), peer(3)),
      ['ip link set dev flannel.1 mtu 8950'],
    ],
    [
      'a peer on the same link is reached directly',
      merge(own, peer(2), { ...emptyState, routes: [{ destination: '10.5.3.0/24', gateway: '10.78.0.3' }] }),
      [
        'ip route replace 10.5.3.0/24 via 10.78.0.3 proto 156',
        'ip neighbour delete 10.5.3.0 dev flannel.1',
        'bridge fdb delete 02:00:00:00:00:03 dev flannel.1 dst 10.78.0.3 self',
      ],
    ],
    [
      'another port: the device is made anew, and what it carried is not deleted piece by piece',
      { ...own, links: [{ ...overlayLink, vxlan: { ...vxlan, port: 4789 } }] },
      [
        'ip link delete flannel.1',
        'ip link add flannel.1 mtu 1450 type vxlan id 1 dev eth0 local 10.78.0.2 dstport 4789 nolearning',
        'ip link set dev flannel.1 alias cluster:10.5.0.0/16 up',
        'ip address replace 10.5.34.0/32 dev flannel.1',
      ],
    ],
  ])('%s', (_, desired, expected) => expect(lines(desired, before)).toEqual(expected))

  it('a peer whose remote was changed by hand gets it back', () => {
    const model = new ModelNetwork(before)
    model.apply({
      kind: 'replace-forwarding-entry',
      entry: { device: 'flannel.1', mac: '02:00:00:00:00:03', remote: '9.9.9.9' },
    })
    expect(lines(merge(own, peer(2), peer(3)), model.state())).toEqual([
      'bridge fdb replace 02:00:00:00:00:03 dev flannel.1 dst 10.78.0.3 self permanent',
    ])
  })
  it('a hijacked route is taken back', () => {
    const model = new ModelNetwork(before)
    model.apply({
      kind: 'replace-route',
      route: { destination: '10.5.3.0/24', gateway: '10.78.0.99', device: 'eth0', protocol: 'boot' },
    })
    expect(lines(merge(own, peer(2), peer(3)), model.state())).toEqual([
      'ip route replace 10.5.3.0/24 via 10.5.3.0 dev flannel.1 proto 156 onlink',
    ])
  })
})

describe('what belongs to others', () => {
  it('the machine loses no connected route to a lease of the same subnet, nor to a part of it', () => {
    const leases = [
      { destination: '10.5.34.0/24', gateway: '10.5.34.0', device: 'flannel.1', onlink: true },
      { destination: '10.5.34.128/25', gateway: '10.5.34.128', device: 'flannel.1', onlink: true },
    ]
    const { commands, refusals } = diff({ ...own, routes: leases }, applied(own, host), ownership)
    expect(commands).toEqual([])
    expect(refusals).toMatchObject(
      leases.map((route) => ({ kind: 'connected-route', route, existing: { device: 'docker0' } })),
    )
  })
  it('a route that refuses packets stays', () => {
    const blackhole: Route = { destination: '10.5.2.0/24', type: 'blackhole', protocol: 'static' }
    const observed = { ...applied(own, host), routes: [blackhole] }
    expect(diff(merge(own, { ...emptyState, routes: peer(2).routes }), observed, ownership)).toMatchObject({
      commands: [],
      refusals: [{ kind: 'connected-route', existing: blackhole }],
    })
  })
  it.each<[string, Partial<Link>, string | undefined]>([
    ['a bridge', { kind: 'bridge' }, undefined],
    ['a vxlan device in a bridge', { kind: 'vxlan', vxlan, master: 'br0' }, undefined],
    [
      'a vxlan device with the mark of another daemon',
      { kind: 'vxlan', vxlan, alias: 'cluster:10.9.0.0/16' },
      undefined,
    ],
    ['a vxlan device with another VNI than its name', { kind: 'vxlan', vxlan: { ...vxlan, vni: 77 } }, undefined],
    ['a vxlan device with an address of another network', { kind: 'vxlan', vxlan }, '10.9.3.0/32'],
  ])('%s of our name is refused, and nothing is put on it', (_, link, address) => {
    const foreign: Link = { name: 'flannel.1', kind: '', mtu: 1450, up: true, ...link }
    const observed: NetworkState = {
      ...host,
      links: [...host.links, foreign],
      addresses: address === undefined ? host.addresses : [...host.addresses, { device: 'flannel.1', address }],
    }
    expect(diff(merge(own, peer(2)), observed, ownership)).toMatchObject({
      commands: [],
      refusals: [{ kind: 'foreign-device', link: foreign }],
    })
    expect(removal(observed, ownership).commands).toEqual([])
  })
  it('the device of the original is taken over as it is, with its routes', () => {
    const original: NetworkState = merge(host, {
      ...merge(own, peer(2)),
      links: [{ ...overlayLink, index: 9, mac: '02:00:00:00:00:aa' }],
      routes: [{ ...peer(2).routes[0], destination: '10.5.2.0/24', protocol: 'boot' }],
    })
    expect(lines(merge(own, peer(2)), original)).toEqual([
      'ip link set dev flannel.1 alias cluster:10.5.0.0/16',
      'ip route replace 10.5.2.0/24 via 10.5.2.0 dev flannel.1 proto 156 onlink',
    ])
  })
  it('routes over other links go only with our number, or with one that was adopted', () => {
    const routes: readonly Route[] = [
      { destination: '10.5.7.0/24', gateway: '10.78.0.7', device: 'eth0', protocol: 'boot' },
      { destination: '10.5.8.0/24', gateway: '10.78.0.8', device: 'eth0', protocol: '156' },
      { destination: '10.9.8.0/24', gateway: '10.78.0.8', device: 'eth0', protocol: '156' },
    ]
    const observed = { ...host, routes: [...host.routes, ...routes] }
    const deletion = 'ip route delete 10.5.8.0/24 via 10.78.0.8 dev eth0 proto 156'
    expect(lines(emptyState, observed)).toEqual([deletion])
    expect(lines(emptyState, observed, { ...ownership, adoptedProtocols: ['boot'] })).toEqual([
      'ip route delete 10.5.7.0/24 via 10.78.0.7 dev eth0 proto boot',
      deletion,
    ])
  })
  it('a link of the machine inside the network is named, the own bridge is not', () => {
    const inside = connectedRoutesInside('10.0.0.0/8', host, { devices: ['flannel.1'], except: ['10.5.34.0/24'] })
    expect(inside).toMatchObject([{ destination: '10.78.0.0/24', device: 'eth0' }])
  })
})

const choose = <Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values)
const device = choose('flannel.1', 'eth0', 'docker0')
const mac = choose('02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03')
const subnet = choose('10.5.1.0/24', '10.5.2.0/24', '10.5.3.0/24', '10.5.34.0/24', '10.9.1.0/24')
const gateway = choose('10.5.1.0', '10.5.2.0', '10.78.0.3')
const observedLink: fc.Arbitrary<readonly Link[]> = choose<readonly Link[]>(
  [],
  [{ ...overlayLink, mac: '02:00:00:00:00:aa' }],
  [{ ...overlayLink, mac: '02:00:00:00:00:aa', alias: 'cluster:10.5.0.0/16', mtu: 1400, up: false }],
  [{ ...overlayLink, vxlan: { ...vxlan, local: '10.78.0.9' } }],
  [{ name: 'flannel.1', kind: 'bridge', mtu: 1500, up: true }],
  [{ ...overlayLink, alias: 'somebody' }],
)
const anyRoute = fc.record(
  {
    destination: subnet,
    gateway,
    device,
    protocol: choose('156', 'boot', 'kernel', 'static'),
    metric: choose(0, 50),
    onlink: fc.boolean(),
    type: choose('blackhole'),
  },
  { requiredKeys: ['destination', 'gateway', 'device', 'protocol'] },
)
const placeOf = ({ destination, metric = 0, gateway: via, device: over }: Route): string =>
  [destination, metric, via, over].join(' ')
const observedState: fc.Arbitrary<NetworkState> = fc.record({
  links: observedLink.map((links) => [eth0, docker0, ...links]),
  addresses: fc.array(fc.record({ device, address: choose('10.5.34.0/32', '10.5.35.0/32', '10.78.0.2/24') })),
  // the kernel refuses a route that is there already
  routes: fc.uniqueArray(anyRoute, { maxLength: 8, selector: placeOf }).map((routes) => [...host.routes, ...routes]),
  neighbours: fc.uniqueArray(fc.record({ device, ip: gateway, mac, permanent: fc.boolean() }), {
    selector: (neighbour) => `${neighbour.device} ${neighbour.ip}`,
  }),
  forwarding: fc.uniqueArray(fc.record({ device, mac, remote: choose('10.78.0.3', '10.78.0.4', '10.78.0.5') }), {
    selector: (entry) => JSON.stringify(entry),
  }),
})
const desiredState: fc.Arbitrary<NetworkState> = fc.record({
  links: choose([], [overlayLink], [{ ...overlayLink, mtu: 8950 }]),
  addresses: choose([], own.addresses),
  routes: fc.array(
    fc.record(
      { destination: subnet, gateway, device, onlink: fc.boolean() },
      { requiredKeys: ['destination', 'gateway'] },
    ),
    { maxLength: 6 },
  ),
  neighbours: fc.array(fc.record({ device: fc.constant('flannel.1'), ip: gateway, mac }), { maxLength: 5 }),
  forwarding: fc.array(fc.record({ device: fc.constant('flannel.1'), mac, remote: choose('10.78.0.3', '10.78.0.4') }), {
    maxLength: 5,
  }),
})
/** The model holds what it is given: a machine has nothing on devices that are not there, and no routes over those that are down. */
const possible = (state: NetworkState): NetworkState => {
  const there = (name: string | undefined): boolean => state.links.some((link) => link.name === name)
  const up = (name: string | undefined): boolean => state.links.some((link) => link.name === name && link.up)
  return {
    links: state.links,
    addresses: state.addresses.filter((address) => there(address.device)),
    routes: state.routes.filter((route) => up(route.device)),
    neighbours: state.neighbours.filter((neighbour) => there(neighbour.device)),
    forwarding: state.forwarding.filter((entry) => there(entry.device)),
  }
}

describe('any two states', () => {
  it('a plan applied to its state leaves an empty plan', () => {
    fc.assert(
      fc.property(desiredState, observedState.map(possible), (desired, observed) => {
        const after = applied(desired, observed)
        expect(diff(desired, after, ownership).commands).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })
  it('what is desired and not refused is there afterwards', () => {
    fc.assert(
      fc.property(desiredState, observedState.map(possible), (desired, observed) => {
        const { refusals } = diff(desired, observed, ownership)
        const after = applied(desired, observed)
        const refused = refusals.flatMap((refusal) => (refusal.kind === 'connected-route' ? [refusal.route] : []))
        const seen = new Set<string>()
        for (const route of desired.routes) {
          const usable = route.device === undefined || after.links.some(({ name }) => name === route.device)
          const foreign = refusals.some(({ kind }) => kind === 'foreign-device') && route.device === 'flannel.1'
          const hidden = route.device === 'flannel.1' && !desired.links.some(({ name }) => name === 'flannel.1')
          if (refused.includes(route) || seen.has(route.destination) || !usable || foreign || hidden) continue
          seen.add(route.destination)
          expect(after.routes).toContainEqual(
            expect.objectContaining({ destination: route.destination, gateway: route.gateway }),
          )
        }
      }),
    )
  })
  it('what is not ours is the same afterwards', () => {
    fc.assert(
      fc.property(desiredState, observedState.map(possible), (desired, observed) => {
        const after = applied(desired, observed)
        const foreign = (state: NetworkState): unknown => ({
          links: state.links.filter(({ name }) => name !== 'flannel.1'),
          addresses: state.addresses.filter((address) => address.device !== 'flannel.1'),
          routes: state.routes
            .filter(({ destination, protocol, type, device: over }) => {
              const outside = !destination.startsWith('10.5.')
              return (
                over !== 'flannel.1' && (protocol === 'kernel' || type !== undefined || (outside && protocol !== '156'))
              )
            })
            .filter(({ destination }) => !desired.routes.some((route) => route.destination === destination))
            .map((route) => JSON.stringify(route))
            .toSorted(),
          neighbours: state.neighbours.filter((neighbour) => neighbour.device !== 'flannel.1'),
          forwarding: state.forwarding.filter((entry) => entry.device !== 'flannel.1'),
        })
        expect(foreign(after)).toEqual(foreign(new ModelNetwork(observed).state()))
      }),
    )
  })
  it('removal leaves nothing of ours, and a second one has nothing to do', () => {
    fc.assert(
      fc.property(observedState.map(possible), (observed) => {
        const after = applied(emptyState, observed)
        expect(removal(after, ownership).commands).toEqual([])
        const ours = after.routes.filter(({ destination, protocol, type }) => {
          return type === undefined && protocol === '156' && destination.startsWith('10.5.')
        })
        expect(ours).toEqual([])
      }),
    )
  })
})
