/**
 * The tree of the etcd v2 API as a state machine: commands in, rendered answers, events and snapshots out. Pure.
 * @packageDocumentation
 */
export type { Command, Compare, DeadlineMs, Outcome, StoreErrorCode, StorePath } from './v2/command.ts'
export type {
  AppliedAt,
  Reading,
  ReadOptions,
  SnapshotParts,
  Store,
  StoreEvent,
  StoreStats,
  Watcher,
  Watching,
  WatchOptions,
} from './v2/store-port.ts'
