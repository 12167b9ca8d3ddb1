/**
 * The key-value port over an etcd that speaks the v2 API: `connectEtcd2` takes endpoints and gives a `Kv`. Beside it
 * `createV2Api`: the same API as it is, keys, members, users and roles, for programs that administer a store.
 * @packageDocumentation
 */
export { connectEtcd2, type Etcd2ConnectOptions } from './connect.ts'
export { KvClientError, type KvClientErrorCode } from './errors.ts'
export type { V2Auth, V2Permissions, V2Role, V2User } from './v2-api/auth.ts'
export { isV2ApiError, V2ApiError, type V2Attempt, type V2Failure, type V2Refusal } from './v2-api/failure.ts'
export type {
  V2Conditions,
  V2DeleteOptions,
  V2Event,
  V2GetOptions,
  V2Keys,
  V2Node,
  V2SetOptions,
  V2Signal,
  V2WatchOptions,
} from './v2-api/keys.ts'
export type { V2Member, V2Members } from './v2-api/members.ts'
export type { V2Request } from './v2-api/requester.ts'
export { canonicalKey, type V2Value } from './v2-api/target.ts'
export { createV2Api, type V2Api, type V2ApiOptions, type V2Health } from './v2-api/v2-api.ts'
