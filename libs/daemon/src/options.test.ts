import { describe, expect, it } from 'vitest'
import {
  booleanOption,
  choiceOption,
  durationOption,
  listOption,
  mapOption,
  numberOption,
  pathOption,
  secretOption,
  stringOption,
} from './options.ts'

const help = 'what it is for'

describe('options', () => {
  it.each([
    ['1', true],
    ['t', true],
    ['True', true],
    ['0', false],
    ['FALSE', false],
    ['yes', undefined],
    ['', undefined],
  ])('boolean %j is %s', (text, expected) => {
    const value = booleanOption({ help, default: false }).parse(text)
    expect(value.ok ? value.value : undefined).toBe(expected)
  })

  it.each([
    ['1', 1],
    ['1.5', 1.5],
    ['-2', -2],
    ['1e3', 1000],
    ['', undefined],
    [' 1', undefined],
    ['0x10', undefined],
    ['1s', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
  ])('number %j is %s', (text, expected) => {
    const value = numberOption({ help, default: 0 }).parse(text)
    expect(value.ok ? value.value : undefined).toBe(expected)
  })

  it('keeps numbers within their bounds, and whole where asked', () => {
    const port = numberOption({ help, default: 1, min: 1, max: 65_535, integer: true })
    expect(port.parse('0')).toEqual({ ok: false, error: 'expected 1 to 65535' })
    expect(port.parse('1.5')).toEqual({ ok: false, error: 'expected a whole number' })
    expect(port.parse('65535').ok).toBe(true)
  })

  it('keeps durations within their bounds', () => {
    const ttl = durationOption({ help, default: 6000, min: 1000 })
    expect(ttl.parse('10ms')).toEqual({ ok: false, error: 'expected at least 1s' })
    expect(ttl.parse('1m')).toEqual({ ok: true, value: 60_000 })
    expect(ttl.defaultText).toBe('6s')
  })

  it('splits lists at commas and cuts brackets, quotes and blanks off', () =>
    expect(listOption({ help, default: [] }).parse(' [ "http://a:1", "http://b:2" ],,')).toEqual({
      ok: true,
      value: ['http://a:1', 'http://b:2'],
    }))

  it('reads maps; the last of equal keys counts', () => {
    const metadata = mapOption({ help, default: new Map() })
    expect(metadata.parse('zone = a, disk=ssd,zone=b,')).toEqual({
      ok: true,
      value: new Map([
        ['zone', 'b'],
        ['disk', 'ssd'],
      ]),
    })
    expect(metadata.parse('zone').ok).toBe(false)
    expect(metadata.parse('=a').ok).toBe(false)
  })

  it('takes only the words of a choice', () => {
    const format = choiceOption({ help, default: 'text', choices: ['text', 'json'] })
    expect(format.parse('json')).toEqual({ ok: true, value: 'json' })
    expect(format.parse('xml')).toEqual({ ok: false, error: 'expected one of text, json' })
  })

  it('hides secrets and refuses NUL in paths', () => {
    const secret = secretOption({ help }).parse('hunter2')
    expect(secret.ok && String(secret.value)).toBe('[secret]')
    expect(secret.ok && secret.value.reveal()).toBe('hunter2')
    expect(pathOption({ help, default: '' }).parse('a\0b').ok).toBe(false)
  })

  it('asks the validation of the declaration', () => {
    const option = stringOption({ help, default: '', validate: (text) => (text === 'no' ? 'not this' : undefined) })
    expect(option.parse('no')).toEqual({ ok: false, error: 'not this' })
    expect(option.parse('yes')).toEqual({ ok: true, value: 'yes' })
  })
})
