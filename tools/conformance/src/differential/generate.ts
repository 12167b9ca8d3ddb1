/** Seeded random requests to the v2 API: mostly sensible ones, so that something is there, and every kind of mistake. */
import type { Random } from '@cluster/prelude'
import type { DifferentialRequest } from './request.ts'

export type Generator = {
  readonly random: Random
  /** The directory that this episode works in: `/e17`. */
  readonly base: string
  /** Indexes that answers named, for conditions and watches. */
  readonly indexes: number[]
}

export const pick = <Item>({ random }: Pick<Generator, 'random'>, items: readonly Item[]): Item => {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

export const chance = ({ random }: Pick<Generator, 'random'>, share: number): boolean => random.next() < share

const names = ['a', 'b', 'c', '_h', 'd', 'x', 'xy']
/** Names as they stand in a request: escapes, bytes, signs. */
const oddNames = [
  '%20',
  '%61',
  'a%2Fb',
  '%5F',
  'a+b',
  'a\u00cc\u0088',
  '%C3%A4',
  '\u00c3\u00a4',
  '%ff',
  '%00',
  '%E2%80%A8',
  '..',
  '.',
  '',
  '%2e%2e',
  '%3F',
  '%23',
  'a;b',
  'a=b',
  'a&b',
  '<>',
  "'",
  '%22',
  '%5C',
  '*',
  '%zz',
  '%',
  'a%',
  '~',
  '!$()',
  '@:',
  '%7F',
  '%F0%9F%98%80',
  '%0A',
]

/** Some path below the base, without the leading `/v2/keys`. */
export function keyPath(generator: Generator): string {
  const depth = pick(generator, [1, 1, 1, 2, 2, 3, 4])
  const parts = Array.from({ length: depth }, () =>
    chance(generator, 0.05) ? pick(generator, oddNames) : pick(generator, names),
  )
  const slash = chance(generator, 0.04) ? '/' : ''
  return `${generator.base}/${parts.join('/')}${slash}`
}

const booleans = ['true', 'false', '1', '0', 't', 'F', 'True', 'yes', '', 'TRUE', 'tRue']
const values = [
  'v',
  'w',
  '',
  'a b',
  'true',
  '<&>',
  '"q"',
  '\\',
  '\u00e2\u0080\u00a8',
  '\u00ff\u00fe',
  '\u0000\u0001\u001f',
  'x'.repeat(300),
  '{"a":1}',
  '\u00c3\u00a4',
  '\u007f',
  '\n\t\r',
  '\b\f',
  '\u00ed\u00a0\u0080',
  '\u00f0\u009f\u0098\u0080',
]
/** None that ends while an episode runs: when a sweep comes is up to each server. */
const ttls = ['100', '1000', '5000', '0100', '', '-1', '1.5', 'x', '18446744073709551616', '+5', ' 5']
/** Those that end at once, or that etcd's arithmetic turns into such, or into none. */
const shortTtls = ['0', '1', '9223372035', '9223372036', '9223372037', '18446744073709551615', '99999999999']

function indexText(generator: Generator): string {
  const known = generator.indexes.length === 0 ? 1 : pick(generator, generator.indexes.slice(-6))
  return pick(generator, [
    String(known),
    String(known),
    String(known),
    '0',
    String(known + 1),
    '1',
    '',
    'x',
    '-1',
    '007',
    '18446744073709551615',
    '18446744073709551616',
    '1e3',
  ])
}

const encode = (text: string): string =>
  text.replace(
    /[^A-Za-z0-9_.~-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  )

type Pair = readonly [name: string, value: string]

const render = (generator: Generator, pairs: readonly Pair[]): string =>
  pairs
    .map(([name, value]) => {
      if (chance(generator, 0.01)) return name
      return `${name}=${chance(generator, 0.9) ? encode(value) : value.replace(/ /g, '+').replace(/[^\x21-\x7e]/g, encode)}`
    })
    .join(chance(generator, 0.01) ? ';' : '&')

const isOdd = (generator: Generator): boolean => chance(generator, 0.08)

const flag = (generator: Generator, name: string): Pair => [name, isOdd(generator) ? pick(generator, booleans) : 'true']

/** A GET, PUT, POST, DELETE or HEAD of a key. */
export function keyRequest(generator: Generator): DifferentialRequest {
  const method = pick(generator, ['GET', 'GET', 'GET', 'PUT', 'PUT', 'PUT', 'PUT', 'POST', 'DELETE', 'DELETE', 'HEAD'])
  const query: Pair[] = []
  const form: Pair[] = []
  const target = (): Pair[] => (chance(generator, 0.7) ? form : query)
  if (method === 'GET' || method === 'HEAD') {
    if (chance(generator, 0.3)) query.push(flag(generator, 'recursive'))
    if (chance(generator, 0.3)) query.push(flag(generator, 'sorted'))
    if (chance(generator, 0.1)) query.push(flag(generator, 'quorum'))
  }
  if (method === 'PUT' || method === 'POST') {
    if (chance(generator, 0.85)) target().push(['value', pick(generator, values)])
    if (chance(generator, 0.2)) target().push(['ttl', pick(generator, ttls)])
    if (chance(generator, 0.15)) target().push(flag(generator, 'dir'))
    if (method === 'PUT' && chance(generator, 0.06)) target().push(flag(generator, 'refresh'))
  }
  if (method === 'DELETE') {
    if (chance(generator, 0.3)) query.push(flag(generator, 'recursive'))
    if (chance(generator, 0.3)) query.push(flag(generator, 'dir'))
  }
  const wantsCondition = method === 'PUT' ? 0.35 : method === 'DELETE' ? 0.25 : 0.03
  if (chance(generator, wantsCondition)) {
    const condition = pick(generator, ['prevExist', 'prevExist', 'prevValue', 'prevIndex', 'both', 'all'])
    if (condition === 'prevExist' || condition === 'all') {
      query.push(['prevExist', isOdd(generator) ? pick(generator, booleans) : pick(generator, ['true', 'false'])])
    }
    if (condition !== 'prevExist' && condition !== 'prevIndex') query.push(['prevValue', pick(generator, values)])
    if (condition === 'prevIndex' || condition === 'both' || condition === 'all')
      query.push(['prevIndex', indexText(generator)])
  }
  if (chance(generator, 0.01))
    query.push(
      pick<Pair>(generator, [
        ['unknown', 'x'],
        ['value', 'query'],
        ['ttl', '500'],
        ['waitIndex', 'x'],
        ['stream', 'true'],
        ['wait', 'false'],
        ['Value', 'v'],
      ]),
    )
  if (chance(generator, 0.01) && method !== 'GET') query.push(['wait', 'true'])
  const search = query.length === 0 ? '' : `?${render(generator, query)}`
  const path = `/v2/keys${keyPath(generator)}${search}`
  if (method !== 'PUT' && method !== 'POST') return { method, path, headers: {} }
  const type = chance(generator, 0.03) ? pick(generator, types) : 'application/x-www-form-urlencoded'
  return { method, path, headers: type === '' ? {} : { 'Content-Type': type }, body: render(generator, form) }
}

const types = [
  '',
  'application/json',
  'text/plain',
  'APPLICATION/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-8',
  'a/',
  '/x',
  ';',
  'a b',
  'a/b/c',
  'a/b; c',
  'a/b; c=1; c=2',
  'x',
  'a/b;',
  'a/b; ;;',
  'a/b; =d',
  'multipart/form-data; boundary=x',
  'a/b; c="',
  'a/b; c="x"y',
]

/** A write whose key may end at the next sweep: who sends it waits for that. */
export function shortLivedRequest(generator: Generator): DifferentialRequest {
  const method = pick(generator, ['PUT', 'PUT', 'PUT', 'POST'])
  const condition =
    method === 'PUT' ? pick(generator, ['', '?prevExist=true', '?prevExist=false', '?refresh=true']) : ''
  const value = condition === '?refresh=true' ? '' : 'value=short&'
  return {
    method,
    path: `/v2/keys${keyPath(generator)}${condition}`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: `${value}ttl=${pick(generator, shortTtls)}${chance(generator, 0.2) ? '&dir=true' : ''}`,
  }
}

/** Something beside the keys, or a method that is not served. */
export function otherRequest(generator: Generator): DifferentialRequest {
  const method = pick(generator, ['GET', 'GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'])
  const path = pick(generator, [
    '/',
    '/v2',
    '/v2/',
    '/v2/keysfoo',
    '/v2/keys',
    '/v2/keys/',
    '/v2//keys/a',
    '/v2/keys//a',
    '/v2/keys/../members',
    '/version/',
    '/v2/machines/',
    '/v2/leader',
    '/v2/stats/self/',
    '/v2/stats',
    '/v2/admin',
    '/v2/auth',
    '/v2/auth/',
    '/v2/auth/users/a/b',
    '/v2/auth/enable/',
    '/v2/members/x',
    '/v2/members/1234',
    '/x?y',
    '/v2/keys/a?%zz',
    '/v2/keys/a?a;b',
  ])
  return { method, path, headers: {} }
}

/** A read that waits. It may be answered from the history at once. */
export function watchRequest(generator: Generator): DifferentialRequest {
  const query: Pair[] = [['wait', 'true']]
  if (chance(generator, 0.5)) query.push(['recursive', 'true'])
  if (chance(generator, 0.3)) query.push(['stream', 'true'])
  if (chance(generator, 0.5)) query.push(['waitIndex', indexText(generator)])
  const path = chance(generator, 0.2) ? generator.base : keyPath(generator)
  return { method: 'GET', path: `/v2/keys${path}?${render(generator, query)}`, headers: {} }
}

const users = ['root', 'u1', 'u2', 'guest', '_u', 'u%201']
const roles = ['root', 'guest', 'r1', 'r2', '_r']
const patterns = (generator: Generator): string =>
  pick(generator, [
    '/*',
    '*',
    '',
    `${generator.base}/*`,
    `${generator.base}/a`,
    `${generator.base}/a*`,
    `${generator.base}`,
    '/x',
    `${generator.base}/*/b`,
  ])

/** A request to the auth API, as `root` where that is asked for. */
export function authRequest(generator: Generator): DifferentialRequest {
  const kind = pick(generator, ['user', 'user', 'user', 'role', 'role', 'role', 'enable', 'list'])
  const method = pick(generator, ['GET', 'PUT', 'PUT', 'PUT', 'DELETE'])
  const headers = { 'Content-Type': 'application/json', ...credentials(generator) }
  if (kind === 'list')
    return {
      method: chance(generator, 0.9) ? 'GET' : method,
      path: pick(generator, ['/v2/auth/users', '/v2/auth/roles', '/v2/auth/roles/', '/v2/auth/users/']),
      headers,
    }
  if (kind === 'enable')
    return { method: pick(generator, ['GET', 'GET', 'DELETE', 'PUT']), path: '/v2/auth/enable', headers }
  if (kind === 'user') {
    const name = pick(generator, users)
    if (method !== 'PUT') return { method, path: `/v2/auth/users/${name}`, headers }
    return { method, path: `/v2/auth/users/${name}`, headers, body: userBody(generator, decodeURIComponent(name)) }
  }
  const name = pick(generator, roles)
  if (method !== 'PUT') return { method, path: `/v2/auth/roles/${name}`, headers }
  return { method, path: `/v2/auth/roles/${name}`, headers, body: roleBody(generator, name) }
}

const someOf = <Item>(generator: Generator, items: readonly Item[]): readonly Item[] =>
  items.filter(() => chance(generator, 0.35))

function userBody(generator: Generator, name: string): string {
  if (chance(generator, 0.05))
    return pick(generator, ['', '{', 'null', '[]', '{"user":1}', '{"user":"other"}', 'x', '{"user":"u1"}x'])
  const body: Record<string, unknown> = { [chance(generator, 0.95) ? 'user' : 'User']: name }
  if (chance(generator, 0.7)) body['password'] = pick(generator, ['p1', 'p2', ''])
  if (chance(generator, 0.2)) body['roles'] = someOf(generator, ['r1', 'r2', 'guest', 'root', 'r1'])
  if (chance(generator, 0.35)) body['grant'] = someOf(generator, roles)
  if (chance(generator, 0.2)) body['revoke'] = someOf(generator, roles)
  return JSON.stringify(body)
}

function roleBody(generator: Generator, name: string): string {
  if (chance(generator, 0.05))
    return pick(generator, [
      '',
      '{',
      'null',
      '{"role":"other"}',
      '{"role":"r1","permissions":1}',
      '{"permissions":null}',
    ])
  const rights = (): unknown => ({
    kv: {
      ...(chance(generator, 0.8)
        ? { read: Array.from({ length: pick(generator, [0, 1, 1, 2]) }, () => patterns(generator)) }
        : {}),
      ...(chance(generator, 0.8)
        ? { write: Array.from({ length: pick(generator, [0, 1, 1, 2]) }, () => patterns(generator)) }
        : {}),
    },
  })
  const body: Record<string, unknown> = { role: name }
  if (chance(generator, 0.5)) body['permissions'] = rights()
  if (chance(generator, 0.35)) body['grant'] = rights()
  if (chance(generator, 0.25)) body['revoke'] = rights()
  return JSON.stringify(body)
}

/** Mostly right ones. */
export function credentials(generator: Generator): Readonly<Record<string, string>> {
  const pair = pick(generator, [
    'root:p1',
    'root:p1',
    'root:p1',
    'root:p2',
    'u1:p1',
    'u1:p2',
    'u2:p1',
    'nobody:x',
    'root',
    ':',
    'u1:',
  ])
  if (chance(generator, 0.2)) return {}
  if (chance(generator, 0.05))
    return {
      Authorization: pick(generator, ['', 'Basic', 'Basic !!', 'Bearer x', 'Basic cm9vdA==', `basic ${btoa(pair)}`]),
    }
  return { Authorization: `Basic ${btoa(pair)}` }
}
