/**
 * Names of paths that are too long for a unit name: the beginning of the escaped path, and a hash of all of it. Rules:
 * systemd 252, which took this up in 251. The hash is SipHash-2-4 (Aumasson and Bernstein, 2012) under a fixed key.
 */
import { encodeText } from './byte-text.ts'

const nameBytesMax = 255
const hashDigits = 16
const mask = 0xffffffffffffffffn
/** The 128 bits of systemd's key, as two little-endian words. */
const key = [0x324a3258fb37f2ecn, 0x9aeb210d9b069f84n] as const

/** The name that stands for a too long one, of the same type. */
export function hashedName(name: string): string {
  const type = name.slice(name.lastIndexOf('.'))
  const bytes = encodeText(name)
  const length = nameBytesMax - type.length - hashDigits - 1
  return `${new TextDecoder().decode(bytes.subarray(0, length))}_${littleEndianHex(sipHash(bytes))}${type}`
}

/** Whether a plain name has the form of `hashedName`, so that no path can be read from it. */
export const isHashedName = (name: string): boolean => /._[0-9a-f]{16}\.[a-z]+$/s.test(name) && !name.includes('@')

function littleEndianHex(value: bigint): string {
  const digits = value.toString(16).padStart(hashDigits, '0')
  return (digits.match(/../g) ?? []).reverse().join('')
}

/** SipHash-2-4 of the bytes and the zero that ends them in systemd's memory. */
function sipHash(text: Uint8Array): bigint {
  const bytes = new Uint8Array(text.length + 1)
  bytes.set(text)
  let [a, b, c, d] = [
    key[0] ^ 0x736f6d6570736575n,
    key[1] ^ 0x646f72616e646f6dn,
    key[0] ^ 0x6c7967656e657261n,
    key[1] ^ 0x7465646279746573n,
  ]
  const round = (): void => {
    a = (a + b) & mask
    b = rotate(b, 13n) ^ a
    a = rotate(a, 32n)
    c = (c + d) & mask
    d = rotate(d, 16n) ^ c
    a = (a + d) & mask
    d = rotate(d, 21n) ^ a
    c = (c + b) & mask
    b = rotate(b, 17n) ^ c
    c = rotate(c, 32n)
  }
  const whole = bytes.length - (bytes.length % 8)
  for (let start = 0; start <= whole; start += 8) {
    let word = start === whole ? BigInt(bytes.length & 0xff) << 56n : 0n
    for (const [place, byte] of bytes.subarray(start, start + 8).entries()) word |= BigInt(byte) << BigInt(8 * place)
    d ^= word
    round()
    round()
    a ^= word
  }
  c ^= 0xffn
  for (let count = 0; count < 4; count++) round()
  return a ^ b ^ c ^ d
}

const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & mask
