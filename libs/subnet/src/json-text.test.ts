import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonObject, jsonMembers, knownMembers, parseJson, renderGoJson } from './json-text.ts'

describe('jsonMembers', () => {
  it('gives values as they are written', () =>
    expect(jsonMembers(' { "a" : [1, 2 ] , "b":{"c":"}"},"a":"x\\"y" , "d":-1.0e3} ')).toEqual([
      { name: 'a', text: '[1, 2 ]' },
      { name: 'b', text: '{"c":"}"}' },
      { name: 'a', text: '"x\\"y"' },
      { name: 'd', text: '-1.0e3' },
    ]))
  it('decodes names', () => expect(jsonMembers('{"\\u0061\\"":1}')).toEqual([{ name: 'a"', text: '1' }]))
  it('gives nothing of an empty object', () => expect(jsonMembers('{ }')).toEqual([]))
  it('says the same as the parser of the platform', () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 0, max: 3 }), (object, indent) => {
        const text = JSON.stringify(object, undefined, indent)
        expect(jsonMembers(text).map(({ name, text: value }) => [name, parseJson(value)])).toEqual(
          Object.entries(object).map(([name, value]) => [name, JSON.parse(JSON.stringify(value))]),
        )
      }),
    ))
})

describe('knownMembers', () => {
  it('finds names in any case, the odd letters included', () =>
    expect(
      knownMembers('{"NETWORK":1,"\u017fubnetlen":2,"networ\u212a":3,"other":4}', ['Network', 'SubnetLen']),
    ).toEqual([
      { name: 'Network', text: '1' },
      { name: 'SubnetLen', text: '2' },
      { name: 'Network', text: '3' },
    ]))
})

describe('renderGoJson', () => {
  it('escapes what Go escapes', () =>
    expect(renderGoJson({ a: '<&>\u2028\b\f\\b\n', b: undefined, c: [1, null] })).toBe(
      '{"a":"\\u003c\\u0026\\u003e\\u2028\\u0008\\u000c\\\\b\\n","c":[1,null]}',
    ))
  it('is JSON of the same value', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        const parsed = parseJson(text)
        expect(parsed === undefined ? undefined : JSON.stringify(parseJson(renderGoJson(parsed)))).toBe(
          JSON.stringify(JSON.parse(text)),
        )
      }),
    ))
})

describe('parseJson', () => {
  it.each([[''], ['{'], ['\ufeff{}'], ['01'], ['{} x']])('%j is none', (text) =>
    expect(parseJson(text)).toBeUndefined(),
  )
  it('tells objects from the rest', () =>
    expect([{}, [], null, 'x', undefined].map(isJsonObject)).toEqual([true, false, false, false, false]))
})
