import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeExchange } from '../../test/fake-exchange.ts'
import { addFields, bodyFormOf, emptyForm, formSizeBytesMax, soleValueOf } from './form.ts'

describe('pairs', () => {
  it.each([
    ['value=1', { value: '1' }],
    ['value', { value: '' }],
    ['value=', { value: '' }],
    ['value=a=b=c', { value: 'a=b=c' }],
    ['&&value=1&&', { value: '1' }],
    ['value=1&value=2', { value: '1' }],
    ['value=&value=2', { value: '' }],
    ['val%75e=a+b%20c', { value: 'a b c' }],
    ['Value=1&nothing=x&__proto__=1&constructor=2', {}],
    ['=x&ttl=5', { ttl: '5' }],
    ['value=%3B', { value: ';' }],
    ['value=\xff%ff', { value: '\xff\xff' }],
  ])('%j', (text, expected) => {
    const form = emptyForm()
    expect(addFields(form, text)).toBeUndefined()
    expect(form).toEqual({ ...emptyForm(), ...expected })
  })

  it.each([
    ['x=%zz', 'invalid URL escape "%zz"'],
    ['x=%2', 'invalid URL escape "%2"'],
    ['%=1', 'invalid URL escape "%"'],
    ['%aq=%bq', 'invalid URL escape "%aq"'],
    ['x=%"\n', 'invalid URL escape "%\\"\\n"'],
    ['x=%\xc3\xa9', 'invalid URL escape "%\xc3\xa9"'],
    ['x=%\xe6\x97\xa5', 'invalid URL escape "%\\xe6\\x97"'],
    ['a;b', 'invalid semicolon separator in query'],
    ['x=%zz&a;b', 'invalid semicolon separator in query'],
    ['x=%zz&y=%yy', 'invalid URL escape "%zz"'],
  ])('%j is refused: %s', (text, cause) => expect(addFields(emptyForm(), text)).toBe(cause))

  it('the first of body and query counts', () => {
    const form = emptyForm()
    addFields(form, 'value=body')
    addFields(form, 'value=query&ttl=3')
    expect(form).toMatchObject({ value: 'body', ttl: '3' })
  })

  it('the short way agrees with the long one', () => {
    const characters = fc.constantFrom('v', 'a', '=', '&', '%', '4', '1', '+', ';', '\xe6')
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 8 }), (tail) => {
        const text = `value=${tail}`
        const value = soleValueOf(text)
        if (value === undefined) return
        const form = emptyForm()
        expect(addFields(form, text)).toBeUndefined()
        expect(form.value).toBe(value)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a body', () => {
  const formType = 'application/x-www-form-urlencoded'
  const kindOf = (contentType: string | undefined, body = 'value=1') =>
    bodyFormOf(
      new FakeExchange({
        method: 'PUT',
        target: '/',
        body,
        headers: contentType === undefined ? {} : { 'content-type': contentType },
      }),
    )

  it.each([
    [formType, 'form'],
    [`${formType}; charset=utf-8`, 'form'],
    ['APPLICATION/X-WWW-FORM-URLENCODED', 'form'],
    ['text/plain', 'ignored'],
    ['multipart/form-data; boundary=b', 'ignored'],
    ['x', 'ignored'],
    ['', 'ignored'],
    [undefined, 'ignored'],
    ['bad/;;', 'refused'],
  ])('of type %j is %s', (contentType, kind) => expect(kindOf(contentType).kind).toBe(kind))

  it('is bytes', () => expect(kindOf(formType, 'value=\xff\0')).toEqual({ kind: 'form', text: 'value=\xff\0' }))

  it('may have 10 MiB, of another type any size', () => {
    expect(kindOf(formType, 'x'.repeat(formSizeBytesMax)).kind).toBe('form')
    const tooLarge = 'x'.repeat(formSizeBytesMax + 1)
    expect(kindOf(formType, tooLarge)).toEqual({ kind: 'refused', cause: 'http: POST too large' })
    expect(kindOf(`${formType}; charset=utf-8`, tooLarge)).toEqual({ kind: 'refused', cause: 'http: POST too large' })
    expect(kindOf('text/plain', tooLarge).kind).toBe('ignored')
  })

  it('that the listener cut is too large', () => {
    const exchange = new FakeExchange({ method: 'PUT', target: '/', body: 'value=1', isBodyCut: true })
    expect(bodyFormOf(exchange)).toEqual({ kind: 'refused', cause: 'http: POST too large' })
  })
})
