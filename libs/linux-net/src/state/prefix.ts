/** Prefixes of both families as numbers, just enough to say which contains which. */

/** `10.5.34.0/24` taken apart: family, all bits of the address, and how many of them count. */
export type Prefix = { readonly family: 4 | 6; readonly bits: bigint; readonly length: number }

/** The prefix that a text says; an address alone is a prefix of one address. `undefined`: neither. Host bits are kept. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const v4 = !address.includes(':')
  const bits = v4 ? bitsOfIp4(address) : bitsOfIp6(address)
  const lengthMax = v4 ? 32 : 128
  const length = slash < 0 ? lengthMax : Number(/^\d{1,3}$/.test(text.slice(slash + 1)) ? text.slice(slash + 1) : NaN)
  if (bits === undefined || !(length <= lengthMax)) return undefined
  return { family: v4 ? 4 : 6, bits, length }
}

/** Whether every address of `inner` is one of `outer`. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false
  const hostBits = BigInt((outer.family === 4 ? 32 : 128) - outer.length)
  return outer.bits >> hostBits === inner.bits >> hostBits
}

/** {@link containsPrefix} of texts; a text that is no prefix contains nothing and lies in nothing. */
export function containsText(outer: string, inner: string): boolean {
  const [outerPrefix, innerPrefix] = [parsePrefix(outer), parsePrefix(inner)]
  return outerPrefix !== undefined && innerPrefix !== undefined && containsPrefix(outerPrefix, innerPrefix)
}

/** Whether a text is one address, of either family. */
export const isAddress = (text: string): boolean => !text.includes('/') && parsePrefix(text) !== undefined

/** How `ip` prints a destination, made whole: `default` and addresses without a length get one. */
export function wholeDestination(destination: string, family: 4 | 6): string {
  if (destination === 'default') return family === 4 ? '0.0.0.0/0' : '::/0'
  return destination.includes('/') ? destination : `${destination}/${destination.includes(':') ? 128 : 32}`
}

function bitsOfIp4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let bits = 0
  for (const octet of match.slice(1)) {
    if (Number(octet) > 255) return undefined
    bits = bits * 256 + Number(octet)
  }
  return BigInt(bits)
}

function bitsOfIp6(text: string): bigint | undefined {
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const tail = mapped === null ? undefined : bitsOfIp4(mapped[2] ?? '')
  if (mapped !== null && tail === undefined) return undefined
  const whole =
    tail === undefined ? text : `${mapped?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
  const halves = whole.split('::')
  if (halves.length > 2) return undefined
  const [head, rest] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - (head?.length ?? 0) - (rest?.length ?? 0)
  if (rest === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...(head ?? []), ...Array.from({ length: missing }, () => '0'), ...(rest ?? [])]
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}
