import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalKey, encodeFields, escapeQuery, keyTarget } from './target.ts'

it.each([
  ['a', '/a'],
  ['/a', '/a'],
  ['//a/./b//', '/a/b/'],
  ['/a/../b', '/b'],
  ['', '/'],
  ['/', '/'],
  ['..', '/'],
  ['/../members', '/members'],
])('the key %j is %j in the store', (key, canonical) => expect(canonicalKey(key)).toBe(canonical))

it.each([
  ['/a b', '/v2/keys/a%20b'],
  ['/what?#%', '/v2/keys/what%3F%23%25'],
  ['/a-_.~$&+,:;=@', '/v2/keys/a-_.~$&+,:;=@'],
  ["/it's(*)", '/v2/keys/it%27s%28%2A%29'],
  ['/ü', '/v2/keys/%C3%BC'],
])('the key %j is asked for at %j', (key, target) => expect(keyTarget(key)).toBe(target))

it('sorts fields by name, and writes a space as a plus', () => {
  const fields = [
    ['value', 'x y&z=+'],
    ['ttl', '5'],
  ] as const
  expect(encodeFields(fields)).toBe('ttl=5&value=x+y%26z%3D%2B')
})

it('keeps bytes that are no text', () => expect(escapeQuery(Uint8Array.of(0, 0x61, 0xff))).toBe('%00a%FF'))

it('writes what a form reader reads again', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(new URLSearchParams(`v=${escapeQuery(text)}`).get('v')).toBe(text)
    }),
  ))

it('never leads out of the tree', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', '/')), (parts) => {
      const url = new URL(`http://h${keyTarget(parts.join('/'))}`)
      expect(url.pathname.startsWith('/v2/keys/')).toBe(true)
    }),
  ))
