/**
 * A durable log and its snapshots. `openLog` gives a synchronous log for a thread of its own: append a batch with one write,
 * flush it, and find it again after a kill or a power cut; a torn tail is told apart from corruption, which is refused.
 * `openSnapshots` writes and verifies snapshots beside it. `inspectLog` reads a directory without taking it.
 * @packageDocumentation
 */

export { crc32 } from './crc32.ts'
export {
  type AsyncDisk,
  type AsyncDiskFile,
  type Disk,
  type DiskEntry,
  type DiskFile,
  type DiskLock,
  type OpenMode,
  toAsyncDisk,
} from './disk.ts'
export { WalError, type WalErrorCode } from './errors.ts'
export {
  type Finding,
  type InspectedSegment,
  type InspectedSnapshot,
  inspectLog,
  type LogInspection,
} from './inspect-log.ts'
export type {
  HardState,
  Log,
  LogEntry,
  LogIdentity,
  Recovered,
  Snapshots,
  SnapshotWriter,
} from './log-port.ts'
export {
  allSurvives,
  createMemoryDisk,
  type DiskFault,
  type DiskOperation,
  type MemoryDisk,
  nothingSurvives,
  type Survival,
  type UnsyncedName,
  type UnsyncedWrite,
} from './memory-disk.ts'
export { createNodeAsyncDisk, createNodeDisk } from './node-disk.ts'
export { type OpenLogOptions, openLog } from './open-log.ts'
export { type OpenSnapshotsOptions, openSnapshots } from './snapshots.ts'
