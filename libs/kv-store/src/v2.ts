/**
 * The tree of the etcd v2 API as a state machine: commands in, rendered answers, events and snapshots out. Pure.
 * @packageDocumentation
 */
export type { Command, Compare, DeadlineMs, Outcome, StoreErrorCode, StorePath } from './v2/command.ts'
export { decodeCommand, encodeCommand, encodedSizeMax } from './v2/command-codec.ts'
export { type DeadlineRule, deadlineOf } from './v2/deadline.ts'
export { renderRefusal } from './v2/render.ts'
export { createRestore, type Restore } from './v2/restore.ts'
export { createStore, type StoreOptions } from './v2/store.ts'
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
