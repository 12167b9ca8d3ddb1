/** vxlan: packets go through a device of the kernel, which finds the other machine by neighbour and forwarding entry. §7.2 */
import { emptyState, type ForwardingEntry, type Link, type NetworkState } from '@cluster/linux-net/state'
import { formatIp4, isJsonObject, type JsonValue, type VxlanOptions } from '@cluster/subnet'
import type { ExternalInterface } from '../external.ts'
import type { Backend, Peer, PeerData } from './backend.ts'

/** The outer IPv4, UDP and VXLAN headers and the inner Ethernet header. */
const overheadBytes = 50
/** Linux's own port; IANA's 4789 would break networks with other releases. */
const kernelPort = 8472

/** The vxlan backend, with plain routes to machines on our own link if DirectRouting says so. */
export function createVxlan(options: VxlanOptions): Backend {
  const { vni, port, gbp, learning, directRouting } = options
  const device = `flannel.${vni}`
  const mtu = (linkMtu: number): number => (options.mtu ?? linkMtu) - overheadBytes

  const link = (external: ExternalInterface, mac: string | undefined): Link => ({
    name: device,
    kind: 'vxlan',
    mtu: mtu(external.mtu),
    up: true,
    ...(mac === undefined ? {} : { mac }),
    vxlan: {
      vni,
      underlay: external.device,
      local: external.interfaceAddress,
      port: port === 0 ? kernelPort : port,
      learning,
      gbp,
    },
  })

  return {
    type: 'vxlan',
    leaseType: 'vxlan',
    device,
    mtu,
    problemWith: () => undefined,
    data: (mac) => (mac === undefined ? undefined : { VtepMAC: mac }),
    link,
    read: ({ backendType, backendData }) =>
      backendType === 'vxlan'
        ? readVtep(backendData, vni)
        : { kind: 'unusable', reason: `ignoring non-vxlan subnet: type=${backendType}` },
    direct: (publicIp, _, linkTo) => (directRouting ? linkTo(publicIp) : undefined),
    desired: (surroundings, peers) => ({
      ...peerState(device, peers),
      links: [link(surroundings.external, surroundings.mac)],
      addresses: [{ device, address: `${formatIp4(surroundings.own.ip)}/32` }],
    }),
  }
}

function peerState(device: string, peers: readonly Peer[]): NetworkState {
  const forwarding = new Map<string, ForwardingEntry>()
  const state = { ...emptyState, routes: [...emptyState.routes], neighbours: [...emptyState.neighbours] }
  for (const { subnet, gateway, publicIp, mac, direct } of peers) {
    if (direct !== undefined) {
      state.routes.push({ destination: subnet, gateway: publicIp, device: direct })
    } else if (mac !== undefined) {
      state.neighbours.push({ device, ip: gateway, mac })
      // One device has one way to a hardware address; a machine may hold two leases for a while.
      if (!forwarding.has(mac)) forwarding.set(mac, { device, mac, remote: publicIp })
      state.routes.push({ destination: subnet, gateway, device, onlink: true })
    }
  }
  return { ...state, forwarding: [...forwarding.values()] }
}

function readVtep(data: JsonValue | undefined, vni: number): PeerData {
  const members = isJsonObject(data) ? Object.entries(data) : []
  const memberOf = (name: string): JsonValue | undefined =>
    members.findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
  const mac = memberOf('VtepMAC')
  if (typeof mac !== 'string' || !isUnicastMac(mac))
    return { kind: 'unusable', reason: 'its BackendData has no VtepMAC' }
  const theirs = memberOf('VNI')
  if (typeof theirs === 'number' && theirs !== vni) {
    return { kind: 'unusable', reason: `it uses VNI ${theirs}, this machine ${vni}` }
  }
  return { kind: 'usable', mac: mac.toLowerCase() }
}

const isUnicastMac = (text: string): boolean =>
  /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text) && !/^[0:]+$/.test(text)
