import { ClusterError } from '@cluster/prelude'

/** What can go wrong with a log or a snapshot. */
export type WalErrorCode =
  /** Room runs short. Nothing was written; works again when there is room. */
  | 'wal/no-space'
  /** A write, a flush or a rename failed: what is durable is not known any more. Latched; the process must end. */
  | 'wal/broken'
  /** What was flushed once is damaged or gone. Nothing was changed. */
  | 'wal/corrupt'
  /** A file was written by a newer version. Nothing was changed. */
  | 'wal/newer-version'
  /** The directory holds something else. Nothing was changed. */
  | 'wal/not-a-log'
  /** Another process, or another part of this one, has the directory open. */
  | 'wal/in-use'
  /** An entry is larger than a segment can hold. Nothing was written. */
  | 'wal/too-large'
  /** A snapshot could not be written or read; the log is unharmed. */
  | 'wal/snapshot-failed'

/** A failure of the log or of its snapshots. Recognise it by its code. */
export class WalError extends ClusterError<WalErrorCode> {
  override readonly name = 'WalError'
}

/** The errno name of a failed system call (`ENOSPC`), undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Whether a failed call says that there is no room: disk full, or the user's quota reached. */
export const isNoSpace = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '')
