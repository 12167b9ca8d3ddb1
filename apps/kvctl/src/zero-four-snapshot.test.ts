import { expect, it } from 'vitest'
import { keysOfSnapshot } from './zero-four-snapshot.ts'

const file = (value: string, more: object = {}) => ({ Value: value, Children: null, ...more })
const directory = (children: object) => ({ Value: '', Children: children, ExpireTime: '0001-01-01T00:00:00Z' })
const store = {
  Root: directory({
    b: directory({ z: file('3'), a: file('2') }),
    a: file('1', { ExpireTime: '0001-01-01T00:00:00Z' }),
    t: file('4', { ExpireTime: '2014-06-01T00:00:00Z' }),
    empty: directory({}),
    _etcd: directory({ config: file('hidden') }),
  }),
  CurrentIndex: 7,
}
const keys = [
  { key: '/a', value: '1' },
  { key: '/b/a', value: '2' },
  { key: '/b/z', value: '3' },
  { key: '/t', value: '4', expiresMs: Date.parse('2014-06-01T00:00:00Z') },
]
const wrapped = JSON.stringify({ state: Buffer.from(JSON.stringify(store)).toString('base64'), lastIndex: 7 })

it.each([
  ['the JSON of a store', JSON.stringify(store)],
  ['a snapshot around it', wrapped],
  ['a snapshot with its checksum', `0badcafe\n${wrapped}`],
])('reads %s', (_, text) => expect(keysOfSnapshot(text, [])).toEqual({ ok: true, value: keys }))

it('adds hidden keys that are named', () =>
  expect(keysOfSnapshot(wrapped, ['/_etcd/'])).toEqual({
    ok: true,
    value: [...keys, { key: '/_etcd/config', value: 'hidden' }],
  }))

it.each([
  ['nothing', '', []],
  ['no JSON', 'what', []],
  ['no store', '{}', []],
  ['a state that is none', '{"state":"bm8="}', []],
  ['a hidden key that is not there', wrapped, ['/_x']],
])('refuses %s', (_, text, hidden) => expect(keysOfSnapshot(text, hidden).ok).toBe(false))
