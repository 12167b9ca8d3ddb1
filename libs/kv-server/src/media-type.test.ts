import { expect, it } from 'vitest'
import { parseMediaType } from './media-type.ts'

it.each([
  ['text/plain', 'text/plain'],
  [' Text/PLAIN ', 'text/plain'],
  ['x', 'x'],
  ['a/b;', 'a/b'],
  ['a/b; c=d', 'a/b'],
  ['a/b ;c="d e" ; f = g;', 'a/b'],
  ['a/b;c=""', 'a/b'],
  ['a/b;c="\\"\\;x"', 'a/b'],
])('%j is %s', (header, type) => expect(parseMediaType(header)).toEqual({ type, error: undefined }))

it.each([
  [';', 'no media type'],
  ['/x', 'no media type'],
  ['  ', 'no media type'],
  ['a b', 'expected slash after first token'],
  ['a/', 'expected token after slash'],
  ['bad/;;', 'expected token after slash'],
  ['a/b/c', 'unexpected content after media subtype'],
  ['a/b; c', 'invalid media parameter'],
  ['a/b; =d', 'invalid media parameter'],
  ['a/b;;', 'invalid media parameter'],
  ['a/b;c=', 'invalid media parameter'],
  ['a/b;c="d', 'invalid media parameter'],
  ['a/b;c=d e', 'invalid media parameter'],
  ['a/b;c=d;c=e', 'duplicate parameter name'],
  ['a/b;c=d;C=d', 'duplicate parameter name'],
])('%j: %s', (header, error) => expect(parseMediaType(header).error).toBe(`mime: ${error}`))
