import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAuthorization } from './credentials.ts'

const basic = (user: string, password: string) => ({ kind: 'basic', user, password })

describe('an Authorization header', () => {
  it.each([
    [undefined, { kind: 'none' }],
    ['', { kind: 'none' }],
    ['Basic cm9vdDpyb290cHc=', basic('root', 'rootpw')],
    ['basic cm9vdDpyb290cHc=', basic('root', 'rootpw')],
    ['BASIC cm9vdDo=', basic('root', '')],
    ['Basic Ym9iOmI6Yg==', basic('bob', 'b:b')],
    ['Basic OnB3', basic('', 'pw')],
    ['Basic w6k6w6k=', basic('\u00c3\u00a9', '\u00c3\u00a9')],
    ['Basic YTpi', basic('a', 'b')],
  ])('%j holds %j', (header, credentials) => expect(parseAuthorization(header)).toEqual(credentials))

  it.each([
    'Basic',
    'Basic ',
    'Basic !!!',
    'Basic cm9vdA==',
    'Basic cm9vdDo',
    'Basic  OnB3',
    'Basic =',
    'Basic YTpi====',
    'Bearer abc',
    'Digest OnB3',
    ' ',
  ])('%j is unreadable', (header) => expect(parseAuthorization(header).kind).toBe('unreadable'))

  it('gives back every pair that was put into one', () => {
    const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) })
    fc.assert(
      fc.property(bytes, bytes, (name, password) => {
        const user = name.replaceAll(':', '')
        const header = `Basic ${btoa(`${user}:${password}`)}`
        expect(parseAuthorization(header)).toEqual(basic(user, password))
      }),
    )
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (header) => void parseAuthorization(`Basic ${header}`)))
  })
})
