/**
 * A key-value port for cluster state.
 * @packageDocumentation
 */
export { KvError, type KvErrorCode } from './errors.ts'
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
