/**
 * The key-value port over an etcd that speaks the v2 API: `connectEtcd2` takes endpoints and gives a `Kv`.
 * @packageDocumentation
 */
export { connectEtcd2, type Etcd2ConnectOptions } from './connect.ts'
export { KvClientError, type KvClientErrorCode } from './errors.ts'
