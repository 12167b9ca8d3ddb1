/**
 * IPv4 and IPv6 addresses and networks as numbers. Text is read as the original reads it (spec/flannel.md §2):
 * octets up to 255 without leading zeros, IPv6 with `::` and a dotted tail, no zones; an IPv4-mapped IPv6 address is
 * the IPv4 address. Text is written as RFC 5952 says.
 */
import type { Brand } from '@cluster/prelude'

/** An IPv4 address as a number from 0 to 2^32 - 1, first octet highest. */
export type Ip4 = Brand<number, 'Ip4'>

/** An IPv6 address as a number from 0 to 2^128 - 1. */
export type Ip6 = Brand<bigint, 'Ip6'>

/** An IPv4 network; the host bits of `ip` are zero, `length` is 0 to 32. */
export type Net4 = { readonly ip: Ip4; readonly length: number }

/** An IPv6 network; the host bits of `ip` are zero, `length` is 0 to 128. */
export type Net6 = { readonly ip: Ip6; readonly length: number }

const addresses4 = 2 ** 32
const dot = '.'.charCodeAt(0)
const zero = '0'.charCodeAt(0)

/** The address of this number, modulo 2^32. */
export const toIp4 = (value: number): Ip4 => (((value % addresses4) + addresses4) % addresses4) as Ip4

/** The address of this number, modulo 2^128. */
export const toIp6 = (value: bigint): Ip6 => BigInt.asUintN(128, value) as Ip6

/** The address `0.0.0.0`, which stands for "not given". */
export const unsetIp4 = toIp4(0)

/** How many addresses a network of this length has: 1 to 2^32. */
export const size4 = (length: number): number => 2 ** (32 - length)

/** How many addresses a network of this length has: 1 to 2^128. */
export const size6 = (length: number): bigint => 1n << BigInt(128 - length)

/** The network of this length that holds the address: host bits are dropped. */
export const net4 = (ip: Ip4, length: number): Net4 => ({ ip: toIp4(ip - (ip % size4(length))), length })

/** The network of this length that holds the address: host bits are dropped. */
export const net6 = (ip: Ip6, length: number): Net6 => ({ ip: toIp6(ip - (ip % size6(length))), length })

/** Whether the address lies in the network. */
export const contains4 = (net: Net4, ip: Ip4): boolean => net4(ip, net.length).ip === net4(net.ip, net.length).ip

/** Whether the address lies in the network. */
export const contains6 = (net: Net6, ip: Ip6): boolean => net6(ip, net.length).ip === net6(net.ip, net.length).ip

/** Whether the networks share an address. */
export const overlap4 = (one: Net4, other: Net4): boolean =>
  one.length <= other.length ? contains4(one, other.ip) : contains4(other, one.ip)

/** Whether the networks share an address. */
export const overlap6 = (one: Net6, other: Net6): boolean =>
  one.length <= other.length ? contains6(one, other.ip) : contains6(other, one.ip)

/** Whether the two are the same network. */
export const sameNet4 = (one: Net4 | undefined, other: Net4 | undefined): boolean =>
  one?.ip === other?.ip && one?.length === other?.length

/** Whether the two are the same network. */
export const sameNet6 = (one: Net6 | undefined, other: Net6 | undefined): boolean =>
  one?.ip === other?.ip && one?.length === other?.length

/** The address of a dotted quad, or of an IPv4-mapped IPv6 address (`::ffff:10.3.5.0`); `undefined` for other text. */
export function parseIp4(text: string): Ip4 | undefined {
  const dotted = parseDotted(text)
  if (dotted !== undefined || !text.includes(':')) return dotted
  const ip = parseIp6(text)
  return ip !== undefined && ip >> 32n === 0xffffn ? toIp4(Number(BigInt.asUintN(32, ip))) : undefined
}

/** Digit by digit: a network of thousands of machines is read by every one of them at its start. */
function parseDotted(text: string): Ip4 | undefined {
  let value = 0
  let octets = 0
  let octet = -1
  for (let index = 0; index <= text.length; index++) {
    // Behind the end stands a dot that ends the last octet.
    const code = index === text.length ? dot : text.charCodeAt(index)
    if (code === dot) {
      if (octet < 0 || octets === 4) return undefined
      value = value * 256 + octet
      octets++
      octet = -1
      continue
    }
    const digit = code - zero
    if (digit < 0 || digit > 9 || octet === 0) return undefined
    octet = octet < 0 ? digit : octet * 10 + digit
    if (octet > 255) return undefined
  }
  return octets === 4 ? toIp4(value) : undefined
}

/** The dotted quad. */
export const formatIp4 = (ip: Ip4): string => [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join('.')

/** The address of IPv6 text, a dotted tail included; `undefined` for other text, for a dotted quad too. */
export function parseIp6(text: string): Ip6 | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  if (tail !== null) {
    const dotted = parseDotted(tail[2] ?? '')
    if (dotted === undefined) return undefined
    return parseGroups(`${tail[1] ?? ''}${(dotted >>> 16).toString(16)}:${(dotted & 0xffff).toString(16)}`)
  }
  return parseGroups(text)
}

function parseGroups(text: string): Ip6 | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const groups = [...head, ...rest]
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  const missing = 8 - groups.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...rest]
  return toIp6(all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n))
}

/** The shortest text of RFC 5952; IPv4-mapped addresses with a dotted tail. */
export function formatIp6(ip: Ip6): string {
  if (ip >> 32n === 0xffffn) return `::ffff:${formatIp4(toIp4(Number(BigInt.asUintN(32, ip))))}`
  const groups = Array.from({ length: 8 }, (_, index) => BigInt.asUintN(16, ip >> BigInt(16 * (7 - index))))
  const zeros = longestZeros(groups)
  const text = (part: readonly bigint[]): string => part.map((group) => group.toString(16)).join(':')
  if (zeros.length < 2) return text(groups)
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly bigint[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, index) => {
    if (group !== 0n) start = index + 1
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start }
  })
  return longest
}

/** `10.5.34.0/24` as a network; host bits are dropped, `10.5.34.1/24` is the same network. */
export function parseNet4(text: string): Net4 | undefined {
  const { address, length } = splitNet(text, 32)
  const ip = parseDotted(address)
  return ip === undefined || length === undefined ? undefined : net4(ip, length)
}

/** `fc00::/48` as a network; host bits are dropped. */
export function parseNet6(text: string): Net6 | undefined {
  const { address, length } = splitNet(text, 128)
  const ip = parseIp6(address)
  return ip === undefined || length === undefined ? undefined : net6(ip, length)
}

function splitNet(text: string, bits: number): { readonly address: string; readonly length: number | undefined } {
  const parts = /^([^/]*)\/(\d{1,9})$/.exec(text)
  const length = Number(parts?.[2] ?? Number.NaN)
  return { address: parts?.[1] ?? '', length: length <= bits ? length : undefined }
}

/** `10.5.34.0/24`. */
export const formatNet4 = ({ ip, length }: Net4): string => `${formatIp4(ip)}/${length}`

/** `fc00:0:0:3::/64`. */
export const formatNet6 = ({ ip, length }: Net6): string => `${formatIp6(ip)}/${length}`
