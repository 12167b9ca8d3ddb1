/** Names of files in a data directory. Three folders: `log`, `snapshots` and `lock`. */
import { join } from 'node:path'
import type { SnapshotPosition } from './payload.ts'

export const logDirectory = (directory: string): string => join(directory, 'log')
/** Where the first segment is built before `log` appears at once, whole. */
export const newLogDirectory = (directory: string): string => join(directory, 'log.tmp')
export const snapshotDirectory = (directory: string): string => join(directory, 'snapshots')
export const lockDirectory = (directory: string): string => join(directory, 'lock')

/** Names that are ours in a data directory. */
export const ownNames: readonly string[] = ['log', 'log.tmp', 'snapshots', 'lock']

/** The segment that is ready for use, and the one that is still being filled with zeros. */
export const spareName = 'spare'
export const newSpareName = 'spare.tmp'

const hex = (value: number): string => value.toString(16).padStart(16, '0')

/** `<number>-<first index>.log`, both 16 hex digits: names sort as segments follow each other. */
export const segmentName = (number: number, firstIndex: number): string => `${hex(number)}-${hex(firstIndex)}.log`
export const snapshotName = ({ index, term }: SnapshotPosition): string => `${hex(index)}-${hex(term)}.snapshot`

/** Undefined for what is no segment. */
export function parseSegmentName(name: string): { readonly number: number; readonly firstIndex: number } | undefined {
  const found = /^([0-9a-f]{16})-([0-9a-f]{16})\.log$/.exec(name)
  return found === null ? undefined : { number: parseHex(found[1]), firstIndex: parseHex(found[2]) }
}

/** Undefined for what is no snapshot. */
export function parseSnapshotName(name: string): SnapshotPosition | undefined {
  const found = /^([0-9a-f]{16})-([0-9a-f]{16})\.snapshot$/.exec(name)
  return found === null ? undefined : { index: parseHex(found[1]), term: parseHex(found[2]) }
}

/** Whether a name in `log` is one that this library gives. */
export const isOwnLogName = (name: string): boolean =>
  parseSegmentName(name) !== undefined || name === spareName || name === newSpareName || name.endsWith('.broken')

const parseHex = (digits: string | undefined): number => Number.parseInt(digits ?? '', 16)
