/**
 * An etcd-compatible server as a library. `openStore` gives a durable store in this process, `openServer` the whole
 * server of one member, listeners included. `createHandler` is the API of the client port as one function over a
 * `Replica`; what is behind the replica (log, consensus, threads) it does not know.
 * @packageDocumentation
 */
export type { Access, ApiPart, Authorizer } from './api-ports.ts'
export { type AuthRecords, createAuthRecords } from './auth-records.ts'
export { type AuthorizerOptions, createAuthorizer, type Refusal as AuthRefusal } from './authorizer.ts'
export { createBlockingHasher } from './bcrypt-hasher.ts'
export type { MemberSettings } from './bootstrap.ts'
export type { ProcessFacts } from './debug-vars.ts'
export { KvServerError, type KvServerErrorCode } from './errors.ts'
export { createHandler, type HandlerOptions } from './handler.ts'
export type { LogLevel } from './local-log.ts'
export { clusterIdOf, clusterVersionOf, type Member, memberIdOf, readMembers } from './membership.ts'
export type { MetricsText } from './metrics.ts'
export { type EmbeddedStore, type OpenStoreOptions, openStore } from './open-store.ts'
export {
  createPasswordChecker,
  type PasswordChecker,
  type PasswordCheckerOptions,
  type PasswordHasher,
} from './passwords.ts'
export type { ProposalFailure, Replica, ReplicaStatus, Settled } from './replica.ts'
export type { SnapshotLimits } from './replica-snapshotter.ts'
export { openServer, type Server, type ServerOptions } from './server.ts'
export { processTimers, type Timers } from './timers.ts'
export { type AuthPartOptions, createAuthPart } from './v2/auth-api/routes.ts'
export { createMembersPart, type MembersOptions } from './v2/members.ts'
export { etcdVersion } from './version.ts'
