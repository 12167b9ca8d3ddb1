/**
 * What stands in the entries of a store's log and in the head of its snapshots, for programs that read a data directory
 * without opening it.
 * @packageDocumentation
 */
export { decodeSnapshotHead, entryDataHeadBytes, entryKind, type SnapshotHead, timeOfEntry } from './replica-entry.ts'
