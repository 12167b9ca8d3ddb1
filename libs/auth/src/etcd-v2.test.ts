import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide, type Principal } from './decide.ts'
import { defaultGuestRole, type EtcdV2Access, etcdV2Rules, rootRole, withRootRole } from './etcd-v2.ts'
import type { Role } from './role.ts'

const key = (path: string, { isWrite = false, isRecursive = false } = {}): EtcdV2Access => ({
  kind: 'key',
  key: path,
  isWrite,
  isRecursive,
})
const user = (...roles: readonly string[]): Principal => ({ kind: 'user', name: 'u', roles })
const guest: Principal = { kind: 'guest' }
const stranger: Principal = { kind: 'stranger', why: 'wrong password' }
const write = { isWrite: true }
const tree = { isRecursive: true }

const roles = new Map<string, Role>(
  [
    defaultGuestRole,
    { name: 'all', permissions: { read: ['*'], write: [] } },
    { name: 'one', permissions: { read: ['/one'], write: ['/one'] } },
    { name: 'dir', permissions: { read: ['/dir/*'], write: null } },
  ].map((role) => [role.name, role]),
)
const allows = (principal: Principal, access: EtcdV2Access): boolean =>
  decide(
    principal,
    access,
    etcdV2Rules((name) => roles.get(name)),
  ).kind === 'allow'

describe('the rules of etcd v2', () => {
  it.each<[string, Principal, EtcdV2Access, boolean]>([
    ['root may do what only root may', user('root'), { kind: 'root' }, true],
    ['root may list the bare root', user('root'), key(''), true],
    ['root may remove everything', user('x', 'root'), key('/', { isWrite: true, isRecursive: true }), true],
    ['others may not do what only root may', user('all', 'one'), { kind: 'root' }, false],
    ['guests may not do what only root may', guest, { kind: 'root' }, false],
    ['strangers may do nothing', stranger, key('/x'), false],
    ['strangers are not root', stranger, { kind: 'root' }, false],
    ['guests may write with /*', guest, key('/x', write), true],
    ['guests may not read the bare root with /*', guest, key(''), false],
    ['guests may read / with /*', guest, key('/'), true],
    ['* is for the bare root too', user('all'), key('', tree), true],
    ['reading is not writing', user('all'), key('/x', write), false],
    ['rights of roles add up', user('all', 'one'), key('/one', write), true],
    ['missing roles are skipped', user('none', 'one'), key('/one'), true],
    ['a user without roles has no rights, not even those of guests', user(), key('/x'), false],
    ['recursion needs a star', user('one'), key('/one', tree), false],
    ['recursion is for what lies below', user('dir'), key('/dir/', tree), true],
    ['a directory is not what lies below it', user('dir'), key('/dir', tree), false],
  ])('%s', (_, principal, access, allowed) => expect(allows(principal, access)).toBe(allowed))

  it('check the recursion of guests like a plain access', () => {
    const rules = etcdV2Rules(() => ({ name: 'guest', permissions: { read: ['/x'], write: null } }))
    expect(decide(guest, key('/x', tree), rules).kind).toBe('allow')
    expect(decide(guest, key('/x/y', tree), rules).kind).toBe('deny')
  })

  it('refuse guests when there is no role for them', () => {
    expect(
      decide(
        guest,
        key('/x'),
        etcdV2Rules(() => undefined),
      ).kind,
    ).toBe('deny')
  })

  it('say which rule decided', () => {
    const rules = etcdV2Rules((name) => roles.get(name))
    expect(decide(user('one'), key('/one', write), rules).rule).toBe('role one may write /one')
    expect(decide(user('one'), key('/two'), rules).rule).toBe('no role of user u allows it')
    expect(decide(stranger, key('/two'), rules).rule).toBe('wrong password')
  })

  it('decide as a naive model does', () => {
    const path = fc.string({ unit: fc.constantFrom('/', 'a', '*'), maxLength: 5 })
    const list = fc.option(fc.array(path, { maxLength: 3 }), { nil: null })
    const anyRole = fc.record({ read: list, write: list })
    const names = ['guest', 'p', 'q', 'root']
    const anyPrincipal = fc.oneof(
      fc.constant(guest),
      fc.constant(stranger),
      fc.subarray(names).map((chosen) => user(...chosen)),
    )
    const anyAccess = fc.oneof(
      fc.constant<EtcdV2Access>({ kind: 'root' }),
      fc.record({ kind: fc.constant('key' as const), key: path, isWrite: fc.boolean(), isRecursive: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(anyRole, { maxLength: 3 }), anyPrincipal, anyAccess, (lists, principal, access) => {
        const stored = new Map(
          lists.map((permissions, at) => [names[at] ?? '', { name: names[at] ?? '', permissions }]),
        )
        const naive = (): boolean => {
          if (principal.kind === 'stranger') return false
          const held = principal.kind === 'guest' ? ['guest'] : principal.roles
          if (principal.kind === 'user' && held.includes('root')) return true
          if (access.kind === 'root') return false
          const patterns = held.flatMap((name) => {
            const permissions = stored.get(name)?.permissions
            return (access.isWrite ? permissions?.write : permissions?.read) ?? []
          })
          const exact =
            principal.kind === 'guest' || !access.isRecursive ? patterns.filter((pattern) => pattern !== '') : []
          return (
            patterns.some((pattern) => pattern.at(-1) === '*' && access.key.indexOf(pattern.slice(0, -1)) === 0) ||
            exact.some((pattern) => pattern.at(-1) !== '*' && pattern === access.key)
          )
        }
        expect(
          decide(
            principal,
            access,
            etcdV2Rules((name) => stored.get(name)),
          ).kind === 'allow',
        ).toBe(naive())
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the user root', () => {
  const root = { name: 'root', passwordHash: 'h', roles: ['x'] }

  it('always has the role root, last', () => {
    expect(withRootRole(root).roles).toEqual(['x', 'root'])
    expect(withRootRole({ ...root, roles: null }).roles).toEqual(['root'])
  })

  it('has it once', () => expect(withRootRole({ ...root, roles: ['root', 'x'] }).roles).toEqual(['root', 'x']))

  it('is the only one who has it so', () => expect(withRootRole({ ...root, name: 'bob' }).roles).toEqual(['x']))

  it('has a role that covers every key but the bare root', () => expect(rootRole.permissions.read).toEqual(['/*']))
})
