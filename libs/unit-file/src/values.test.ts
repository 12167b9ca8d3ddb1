import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCalendarExpression } from './calendar.ts'
import {
  parseBoolean,
  parseMode,
  parsePermyriad,
  parseSignal,
  parseSize,
  parseTimeSpan,
  parseUnsigned,
} from './values.ts'

describe('scalars', () => {
  it.each([
    ['90', 90_000_000n],
    ['2min 30s', 150_000_000n],
    ['1h30', 3_630_000_000n],
    ['.5', 500_000n],
    ['1.5h', 5_400_000_000n],
    ['5M', 13_149_000_000_000n],
    ['infinity', 'infinity'],
    ['5.', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['5 s s', undefined],
    ['584542y', undefined],
  ])('the time %s is %s', (text, microseconds) => expect(parseTimeSpan(text)).toBe(microseconds))

  it.each([
    ['1K', 1024n],
    ['1.5M', 1_572_864n],
    ['1G 512M', 1_610_612_736n],
    ['512M1G', 'Invalid argument'],
    ['-1', 'Numerical result out of range'],
    ['16E', 'Numerical result out of range'],
    ['1k', 'Invalid argument'],
  ])('the size %s is %s', (text, expected) => {
    const size = parseSize(text)
    expect(size.ok ? size.value : size.error.message).toBe(expected)
  })

  it.each([
    ['0x10', 16],
    ['010', 8],
    ['0b11', 3],
    ['+5', 5],
    ['08', 'Invalid argument'],
    ['-1', 'Numerical result out of range'],
  ])('the number %s is %s', (text, expected) => {
    const number = parseUnsigned(text)
    expect(number.ok ? number.value : number.error.message).toBe(expected)
  })

  it('reads booleans, modes, percents and signals', () => {
    expect([parseBoolean('On'), parseBoolean('f'), parseBoolean('maybe')]).toEqual([true, false, undefined])
    expect([parseMode('0755'), parseMode('10000'), parseMode('8')]).toEqual([0o755, undefined, undefined])
    expect([parsePermyriad('12.5%'), parsePermyriad('33.333%'), parsePermyriad('%')]).toEqual([
      1250,
      undefined,
      undefined,
    ])
    expect([parseSignal('TERM'), parseSignal('SIGRTMAX-1'), parseSignal('RTMIN+31'), parseSignal('term')]).toEqual([
      15,
      63,
      undefined,
      undefined,
    ])
  })

  it.each([
    ['Mon..Fri 10:00', true],
    ['*-*-1 *:0/15', true],
    ['daily Europe/Berlin', true],
    ['*-02~01', true],
    ['25:00', false],
    ['2024-13-01', false],
    ['foo', false],
  ])('%s is a calendar expression: %s', (text, valid) => expect(isCalendarExpression(text)).toBe(valid))

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseTimeSpan, parseSize, parseUnsigned, parseSignal, isCalendarExpression]) parse(text)
      }),
    )
  })
})
