/** Rules and order of keys; see `Key` for the form. Adapters check with these before they ask a store. */
import { assert } from '@cluster/prelude'
import { KvError } from './errors.ts'
import type { Key, KvEntry } from './kv.ts'

/** The longest key in characters. A key is a path of names; what is longer is a mistake. */
export const keyLengthMax = 4096

/**
 * Refuses what is not a key.
 *
 * @throws KvError `kv/invalid-key`, naming the key and the rule
 */
export function checkKey(key: Key): void {
  if (key === '/') throw invalidKey(key, 'names the whole store, not one entry')
  checkPrefix(key)
}

/** Refuses what is not a prefix: a key, or `/`. Errors as `checkKey`. */
export function checkPrefix(prefix: Key): void {
  if (prefix === '/') return
  if (prefix.length > keyLengthMax) {
    throw invalidKey(
      `${prefix.slice(0, 40)}…`,
      `is ${prefix.length} characters long, at most ${keyLengthMax} are allowed`,
    )
  }
  if (!prefix.startsWith('/')) throw invalidKey(prefix, 'does not start with a slash')
  for (const part of prefix.slice(1).split('/')) {
    if (part === '') throw invalidKey(prefix, 'has an empty part: a doubled or trailing slash')
    if (part === '.' || part === '..') throw invalidKey(prefix, `has the part ${JSON.stringify(part)}`)
  }
}

/** The longest time to live: about thirty years. Beyond it stores overflow, and each does something else then. */
export const ttlSecondsMax = 1_000_000_000

/** Refuses a time to live that is not whole seconds from 1 to `ttlSecondsMax`: a bug of the caller. */
export function checkTtl(ttlSeconds: number | undefined): void {
  if (ttlSeconds === undefined) return
  const isTtl = Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= ttlSecondsMax
  assert(isTtl, `a time to live is whole seconds from 1 to ${ttlSecondsMax}, found ${ttlSeconds}`)
}

const invalidKey = (key: Key, why: string): KvError =>
  new KvError('kv/invalid-key', `key ${JSON.stringify(key)} ${why}`, {
    hint: 'a key is an absolute path of non-empty parts, such as /fleet/job/a.service/target',
  })

/** Whether `key` stands below `prefix`; the prefix itself does not. */
export const isBelow = (prefix: Key, key: Key): boolean =>
  prefix === '/' ? key !== '/' : key.length > prefix.length && key[prefix.length] === '/' && key.startsWith(prefix)

/** The directories on the way to a key, outermost first: `/a`, `/a/b` for `/a/b/c`. The root is left out. */
export function directoriesOf(key: Key): readonly Key[] {
  const directories: Key[] = []
  for (let slash = key.indexOf('/', 1); slash !== -1; slash = key.indexOf('/', slash + 1)) {
    directories.push(key.slice(0, slash))
  }
  return directories
}

/** Orders keys by the bytes of their UTF-8 form, which is not JavaScript's order beyond U+FFFF. */
export function compareKeys(left: Key, right: Key): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    // Half of a pair stands for a character above all others: lift the pairs over U+E000 to U+FFFF.
    if (a !== b) return liftPairs(a) - liftPairs(b)
  }
  return left.length - right.length
}

const liftPairs = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** `compareKeys` for entries. */
export const compareEntries = (left: KvEntry, right: KvEntry): number => compareKeys(left.key, right.key)

/** The text with each half of a broken pair replaced by U+FFFD, as UTF-8 would. What a store gives back for it. */
export const wellFormed = (text: string): string =>
  text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (found) => (found.length === 2 ? found : '\ufffd'))
