/** Network addresses, ports and interface names, as systemd 252 takes them from unit files. */
import { byteLength } from './byte-text.ts'
import { parseInteger } from './values.ts'

/** Whether a text is an IPv4 address: four numbers without leading zeros. */
const isIpv4 = (text: string): boolean =>
  /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) &&
  text.split('.').every((part) => String(Number(part)) === part && Number(part) < 256)

function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1)?.at(-1)
  const all = groups.flat()
  const endsInIpv4 = last !== undefined && isIpv4(last)
  const plain = endsInIpv4 ? all.slice(0, -1) : all
  const count = plain.length + (endsInIpv4 ? 2 : 0)
  return plain.every((group) => /^[\da-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? count < 8 : count === 8)
}

/** Whether a text is an address, with or without `/` and the length of its prefix. */
export function isAddressPrefix(text: string): boolean {
  const [address = '', length, ...more] = text.split('/')
  if (more.length > 0) return false
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : undefined
  return bits !== undefined && (length === undefined || parseInteger(length, { min: 0, max: bits }).ok)
}

const isPort = (text: string): boolean => parseInteger(text, { min: 1, max: 65_535 }).ok

/** Whether a text is a port or a range of ports. */
export function isPortRange(text: string): boolean {
  const [first = '', last = first, ...more] = text.split('-')
  if (more.length > 0 || !isPort(first) || !isPort(last)) return false
  const number = (port: string): number => {
    const parsed = parseInteger(port, { min: 1, max: 65_535 })
    return parsed.ok ? parsed.value : 0
  }
  return number(first) <= number(last)
}

/** A path or abstract name must fit into what the system has for it. */
const unixNameBytesMax = 107

export type ListenAddress = 'unix' | 'vsock' | 'internet'

/** The kind of an address to listen on: path, `@name`, `vsock:CID:PORT`, `PORT`, `v4:PORT`, `[v6]:PORT`. */
export function listenAddressKind(text: string): ListenAddress | undefined {
  if (/^[/@]/.test(text)) return text.length > 1 && byteLength(text) <= unixNameBytesMax ? 'unix' : undefined
  if (text.startsWith('vsock:')) {
    const [, cid = '', port = '', ...more] = text.split(':')
    const unsigned = (number: string): boolean => parseInteger(number, { min: 0, max: 4_294_967_295 }).ok
    return more.length === 0 && (cid === '' || unsigned(cid)) && unsigned(port) ? 'vsock' : undefined
  }
  if (isPort(text)) return 'internet'
  const [, v6, v4, port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(.*)$/s.exec(text) ?? []
  const isAddress = v6 === undefined ? isIpv4(v4 ?? '') : isIpv6(v6)
  return isAddress && isPort(port) ? 'internet' : undefined
}

const netlinkFamilies = new Set(
  `route firewall inet-diag nflog xfrm selinux iscsi audit fib-lookup connector netfilter ip6-fw dnrtmsg kobject-uevent
   generic scsitransport ecryptfs rdma`.split(/\s+/),
)

/** Whether a text is a netlink family, with or without a group. */
export function isNetlinkAddress(text: string): boolean {
  const [, family = '', group = ''] = /^[ \t\n\r]*([^ \t\n\r]+)[ \t\n\r]*(.*)$/s.exec(text) ?? []
  const isFamily = netlinkFamilies.has(family) || parseInteger(family, { min: 0, max: 2_147_483_647 }).ok
  return isFamily && (group === '' || parseInteger(group, { min: 0, max: 4_294_967_295 }).ok)
}

/** Whether the kernel could have an interface of this name. */
export function isInterfaceName(name: string): boolean {
  if (name === '' || name.length > 15 || ['.', '..', 'all', 'default'].includes(name)) return false
  if (!/^[!-$&-.0-9;-~]+$/.test(name)) return false
  return !/^\d+$/.test(name) && !parseInteger(name, { min: 0, max: 2_147_483_647 }).ok
}
