import { decide, etcdV2Rules, parseAuthorization, principalOf, type Role, type User } from '@cluster/auth'

const roles = new Map<string, Role>([
  ['guest', { name: 'guest', permissions: { read: ['/public/*'], write: [] } }],
  ['web', { name: 'web', permissions: { read: ['/services/*'], write: ['/services/web/*'] } }],
])
const ann: User = { name: 'ann', passwordHash: '$2a$10$...', roles: ['web'] }
const rules = etcdV2Rules((name) => roles.get(name))

// Whoever checks the password does so between these two lines.
const credentials = parseAuthorization('Basic YW5uOnNlY3JldA==')
const principal = credentials.kind === 'basic' ? principalOf(ann) : ({ kind: 'guest' } as const)

for (const [key, isWrite] of [
  ['/services/db/address', false],
  ['/services/web/address', true],
  ['/services/db/address', true],
] as const) {
  const decision = decide(principal, { kind: 'key', key, isWrite, isRecursive: false }, rules)
  console.log(isWrite ? 'write' : 'read ', key, '->', decision.kind, '-', decision.rule)
}
const guest = decide({ kind: 'guest' }, { kind: 'root' }, rules)
console.log('a guest adds a user ->', guest.kind, '-', guest.rule)
