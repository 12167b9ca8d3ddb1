/**
 * Who may do what: users, roles, patterns over keys and decisions, as pure functions. Passwords are hashed and compared
 * by the caller. `etcdV2Rules` are the rules of etcd's v2 API; rules of other APIs are files of their own beside it.
 * @packageDocumentation
 */
export { type Credentials, parseAuthorization } from './credentials.ts'
export { type Decision, decide, type Principal, type Rules } from './decide.ts'
export {
  defaultGuestRole,
  type EtcdV2Access,
  etcdV2Rules,
  guestName,
  principalOf,
  rootName,
  rootRole,
  withRootRole,
} from './etcd-v2.ts'
export {
  coversTree,
  type DuplicatePattern,
  isEmpty,
  type KeyAccess,
  matchesKey,
  noPermissions,
  type Patterns,
  type Permissions,
} from './permission.ts'
export { type Role, type RoleChange, type RoleRefusal, updateRole } from './role.ts'
export { type User, type UserChange, type UserRefusal, updateUser } from './user.ts'
