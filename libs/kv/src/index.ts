/**
 * A key-value port for cluster state: a tree of text values, read as of one revision, written under a precondition,
 * watched from a revision on. With it: `follow`, the loop that keeps a prefix in memory through outages, and a model
 * of the port to test with. The suite that every adapter passes is `@cluster/kv/contract`.
 * @packageDocumentation
 */
export { KvError, type KvErrorCode } from './errors.ts'
export { type FollowOptions, type FollowUpdate, type FollowView, follow } from './follow.ts'
export {
  checkKey,
  checkPrefix,
  checkTtl,
  compareKeys,
  directoriesOf,
  isBelow,
  keyLengthMax,
  ttlSecondsMax,
  wellFormed,
} from './key.ts'
export type {
  Conflict,
  DeleteOptions,
  Key,
  Kv,
  KvEntry,
  KvEvent,
  KvSnapshot,
  Precondition,
  PutOptions,
  Revision,
} from './kv.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { createMirror, type Mirror, type MirrorChange } from './mirror.ts'
export { createModelKv, type ModelKv, type ModelKvOptions } from './model-kv.ts'
export { describePrecondition, preconditionHolds } from './precondition.ts'
export { toRevision } from './revision.ts'
