import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Flag, flagsFirst, parseDuration, parseFlags } from './go-flags.ts'

const flags: readonly Flag[] = [
  { kind: 'boolean', names: ['debug'], summary: '' },
  { kind: 'text', names: ['output', 'o'], summary: '', default: 'simple' },
  { kind: 'integer', names: ['ttl'], summary: '', default: '0' },
  { kind: 'duration', names: ['timeout'], summary: '', default: '1s' },
  { kind: 'list', names: ['roles'], summary: '' },
]

const read = (words: readonly string[]) => {
  const parsed = parseFlags(flags, words)
  if (!parsed.ok) return parsed.error
  const { values, rest } = parsed.value
  const [ttl, timeoutMs] = [Number(values.integer('ttl')), values.durationMs('timeout')]
  return [values.isOn('debug'), values.text('output'), ttl, timeoutMs, values.list('roles').join('+'), ...rest]
}

it.each([
  [[], [false, 'simple', 0, 1000, '']],
  [['-debug'], [true, 'simple', 0, 1000, '']],
  [
    ['--debug=false', 'x'],
    [false, 'simple', 0, 1000, '', 'x'],
  ],
  [
    ['-o', 'json', '-ttl', '-5'],
    [false, 'json', -5, 1000, ''],
  ],
  [
    ['--output=', '--ttl=0x10'],
    [false, '', 16, 1000, ''],
  ],
  [['--output=a=b'], [false, 'a=b', 0, 1000, '']],
  [
    ['--ttl', '1', '--ttl', '2'],
    [false, 'simple', 2, 1000, ''],
  ],
  [
    ['--ttl', '010'],
    [false, 'simple', 8, 1000, ''],
  ],
  [
    ['--timeout', '1m0.5s'],
    [false, 'simple', 0, 60_500, ''],
  ],
  [
    ['--roles', 'a', '--roles', 'b,c'],
    [false, 'simple', 0, 1000, 'a+b,c'],
  ],
  [
    ['get', '--debug'],
    [false, 'simple', 0, 1000, '', 'get', '--debug'],
  ],
  [
    ['-', '--debug'],
    [false, 'simple', 0, 1000, '', '-', '--debug'],
  ],
  [
    ['--', '--debug', '--'],
    [false, 'simple', 0, 1000, '', '--debug', '--'],
  ],
])('%j are read as Go reads them', (words, expected) => expect(read(words)).toEqual(expected))

it.each([
  [['--nope'], 'flag provided but not defined: -nope'],
  [['-output'], 'flag needs an argument: -output'],
  [['--ttl', 'x'], 'invalid value "x" for flag -ttl'],
  [['--ttl', '9223372036854775808'], 'invalid value "9223372036854775808" for flag -ttl'],
  [['--timeout', '5'], 'invalid value "5" for flag -timeout'],
  [['--debug=maybe'], 'invalid value "maybe" for flag -debug'],
  [['---debug'], 'bad flag syntax: ---debug'],
  [['-=x'], 'bad flag syntax: -=x'],
])('%j are wrong: %s', (words, reason) => expect(read(words)).toEqual({ kind: 'incorrect', reason }))

it('refuses two spellings of one flag', () =>
  expect(read(['-o', 'json', '--output', 'json'])).toEqual({ kind: 'two-forms', flag: 'output', other: 'o' }))

it.each([
  [
    ['/k', 'v', '--ttl', '5'],
    ['--ttl', '5', '/k', 'v'],
  ],
  [
    ['/k', '--ttl', '5', 'v'],
    ['--ttl', '5', 'v', '/k'],
  ],
  [
    ['/k', '-5'],
    ['-5', '/k'],
  ],
  [
    ['--', '/k', '-5'],
    ['--', '/k', '-5'],
  ],
  [
    ['/k', '--', 'sh', '-c', 'x'],
    ['/k', '--', 'sh', '-c', 'x'],
  ],
  [
    ['-r', '/k', '--', 'sh', '-c', 'x'],
    ['-r', '/k', '--', 'sh', '-c', 'x'],
  ],
  [
    ['/k', '-r', '--', 'sh', '-c'],
    ['-r', '/k', '--', 'sh', '-c'],
  ],
  [[], []],
])('%j becomes %j', (words, expected) => expect(flagsFirst(words)).toEqual(expected))

it.each([
  ['0', 0],
  ['1s', 1000],
  ['-1.5h', -5_400_000],
  ['1m30s', 90_000],
  ['.5s', 500],
  ['250us', 0.25],
  ['1d', undefined],
  ['', undefined],
  ['5', undefined],
])('the duration %j is %s ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

it('no words throw', () =>
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('--', '-o', '--ttl=', '--ttl', '-5', '--debug'))),
      (words) => {
        const parsed = parseFlags(flags, flagsFirst(words))
        if (parsed.ok) expect(parsed.value.rest.length).toBeLessThanOrEqual(words.length)
      },
    ),
  ))
