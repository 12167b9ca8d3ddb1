/** What a recorded set is to the runner: cases with names, each of which tells where it differs. */
import type { Programs } from './programs.ts'

/** A place where our answer is not the recorded one. */
export type Difference = { readonly at: string; readonly expected: unknown; readonly actual: unknown }

export type VectorCase = {
  /** Unique within the set: `file.json: name of the case`. */
  readonly name: string
  /** No differences: the case passes. A throw is a failure too. */
  readonly run: () => readonly Difference[] | Promise<readonly Difference[]>
}

/** The folder a set is read from. */
export type VectorFolder = {
  /** File names in the folder and below it, relative, sorted. */
  readonly files: readonly string[]
  readonly readJson: (file: string) => unknown
  readonly readBytes: (file: string) => Uint8Array
}

export type VectorSet = {
  readonly name: string
  /**
   * Every case of every file of the folder. Files are told apart by the shape of their cases, not only by their
   * names, so that a folder of further cases in the same form runs too.
   */
  readonly cases: (folder: VectorFolder, programs: Programs) => readonly VectorCase[]
  /** What a reader should know of this run: for example cases that are left out, and why. */
  readonly notes?: (folder: VectorFolder) => readonly string[]
  /**
   * What keeps this host from running the set, one line each with its remedy; absent: every host can. A set that has
   * this makes a lab of its own, and is no part of the unit tests.
   */
  readonly obstacles?: () => readonly string[]
}
