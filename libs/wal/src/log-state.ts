/**
 * What the records of a log add up to: which entries count, where they stand, the hard state. Entries may overwrite a
 * tail; a snapshot that the entries do not lead to replaces them all.
 */
import type { HardState } from './log-port.ts'
import type { SnapshotPosition } from './payload.ts'

/** Terms of consecutive entries, as runs: most logs have a handful. */
export class TermRuns {
  /** Index of the last entry; the base when there are none. */
  lastIndex = 0
  /** The entry before the first one that is known. */
  baseIndex = 0
  /** Its term, undefined when nobody knows any more. */
  baseTerm: number | undefined = 0
  readonly #starts: number[] = []
  readonly #terms: number[] = []

  /** Forgets everything; the next entry is `baseIndex + 1`. */
  reset(baseIndex: number, baseTerm: number | undefined): void {
    this.baseIndex = baseIndex
    this.baseTerm = baseTerm
    this.lastIndex = baseIndex
    this.#starts.length = 0
    this.#terms.length = 0
  }

  /** Adds an entry whose index is at most one more than the last; what stood there and after it is gone. */
  put(index: number, term: number): void {
    if (index <= this.baseIndex) this.reset(index - 1, undefined)
    while ((this.#starts.at(-1) ?? -1) >= index) {
      this.#starts.pop()
      this.#terms.pop()
    }
    if (this.#terms.at(-1) !== term) {
      this.#starts.push(index)
      this.#terms.push(term)
    }
    this.lastIndex = index
  }

  /** Undefined for an index that is not there. */
  termOf(index: number): number | undefined {
    if (index === this.baseIndex) return this.baseTerm
    if (index < this.baseIndex || index > this.lastIndex) return undefined
    const run = this.#starts.findLastIndex((start) => start <= index)
    return this.#terms[run]
  }

  /** Whether the entries lead to this snapshot, so that those after it stay valid. */
  leadsTo({ index, term }: SnapshotPosition): boolean {
    if (index === this.baseIndex) return this.baseTerm === undefined || this.baseTerm === term
    if (index < this.baseIndex) return true // older than all we have: it was replaced by what is here
    return this.termOf(index) === term
  }

  /** Forgets entries up to `index`; what is asked about them later is unknown. */
  dropBefore(index: number): void {
    while (this.#starts.length > 1 && (this.#starts[1] ?? 0) <= index) {
      this.#starts.shift()
      this.#terms.shift()
    }
  }
}

/** The state of a log while its records are read. */
export class LogState {
  readonly terms = new TermRuns()
  /** Of entry `terms.baseIndex + 1` and following: segment ordinal × 2^32 + offset in its file. */
  readonly positions: number[] = []
  hardState: HardState = { term: 0, votedFor: undefined, commit: 0 }
  /** The newest snapshot that a record names. */
  snapshot: SnapshotPosition | undefined

  /** Takes over what the first segment says of the time before it. Term 0 of an entry means: not known. */
  begin(firstIndex: number, previousTerm: number): void {
    this.terms.reset(firstIndex - 1, firstIndex > 1 && previousTerm === 0 ? undefined : previousTerm)
  }

  /** Takes an entry; returns a complaint when it does not follow. */
  putEntry(index: number, term: number, position: number): string | undefined {
    if (index > this.terms.lastIndex + 1) return `entry ${index} after entry ${this.terms.lastIndex}`
    if (index < 1) return `entry ${index}: indexes begin at 1`
    if (index <= this.terms.baseIndex) this.positions.length = 0
    else this.positions.length = index - 1 - this.terms.baseIndex
    this.terms.put(index, term)
    this.positions.push(position)
    return undefined
  }

  /** Takes a snapshot record. */
  putSnapshot(snapshot: SnapshotPosition): void {
    this.snapshot = snapshot
    if (this.terms.leadsTo(snapshot)) return
    this.terms.reset(snapshot.index, snapshot.term)
    this.positions.length = 0
  }

  /** Positions of the entries after `index`. */
  positionsAfter(index: number): readonly number[] {
    return this.positions.slice(Math.max(0, index - this.terms.baseIndex))
  }
}
