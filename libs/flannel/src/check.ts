/** The way of a packet to another machine, hop by hop, and the first that is broken. Pure. */
import type { Route } from '@cluster/linux-net/state'
import { contains4, parseIp4, parseNet4 } from '@cluster/subnet'
import { FlannelError } from './errors.ts'
import type { Judgement } from './judge-peers.ts'
import { desiredOf, filterDifferences, type Overlay } from './overlay.ts'

/** The hops in the order in which a packet needs them. */
export type HopName = 'lease' | 'link' | 'route' | 'neighbour' | 'forwarding' | 'firewall' | 'mtu'

export type Hop = {
  readonly name: HopName
  /** `skipped`: this backend has no such hop, or an earlier one is broken so that it cannot be judged. */
  readonly state: 'ok' | 'broken' | 'skipped'
  /** What was found, and what was expected if that differs. */
  readonly found: string
  /** What to do about it; only when broken. */
  readonly remedy?: string
}

export type CheckReport = {
  /** `10.5.34.0/24` */
  readonly subnet: string
  readonly publicIp: string
  /** In order; all hops are listed. */
  readonly hops: readonly Hop[]
  /** Name of the first broken hop; absent when the way is whole as far as this machine can see. */
  readonly broken?: HopName
}

type Finding = Omit<Hop, 'name'>

const fine = (found: string): Finding => ({ state: 'ok', found })
const broken = (found: string, remedy: string): Finding => ({ state: 'broken', found, remedy })
const skipped = (found: string): Finding => ({ state: 'skipped', found })

const comesBack = 'a running flanneld puts it back within ten seconds: is it running? what does its log say?'

/**
 * The way to another machine as far as this one can see it.
 *
 * @param peer its subnet, an address in it, or its public address
 * @throws FlannelError `flannel/unknown-peer` when no lease matches
 */
export function checkPeer(overlay: Overlay, peer: string): CheckReport {
  const judgement = findPeer(overlay.judgements, peer)
  const { subnetText: subnet, publicIpText: publicIp } = judgement.lease
  if (judgement.kind !== 'peer') {
    const lease: Hop = {
      name: 'lease',
      ...broken(judgement.reason, 'see this lease in the store, and its owner’s flanneld'),
    }
    const rest = (['link', 'route', 'neighbour', 'forwarding', 'firewall', 'mtu'] as const).map(
      (name): Hop => ({ name, ...skipped('there is no way to that machine') }),
    )
    return { subnet, publicIp, hops: [lease, ...rest], broken: 'lease' }
  }
  const hops: readonly Hop[] = [
    { name: 'lease', ...fine(`${subnet} belongs to ${publicIp}`) },
    { name: 'link', ...checkLink(overlay, judgement) },
    { name: 'route', ...checkRoute(overlay, judgement) },
    { name: 'neighbour', ...checkNeighbour(overlay, judgement) },
    { name: 'forwarding', ...checkForwarding(overlay, judgement) },
    { name: 'firewall', ...checkFirewall(overlay) },
    { name: 'mtu', ...checkMtu(overlay) },
  ]
  const first = hops.find(({ state }) => state === 'broken')
  return { subnet, publicIp, hops, ...(first === undefined ? {} : { broken: first.name }) }
}

function findPeer(judgements: readonly Judgement[], text: string): Judgement {
  const net = parseNet4(text)
  const ip = parseIp4(text)
  const matches = ({ lease }: Judgement): boolean => {
    if (lease.subnetText === text || lease.publicIpText === text || lease.key === text) return true
    const { v4 } = lease.subnet
    if (v4 === undefined) return false
    if (ip !== undefined) return contains4(v4, ip)
    return net !== undefined && net.length >= v4.length && contains4(v4, net.ip)
  }
  const found = judgements.find(matches)
  if (found !== undefined) return found
  throw new FlannelError('flannel/unknown-peer', `no other machine has a lease for ${JSON.stringify(text)}`, {
    hint:
      judgements.length === 0
        ? 'this machine is the only one of the network'
        : `name one of ${judgements
            .slice(0, 5)
            .map(({ lease }) => lease.subnetText)
            .join(', ')}, or its public address`,
  })
}

type PeerJudgement = Judgement & { readonly kind: 'peer' }

function checkLink({ surroundings, observed }: Overlay, { peer }: PeerJudgement): Finding {
  const { device } = surroundings.external
  const below = observed.links.find((candidate) => candidate.name === device)
  if (below === undefined) return broken(`${device} is not there`, `bring ${device} back`)
  if (!below.up) return broken(`${device} is down`, `ip link set ${device} up`)
  const name = peer.direct ?? surroundings.device
  if (name === undefined) return broken('there is no tunnel device', comesBack)
  const link = observed.links.find((candidate) => candidate.name === name)
  if (link === undefined) return broken(`${name} is not there`, comesBack)
  if (!link.up) return broken(`${name} is down`, peer.direct === undefined ? comesBack : `ip link set ${name} up`)
  if (peer.direct === undefined && surroundings.mac !== undefined && link.mac !== surroundings.mac) {
    return broken(`${name} has the address ${link.mac ?? '?'}, our lease tells ${surroundings.mac}`, comesBack)
  }
  return fine(`${name} is up`)
}

