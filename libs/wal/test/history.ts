/** What tests of the log share: a log on a disk in memory, a model of what it must hold, and reading it back. */

import type { Disk, HardState, Log, LogEntry, LogIdentity, MemoryDisk, Recovered, Snapshots } from '@cluster/wal'
import { createMemoryDisk, openLog, openSnapshots, toAsyncDisk } from '@cluster/wal'

export const identity: LogIdentity = { clusterId: 'cdf818194e3a8c32', memberId: '8e9e05c52164694d', extra: '{"v":1}' }
export const directory = '/data'
export const segmentSizeBytes = 8192

/** Ids that differ from call to call and are the same in every run. */
export function countingBytes(): (count: number) => Uint8Array {
  let calls = 0
  return (count) => {
    calls++
    return Uint8Array.from({ length: count }, (_, at) => (calls * 37 + at * 101 + 11) & 255)
  }
}

export type OpenOptions = { readonly segmentSizeBytes?: number; readonly monotonicMs?: () => number }

/** A clock that goes on by being looked at: idling ends. */
function steppingClock(): () => number {
  let nowMs = 0
  return () => {
    nowMs += 10
    return nowMs
  }
}

const idsOf = new WeakMap<Disk, (count: number) => Uint8Array>()

export function open(disk: Disk, options: OpenOptions = {}): { readonly log: Log; readonly recovered: Recovered } {
  const randomBytes = idsOf.get(disk) ?? countingBytes()
  idsOf.set(disk, randomBytes)
  return openLog({ disk, directory, identity, segmentSizeBytes, randomBytes, monotonicMs: steppingClock(), ...options })
}

export const snapshotsOf = (disk: Disk, keep = 5): Snapshots =>
  openSnapshots({ disk: toAsyncDisk(disk), directory, keep })

export async function putSnapshot(disk: Disk, index: number, term: number, parts: readonly string[] = ['a', 'b']) {
  const writer = await snapshotsOf(disk).create({ index, term })
  for (const part of parts) await writer.write(Buffer.from(part))
  await writer.commit()
}

export const entry = (index: number, term: number, text: string, kind = 0): LogEntry => ({
  index,
  term,
  kind,
  data: new Uint8Array(Buffer.from(text)),
})

export const entries = (from: number, to: number, term: number, fill = 'entry'): LogEntry[] =>
  Array.from({ length: to - from + 1 }, (_, at) =>
    entry(from + at, term, `${fill} ${from + at} ${'.'.repeat((from + at) % 23)}`),
  )

export const textOf = ({ index, term, kind, data }: LogEntry): string =>
  `${index}/${term}/${kind}:${Buffer.from(data).toString('latin1')}`

/** Everything that opening gives, as a value to compare. */
export type Content = {
  readonly hardState: HardState
  readonly snapshotIndex: number
  readonly entries: readonly string[]
}

export const contentOf = (recovered: Recovered): Content => ({
  hardState: recovered.hardState,
  snapshotIndex: recovered.snapshot?.index ?? 0,
  entries: [...recovered.entries].map(textOf),
})

/** Opens, reads everything, closes. */
export function reopen(
  disk: MemoryDisk,
  options: OpenOptions = {},
): Content & { readonly warnings: readonly string[] } {
  const { log, recovered } = open(disk, options)
  const content = { ...contentOf(recovered), warnings: recovered.warnings }
  log.close()
  return content
}

/** A log in memory with so many entries, one flush each. */
export function logOf(count: number): { readonly disk: MemoryDisk; readonly log: Log } {
  const disk = createMemoryDisk()
  const { log } = open(disk)
  for (let index = 1; index <= count; index++) {
    log.append({ entries: entries(index, index, 1) })
    log.sync()
  }
  return { disk, log }
}

/** What a log holds after some batches: entries by index, all known from `base + 1` on. */
type Version = { readonly base: number; readonly texts: readonly string[]; readonly hardState: HardState }

/**
 * What may be there after a crash: the state of the last flush, or that and any number of the batches after it, in order.
 */
export class Model {
  #versions: Version[] = [{ base: 0, texts: [], hardState: { term: 0, votedFor: undefined, commit: 0 } }]
  #acknowledged = 0

  appended(batch: readonly LogEntry[], hardState: HardState | undefined): void {
    const before = this.#latest
    const first = batch[0]
    const texts =
      first === undefined
        ? before.texts
        : [...before.texts.slice(0, first.index - 1 - before.base), ...batch.map(textOf)]
    this.#versions.push({ base: before.base, texts, hardState: hardState ?? before.hardState })
  }

  /** The log was replaced by a snapshot that its entries do not lead to. */
  replaced(base: number): void {
    this.#versions.push({ base, texts: [], hardState: this.#latest.hardState })
  }

  acknowledged(): void {
    this.#acknowledged = this.#versions.length - 1
  }

  /** Undefined when the content is one that may be there, else what is wrong. */
  complaint({ hardState, snapshotIndex, entries: found }: Content): string | undefined {
    const fits = this.#versions.slice(this.#acknowledged).some((version) => {
      const expected = version.texts.slice(Math.max(0, snapshotIndex - version.base))
      const commit = Math.max(version.hardState.commit, snapshotIndex)
      return (
        snapshotIndex >= version.base &&
        hardState.commit === commit &&
        hardState.term === version.hardState.term &&
        hardState.votedFor === version.hardState.votedFor &&
        expected.length === found.length &&
        expected.every((text, at) => text === found[at])
      )
    })
    return fits ? undefined : `not a state that may be there: ${JSON.stringify({ hardState, snapshotIndex, found })}`
  }

  get #latest(): Version {
    return this.#versions.at(-1) ?? { base: 0, texts: [], hardState: { term: 0, votedFor: undefined, commit: 0 } }
  }
}
