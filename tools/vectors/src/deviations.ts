/**
 * Cases in which we do better than the original on purpose and no policy decides as recorded. Each is run like any
 * other; it passes when our answer differs from the recorded one in exactly these places. The list is printed with
 * every run of its set.
 */
import type { Difference } from './vector-set.ts'

export type Deviation = {
  readonly set: string
  /** The name of the case. */
  readonly case: string
  /** Number of the trap in spec/fleet.md §12, where it is one. */
  readonly trap?: number
  readonly reason: string
  /** Where our answer is another one, and which. */
  readonly outcome: readonly Difference[]
}

export const deviations: readonly Deviation[] = [
  {
    set: 'unit-values',
    case: 'known-options.json: [Mount]',
    reason: 'systemd 252 does expand specifiers in Type= of a mount: it says “Failed to resolve unit specifiers” of %z',
    outcome: [{ at: 'Type.specifiers', expected: false, actual: true }],
  },
  ...['prefix 0', 'text in front', 'text behind'].map((name) => ({
    set: 'flannel-allocator',
    case: `lease-keys.json: ${name}`,
    reason: 'a key is a subnet as a whole, and not an empty prefix: such a key would block subnets for nobody',
    outcome: [
      { at: 'attrs_again', expected: '{"PublicIP":"192.0.2.7"}', actual: undefined },
      { at: 'key_again', expected: name === 'prefix 0' ? '10.5.34.0-0' : '10.5.34.0-24', actual: undefined },
      { at: 'subnet', expected: name === 'prefix 0' ? '10.5.34.0/0' : '10.5.34.0/24', actual: undefined },
      { at: 'ignored', expected: undefined, actual: true },
    ],
  })),
  {
    set: 'flannel-allocator',
    case: 'lease-keys.json: host bits in the key',
    reason: 'the subnet is the network that holds the address, as the kernel wants it; the key is kept beside it',
    outcome: [
      { at: 'key_again', expected: '10.5.34.7-24', actual: '10.5.34.0-24' },
      { at: 'subnet', expected: '10.5.34.7/24', actual: '10.5.34.0/24' },
    ],
  },
  {
    set: 'flannel-allocator',
    case: 'lease-keys.json: address earlier in the path',
    reason: 'the last part of the path is the key, as in the newer releases',
    outcome: [
      { at: 'key_again', expected: '10.1.2.0-24', actual: '10.5.34.0-24' },
      { at: 'subnet', expected: '10.1.2.0/24', actual: '10.5.34.0/24' },
    ],
  },
  {
    set: 'flannel-allocator',
    case: 'lease-keys.json: dual-stack key and payload',
    reason: 'IPv6 is read as the newer releases do; v0.9.1 sees the IPv4 half only',
    outcome: [
      {
        at: 'attrs_again',
        expected:
          '{"PublicIP":"192.0.2.7","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"0a:58:0a:05:22:00"}}',
        actual:
          '{"PublicIP":"192.0.2.7","PublicIPv6":"2001:db8::7","BackendType":"vxlan",' +
          '"BackendData":{"VNI":1,"VtepMAC":"0a:58:0a:05:22:00"},"BackendV6Data":{"VNI":1,"VtepMAC":"0a:58:0a:05:22:01"}}',
      },
      { at: 'key_again', expected: '10.42.3.0-24', actual: '10.42.3.0-24&fc00:42:0:3::-64' },
      { at: 'ipv6_subnet', expected: undefined, actual: 'fc00:42:0:3::/64' },
    ],
  },
]