function checkRoute(overlay: Overlay, { lease, peer }: PeerJudgement): Finding {
  const net = lease.subnet.v4
  const wanted = desiredOf(overlay).routes.find((route) => covers(route, peer.subnet))
  const way = overlay.observed.routes.filter((route) => covers(route, peer.subnet)).sort(longestFirst)[0]
  if (wanted === undefined || net === undefined) return skipped('no route is wanted')
  if (way === undefined) return broken(`no route to ${peer.subnet}, wanted ${routeText(wanted)}`, comesBack)
  const isWanted =
    way.destination === wanted.destination && way.gateway === wanted.gateway && way.device === wanted.device
  if (way.type !== undefined) {
    return broken(`${routeText(way)}, wanted ${routeText(wanted)}`, `remove it: ip route delete ${routeText(way)}`)
  }
  if (!isWanted) return broken(`${routeText(way)}, wanted ${routeText(wanted)}`, comesBack)
  const longer = overlay.observed.routes.find((route) => {
    const inner = parseNet4(route.destination)
    return inner !== undefined && inner.length > net.length && contains4(net, inner.ip)
  })
  if (longer !== undefined) {
    return broken(`${routeText(longer)} takes a part of ${peer.subnet}`, `ip route delete ${routeText(longer)}`)
  }
  return fine(routeText(way))
}

function checkNeighbour({ backend, surroundings, observed }: Overlay, { peer }: PeerJudgement): Finding {
  if (backend.type !== 'vxlan' || peer.direct !== undefined) return skipped('the kernel finds it out by itself')
  const found = observed.neighbours.find(({ device, ip }) => device === surroundings.device && ip === peer.gateway)
  if (found?.mac === peer.mac) return fine(`${peer.gateway} is ${found?.mac ?? '?'}`)
  return broken(`${peer.gateway} is ${found?.mac ?? 'unknown'}, its lease tells ${peer.mac ?? 'nothing'}`, comesBack)
}

function checkForwarding({ backend, surroundings, observed }: Overlay, { peer }: PeerJudgement): Finding {
  if (backend.type === 'udp') return skipped('the table of the udp tunnel is inside flanneld')
  if (backend.type !== 'vxlan' || peer.direct !== undefined)
    return skipped('packets go to the machine without a tunnel')
  const found = observed.forwarding.filter(({ device, mac }) => device === surroundings.device && mac === peer.mac)
  const remotes = found.map(({ remote }) => remote)
  if (remotes.length === 1 && remotes[0] === peer.publicIp) return fine(`${peer.mac ?? '?'} is at ${peer.publicIp}`)
  const at = remotes.length === 0 ? 'nowhere' : remotes.join(' and ')
  return broken(`${peer.mac ?? '?'} is at ${at}, its lease tells ${peer.publicIp}`, comesBack)
}

function checkFirewall({ filter }: Overlay): Finding {
  if (!filter.wanted.forward && !filter.wanted.masquerade) return skipped('no rules are asked for')
  const [first, ...others] = filterDifferences(filter)
  if (first !== undefined)
    return broken(`${first}${others.length === 0 ? '' : ` and ${others.length} more`}`, comesBack)
  return fine(`${filter.observed.lines.length} lines of ours in ${filter.observed.mode}`)
}

function checkMtu({ backend, surroundings, observed }: Overlay): Finding {
  const { external, device } = surroundings
  const linkMtu = observed.links.find(({ name }) => name === external.device)?.mtu
  if (linkMtu === undefined) return broken(`${external.device} is not there`, `bring ${external.device} back`)
  const wanted = backend.mtu(external.mtu)
  if (linkMtu < external.mtu) {
    return broken(
      `${external.device} carries ${linkMtu} bytes, ${external.mtu} were there at the start`,
      'restart flanneld, then the containers; or raise the MTU again',
    )
  }
  const link = device === undefined ? undefined : observed.links.find(({ name }) => name === device)
  if (link !== undefined && link.mtu !== wanted) {
    return broken(`${link.name} has ${link.mtu} bytes, wanted ${wanted}`, comesBack)
  }
  return fine(`${wanted} bytes over ${external.device} with ${linkMtu}`)
}

function covers(route: Route, subnet: string): boolean {
  const outer = parseNet4(route.destination)
  const inner = parseNet4(subnet)
  return outer !== undefined && inner !== undefined && outer.length <= inner.length && contains4(outer, inner.ip)
}

const longestFirst = (one: Route, other: Route): number =>
  (parseNet4(other.destination)?.length ?? 0) - (parseNet4(one.destination)?.length ?? 0) ||
  (one.metric ?? 0) - (other.metric ?? 0)

const routeText = ({ type, destination, gateway, device }: Route): string =>
  [type, destination, gateway && `via ${gateway}`, device && `dev ${device}`].filter(Boolean).join(' ')
