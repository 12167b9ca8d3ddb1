/**
 * Leases: which machine owns which subnet, as a key and a JSON value below `PREFIX/subnets`. Layout of the original
 * (spec/flannel.md §1), read more strictly: a key is a subnet as a whole, or no lease.
 */
import type { Ip4, Ip6, Net4, Net6 } from './ip-net.ts'
import { formatIp4, formatIp6, net4, net6, overlap4, overlap6, parseIp4, parseIp6, unsetIp4 } from './ip-net.ts'
import { isJsonObject, type JsonObject, type JsonValue, knownMembers, parseJson, renderGoJson } from './json-text.ts'

/** What one machine is given: an IPv4 subnet, an IPv6 subnet, or both; never neither. */
export type Subnet = { readonly v4?: Net4; readonly v6?: Net6 }

/** What the other machines must know of the owner of a subnet. */
export type LeaseAttributes = {
  /** Where the owner is reached. The same address means the same machine. */
  readonly publicIp: Ip4
  readonly publicIpv6?: Ip6
  /** `vxlan`, `host-gw`, …; empty for udp and alloc, which write none. */
  readonly backendType: string
  /** What the backend tells the others, for example the address of its device. */
  readonly backendData?: JsonValue
  readonly backendV6Data?: JsonValue
}

/** A subnet and its owner. */
export type Lease = {
  readonly subnet: Subnet
  readonly attributes: LeaseAttributes
  /** Seconds left when it was read; absent: a reservation, which does not end by itself. */
  readonly ttlSeconds?: number
}

/** How long a lease lives after each write, in seconds. */
export const leaseTtlSeconds = 86_400

/** Longest value that is read as a lease, in UTF-16 units; a longer one is ignored. */
export const leaseValueLengthMax = 65_536

/** The key of a subnet, without the path: `10.5.34.0-24`, with IPv6 `10.5.34.0-24&fc00:0:0:3::-64`. */
export function subnetKey({ v4, v6 }: Subnet): string {
  // Without IPv4 the original writes the empty network in its place.
  const key4 = v4 === undefined ? '0.0.0.0-0' : `${formatIp4(v4.ip)}-${v4.length}`
  return v6 === undefined ? key4 : `${key4}&${formatIp6(v6.ip)}-${v6.length}`
}

/**
 * The subnet of a key, given without its path; host bits are dropped. `undefined` for everything else, also for an
 * empty prefix (one such key would make every allocator answer "out of subnets") and for a prefix of 32 and more,
 * which no release reads.
 */
export function parseSubnetKey(text: string): Subnet | undefined {
  const parts = /^(\d+\.\d+\.\d+\.\d+)-(\d{1,9})(?:&([0-9a-fA-F:.]+)-(\d{1,9}))?$/.exec(text)
  if (parts === null) return undefined
  const [, address4 = '', digits4 = '', address6, digits6] = parts
  const [ip4, length4] = [parseIp4(address4), Number(digits4)]
  if (ip4 === undefined || length4 > 31) return undefined
  if (address6 === undefined) return length4 === 0 ? undefined : { v4: net4(ip4, length4) }
  const [ip6, length6] = [parseIp6(address6), Number(digits6)]
  if (ip6 === undefined || length6 === 0 || length6 > 127) return undefined
  const v6 = net6(ip6, length6)
  if (length4 > 0) return { v4: net4(ip4, length4), v6 }
  return ip4 === unsetIp4 ? { v6 } : undefined
}

/** Whether the subnets share an address of either family. */
export const subnetsOverlap = (one: Subnet, other: Subnet): boolean =>
  (one.v4 !== undefined && other.v4 !== undefined && overlap4(one.v4, other.v4)) ||
  (one.v6 !== undefined && other.v6 !== undefined && overlap6(one.v6, other.v6))

/** Whether the two are the same subnet, in both families. */
export const sameSubnet = (one: Subnet, other: Subnet): boolean => subnetKey(one) === subnetKey(other)

/** `10.5.34.0/24`, with IPv6 `10.5.34.0/24 and fc00:0:0:3::/64`: for people. */
export const describeSubnet = ({ v4, v6 }: Subnet): string =>
  [
    ...(v4 === undefined ? [] : [`${formatIp4(v4.ip)}/${v4.length}`]),
    ...(v6 === undefined ? [] : [`${formatIp6(v6.ip)}/${v6.length}`]),
  ].join(' and ')

/** The value of a lease as the original writes it: compact, its order of members, its escapes. */
export function encodeAttributes(attributes: LeaseAttributes): string {
  const { publicIp, publicIpv6, backendType, backendData, backendV6Data } = attributes
  return renderGoJson({
    PublicIP: formatIp4(publicIp),
    PublicIPv6: publicIpv6 === undefined ? undefined : formatIp6(publicIpv6),
    BackendType: backendType === '' ? undefined : backendType,
    BackendData: backendData,
    BackendV6Data: backendV6Data,
  })
}

