/** udp: packets go through a TUN device and a process, as they are, in datagrams. spec/flannel.md §7.1 */
import { emptyState } from '@cluster/linux-net/state'
import { formatIp4, formatNet4, type UdpOptions } from '@cluster/subnet'
import type { Backend } from './backend.ts'

/** The outer IPv4 and UDP headers. */
const overheadBytes = 28

/** The udp backend. Its table of machines is the tunnel's; the kernel has one route for the whole network. */
export function createUdp({ port }: UdpOptions): Backend {
  const mtu = (linkMtu: number): number => linkMtu - overheadBytes
  return {
    type: 'udp',
    leaseType: '',
    udpPort: port,
    mtu,
    problemWith: () => undefined,
    data: () => undefined,
    link: () => undefined,
    // Machines of every backend are in a udp machine's table: udp writes no type, so that it cannot tell them apart.
    read: () => ({ kind: 'usable' }),
    direct: () => undefined,
    desired({ external, network, own, device }) {
      if (device === undefined) return emptyState
      return {
        ...emptyState,
        links: [{ name: device, kind: 'tun', mtu: mtu(external.mtu), up: true }],
        addresses: [{ device, address: `${formatIp4(own.ip)}/${network.length}` }],
        routes: [{ destination: formatNet4(network), device, scope: 'link', source: formatIp4(own.ip) }],
      }
    },
  }
}
