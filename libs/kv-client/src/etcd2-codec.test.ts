import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Answer, decodeAnswer, entriesOf, eventOf } from './etcd2-codec.ts'

const headers = [['X-Etcd-Index', '42']] as const
const done = (body: unknown): Answer & { kind: 'done' } => {
  const decoded = decodeAnswer(200, headers, JSON.stringify(body))
  if (!decoded.ok || decoded.value.kind !== 'done') throw new Error('not an answer')
  return decoded.value
}

describe('an answer', () => {
  it.each<[string, string, string]>([
    ['nothing', '', 'status 200 with an empty body'],
    ['HTML', '<html>', 'status 200 with what is not JSON: "<html>"'],
    ['a cut answer', '{"action":"get"', 'status 200 with what is not JSON: "{\\"action\\":\\"get\\""'],
    ['null', 'null', 'status 200 with null in place of an object'],
    ['a list', '[]', 'status 200 with a list in place of an object'],
    ['no node', '{"action":"get"}', 'status 200 with node: expected an object, found undefined'],
    ['no action', '{"node":{"key":"/a","modifiedIndex":1}}', 'status 200 with action missing'],
    [
      'a key of another type',
      '{"action":"get","node":{"key":7}}',
      'status 200 with node.key: expected text, found number',
    ],
    [
      'a key that is no path',
      '{"action":"get","node":{"key":"a"}}',
      'status 200 with node.key: expected a path, found "a"',
    ],
    ['no index', '{"action":"get","node":{"key":"/a"}}', 'status 200 with node.modifiedIndex missing'],
    [
      'a fraction',
      '{"action":"get","node":{"key":"/a","modifiedIndex":1.5}}',
      'status 200 with node.modifiedIndex: expected a whole number, found number',
    ],
    [
      'an index below zero',
      '{"action":"get","node":{"key":"/a","modifiedIndex":-1}}',
      'status 200 with node.modifiedIndex: expected a number from 0 on, found -1',
    ],
    [
      'an index beyond what is exact',
      '{"action":"get","node":{"key":"/a","modifiedIndex":9007199254740993}}',
      'status 200 with node.modifiedIndex: expected a whole number, found number',
    ],
    [
      'a bad child',
      '{"action":"get","node":{"key":"/a","dir":true,"modifiedIndex":1,"nodes":[{"key":"/a/b","modifiedIndex":2,"value":3}]}}',
      'status 200 with node.nodes[0].value: expected text, found number',
    ],
  ])('of %s is nonsense', (_, text, found) =>
    expect(decodeAnswer(200, headers, text)).toEqual({ ok: false, error: { found } }),
  )

  it('without an index is nonsense', () => {
    const text = '{"action":"get","node":{"dir":true}}'
    expect(decodeAnswer(200, [], text).ok).toBe(false)
    expect(decodeAnswer(200, [['X-Etcd-Index', 'x']], text).ok).toBe(false)
    expect(decodeAnswer(200, headers, text).ok).toBe(true)
  })

  it('of a thousand levels is nonsense, not a crash', () => {
    const deep = `{"key":"/a","dir":true,"modifiedIndex":1,"nodes":[`
    const text = `{"action":"get","node":${deep.repeat(1000)}${']}'.repeat(1000)}}`
    expect(decodeAnswer(200, headers, text)).toMatchObject({ ok: false })
  })

  it('never throws, whatever comes', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ action: fc.string(), node: fc.anything() }).map((body) => JSON.stringify(body) ?? ''),
    )
    fc.assert(fc.property(fc.nat(600), text, (status, body) => void decodeAnswer(status, headers, body)))
  })

  it('that refuses says why', () => {
    const text = '{"errorCode":100,"message":"Key not found","cause":"/a","index":7}'
    expect(decodeAnswer(404, [], text)).toEqual({
      ok: true,
      value: { kind: 'refused', errorCode: 100, reason: 'Key not found', cause: '/a', index: 7 },
    })
  })
})

