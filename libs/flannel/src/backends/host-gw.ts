/** host-gw: the other machines are the gateways, on one link. No tunnel, full MTU. spec/flannel.md §7.3 */
import { emptyState } from '@cluster/linux-net/state'
import type { Backend } from './backend.ts'

/** The host-gw backend. */
export function createHostGw(): Backend {
  return {
    type: 'host-gw',
    leaseType: 'host-gw',
    mtu: (linkMtu) => linkMtu,
    problemWith: ({ publicIp, interfaceAddress }) =>
      publicIp === interfaceAddress
        ? undefined
        : {
            text: "your PublicIP differs from interface IP, meaning that probably you're on a NAT, which is not supported by host-gw backend",
            hint: `leave out --public-ip ${publicIp}, or set Backend.Type to vxlan or udp`,
          },
    data: () => undefined,
    link: () => undefined,
    read: ({ backendType }) =>
      backendType === 'host-gw'
        ? { kind: 'usable' }
        : { kind: 'unusable', reason: `ignoring non-host-gw subnet: type=${backendType}` },
    direct: (_, external) => external.device,
    desired: (_, peers) => ({
      ...emptyState,
      routes: peers.flatMap(({ subnet, publicIp, direct }) =>
        direct === undefined ? [] : [{ destination: subnet, gateway: publicIp, device: direct }],
      ),
    }),
  }
}
