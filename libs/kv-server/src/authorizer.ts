/**
 * Whether a request may do what it asks for: its credentials against the users and roles in the store
 * (spec/etcd-v2.md §4.2).
 */
import { decide, etcdV2Rules, type Principal, parseAuthorization, principalOf } from '@cluster/auth'
import type { Access, Authorizer, Permission } from './api-ports.ts'
import { type AuthRecords, countedReads } from './auth-records.ts'
import type { PasswordChecker } from './passwords.ts'
import type { Replica } from './replica.ts'

export type AuthorizerOptions = {
  readonly replica: Replica
  readonly records: AuthRecords
  readonly passwords: PasswordChecker
  /** Told of each refusal, with the rule in words. */
  readonly onRefusal?: (refusal: Refusal) => void
}

export type Refusal = { readonly principal: Principal; readonly access: Access; readonly rule: string }

/** Decides over the records of a replica. While auth is disabled it costs a look at the store's index. */
export function createAuthorizer({ replica, records, passwords, onRefusal = () => {} }: AuthorizerOptions): Authorizer {
  const { store } = replica
  const counted = countedReads(records, store)
  const rules = etcdV2Rules((name) => counted.roleOf(name))

  const permissionOf = (principal: Principal, access: Access): Permission => {
    const decision = decide(principal, access, rules)
    if (decision.kind === 'allow') return 'allowed'
    onRefusal({ principal, access, rule: decision.rule })
    return 'refused'
  }

  return {
    get isEnabled() {
      return records.isEnabled
    },
    check(exchange, access, settle) {
      if (!counted.isEnabled) return settle('allowed')
      const credentials = parseAuthorization(exchange.header('authorization'))
      switch (credentials.kind) {
        case 'none':
          return settle(permissionOf({ kind: 'guest' }, access))
        case 'unreadable':
          return settle(permissionOf({ kind: 'stranger', why: credentials.why }, access))
        case 'basic': {
          const user = counted.userOf(credentials.user)
          if (user === undefined) {
            return settle(permissionOf({ kind: 'stranger', why: `there is no user ${credentials.user}` }, access))
          }
          return passwords.check(user.name, credentials.password, user.passwordHash, (finding) => {
            if (finding === 'unchecked') return settle('unchecked')
            const stranger = { kind: 'stranger', why: `wrong password for user ${user.name}` } as const
            settle(permissionOf(finding === 'right' ? principalOf(user) : stranger, access))
          })
        }
        default:
          return credentials satisfies never
      }
    },
  }
}