it('entries past their time have no seconds left', () => {
  const node = (key: string, rest: object) => ({ key, value: '', modifiedIndex: 1, createdIndex: 1, ...rest })
  const expiration = '2020-01-01T00:00:00Z'
  const { node: top } = done({
    action: 'get',
    node: {
      key: '/p',
      dir: true,
      modifiedIndex: 1,
      nodes: [
        node('/p/a', { expiration }),
        node('/p/b', { expiration, ttl: -3 }),
        node('/p/c', { expiration, ttl: 9 }),
        node('/p/d', {}),
      ],
    },
  })
  const left = entriesOf(top, (key) => key).map(({ key, ttlSeconds }) => [key, ttlSeconds])
  expect(Object.fromEntries(left)).toEqual({ '/p/a': 0, '/p/b': 0, '/p/c': 9, '/p/d': undefined })
})

describe('an event below /p/d', () => {
  const node = (key: string, rest: object = {}) => ({ key, modifiedIndex: 9, createdIndex: 1, ...rest })
  const directory = { dir: true }
  it.each<[string, object, object | undefined]>([
    [
      'a create',
      { action: 'create', node: node('/p/d/a', { value: 'x' }) },
      { type: 'put', key: '/p/d/a', value: 'x' },
    ],
    ['a set', { action: 'set', node: node('/p/d/a', { value: '' }) }, { type: 'put', key: '/p/d/a', value: '' }],
    ['an update', { action: 'update', node: node('/p/d/a', { value: 'x', ttl: 3 }) }, { type: 'put', ttlSeconds: 3 }],
    ['a swap', { action: 'compareAndSwap', node: node('/p/d/a', { value: 'x' }) }, { type: 'put', revision: 9 }],
    ['a delete', { action: 'delete', node: node('/p/d/a') }, { type: 'delete', key: '/p/d/a', expired: false }],
    ['a compared delete', { action: 'compareAndDelete', node: node('/p/d/a') }, { type: 'delete', expired: false }],
    [
      'an expiry',
      { action: 'expire', node: node('/p/d/a'), prevNode: node('/p/d/a') },
      { type: 'delete', expired: true },
    ],
    ['a tree removed', { action: 'delete', node: node('/p/d/t', directory) }, { type: 'delete-prefix', key: '/p/d/t' }],
    [
      'a tree expired, as etcd 2.3 tells it',
      { action: 'expire', node: node('/p/d/t'), prevNode: node('/p/d/t', directory) },
      { type: 'delete-prefix', key: '/p/d/t', expired: true },
    ],
    ['the prefix removed', { action: 'delete', node: node('/p/d', directory) }, { type: 'delete-prefix', key: '/p/d' }],
    [
      'what is above it removed',
      { action: 'delete', node: node('/p', directory) },
      { type: 'delete-prefix', key: '/p/d' },
    ],
    ['a namesake above removed', { action: 'delete', node: node('/p/', directory) }, undefined],
    ['a directory made', { action: 'set', node: node('/p/d/t', directory) }, undefined],
    [
      'a directory refreshed',
      { action: 'update', node: node('/p/d/t', directory), prevNode: node('/p/d/t', directory) },
      undefined,
    ],
    [
      'a directory in place of a value',
      { action: 'set', node: node('/p/d/a', directory), prevNode: node('/p/d/a', { value: 'x' }) },
      { type: 'delete', key: '/p/d/a', expired: false },
    ],
    ['a value at the prefix', { action: 'set', node: node('/p/d', { value: 'x' }) }, undefined],
    ['a value at the prefix deleted', { action: 'delete', node: node('/p/d') }, undefined],
    ['a namesake', { action: 'set', node: node('/p/dx', { value: 'x' }) }, undefined],
  ])('%s', (_, body, expected) => {
    const event = eventOf(done(body), '/p/d')
    if (expected === undefined) expect(event).toBeUndefined()
    else expect(event).toMatchObject(expected)
  })
})
