import { ClusterError } from '@cluster/prelude'

export type VectorsErrorCode =
  /** The folder of a set does not exist, is no folder, or may not be read. */
  | 'vectors/unreadable-folder'
  | 'vectors/unreadable-file'
  | 'vectors/invalid-json'
  /** No set has this name. */
  | 'vectors/unknown-set'
  /** The folder holds no case of the set. */
  | 'vectors/no-cases'
  /** A program that a set runs has not been built. */
  | 'vectors/not-built'
  /** The host lacks a program or a right that the set needs. */
  | 'vectors/obstacles'
  | 'vectors/usage'

/** What someone who runs a set can get wrong. */
export class VectorsError extends ClusterError<VectorsErrorCode> {
  override readonly name = 'VectorsError'
}