const members = ['PublicIP', 'PublicIPv6', 'BackendType', 'BackendData', 'BackendV6Data'] as const

/**
 * The attributes in a value; `undefined` when the value is none that the original reads, is longer than
 * `leaseValueLengthMax`, or names an owner by IPv6 only. `null` and an object without PublicIP belong to `0.0.0.0`.
 */
export function parseAttributes(text: string): LeaseAttributes | undefined {
  if (text.length > leaseValueLengthMax) return undefined
  const value = parseJson(text)
  if (value === null) return { publicIp: unsetIp4, backendType: '' }
  if (!isJsonObject(value)) return undefined
  return plainAttributes(text, value) ?? spelledAttributes(text)
}

/**
 * Of a value as everybody writes it, in a tenth of the time: names exactly as they are, each once, no escape anywhere.
 * `undefined` for any other value, also for one that is no lease.
 */
function plainAttributes(text: string, value: JsonObject): LeaseAttributes | undefined {
  const names = Object.keys(value)
  if (text.includes('\\') || names.some((name) => !isPlainName(text, name))) return undefined
  const { PublicIP: ip4, PublicIPv6: ip6 = null, BackendType: backendType = '', BackendData, BackendV6Data } = value
  const publicIp = typeof ip4 === 'string' && !ip4.includes(':') ? parseIp4(ip4) : undefined
  if (publicIp === undefined || ip6 !== null || typeof backendType !== 'string') return undefined
  return {
    publicIp,
    backendType,
    ...(BackendData === undefined ? {} : { backendData: BackendData }),
    ...(BackendV6Data === undefined ? {} : { backendV6Data: BackendV6Data }),
  }
}

const isPlainName = (text: string, name: string): boolean =>
  members.some((known) => known === name) && text.indexOf(`"${name}"`) === text.lastIndexOf(`"${name}"`)

function spelledAttributes(text: string): LeaseAttributes | undefined {
  let attributes: LeaseAttributes = { publicIp: unsetIp4, backendType: '' }
  for (const member of knownMembers(text, members)) {
    const next = withMember(attributes, member.name, member.text)
    if (next === undefined) return undefined
    attributes = next
  }
  return attributes
}

function withMember(
  attributes: LeaseAttributes,
  name: (typeof members)[number],
  text: string,
): LeaseAttributes | undefined {
  // Addresses are taken from the text between the quotes, escapes not decoded.
  if (name === 'PublicIP') {
    const publicIp = parseIp4(unquoted(text))
    return publicIp === undefined ? undefined : { ...attributes, publicIp }
  }
  if (name === 'PublicIPv6') {
    if (text === 'null') return attributes
    const publicIpv6 = parseIp6(unquoted(text))
    return publicIpv6 === undefined ? undefined : { ...attributes, publicIpv6 }
  }
  const value = parseJson(text)
  if (value === undefined) return undefined
  if (name === 'BackendData') return { ...attributes, backendData: value }
  if (name === 'BackendV6Data') return { ...attributes, backendV6Data: value }
  if (value === null) return attributes
  return typeof value === 'string' ? { ...attributes, backendType: value } : undefined
}

/** The text between the outer quotes; text without quotes as it is. */
export const unquoted = (text: string): string => text.replace(/^"+|"+$/g, '')

/** A lease as its key and value: what a listing makes of one entry. The key is without its path. */
export type LeaseReading =
  | { readonly kind: 'lease'; readonly lease: Lease & { readonly key: string } }
  /** The key is a subnet, but the value tells no owner: somebody's, so nobody else may have it. */
  | { readonly kind: 'blocked'; readonly key: string; readonly subnet: Subnet; readonly reason: string }
  | { readonly kind: 'junk'; readonly key: string; readonly reason: string }

/** What stands in one entry below `PREFIX/subnets`. */
export function readLease(entry: {
  /** Without its path: `10.5.34.0-24`. */
  readonly key: string
  readonly value: string
  readonly ttlSeconds?: number
}): LeaseReading {
  const { key, value, ttlSeconds } = entry
  const subnet = parseSubnetKey(key)
  if (subnet === undefined) return { kind: 'junk', key, reason: 'the key is no subnet' }
  const attributes = parseAttributes(value)
  if (attributes === undefined) {
    const isLong = value.length > leaseValueLengthMax
    const reason = isLong ? `the value is longer than ${leaseValueLengthMax} characters` : 'the value names no owner'
    return { kind: 'blocked', key, subnet, reason }
  }
  return {
    kind: 'lease',
    lease: { key, subnet, attributes, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) },
  }
}
