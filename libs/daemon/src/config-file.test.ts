import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfigFile } from './config-file.ts'

describe('parseConfigFile', () => {
  it.each([
    ['etcd_servers = "http://a:2379"', 'etcd_servers', 'http://a:2379'],
    ["public_ip='10.0.0.1'", 'public_ip', '10.0.0.1'],
    ['  verbosity=1  ', 'verbosity', '1'],
    ['VERBOSITY = 2', 'verbosity', '2'],
    ['empty =', 'empty', ''],
    ['quoted = ""', 'quoted', ''],
    ['disable_engine', 'disable_engine', undefined],
    ['with = a = b', 'with', 'a = b'],
    ['inner = "a # b"', 'inner', 'a # b'],
    ['joined = a,\\\n  b', 'joined', 'a,b'],
    ['crlf = x\r', 'crlf', 'x'],
    ['last = x\\', 'last', 'x'],
  ])('%j gives %s', (text, key, value) => {
    const file = parseConfigFile(text)
    expect(file.entries).toEqual([{ key, value, line: 1 }])
    expect(file.problems).toEqual([])
  })

  it('leaves out comments and blank lines, and counts them', () => {
    const { entries } = parseConfigFile('# one\n\n; two\n  # three\na=1\n')
    expect(entries).toEqual([{ key: 'a', value: '1', line: 5 }])
  })

  it('counts joined lines from the first', () => {
    const { entries } = parseConfigFile('a = 1,\\\n2,\\\n3\nb = 4')
    expect(entries).toEqual([
      { key: 'a', value: '1,2,3', line: 1 },
      { key: 'b', value: '4', line: 4 },
    ])
  })

  it('reads nothing behind a section, and says so', () => {
    const file = parseConfigFile('a=1\n[fleet]\nb=2')
    expect(file.entries.map(({ key }) => key)).toEqual(['a'])
    expect(file.warnings.map(({ line }) => line)).toEqual([2])
  })

  it('warns of a key that is set twice', () => {
    const file = parseConfigFile('a=1\na=2')
    expect(file.entries.map(({ value }) => value)).toEqual(['1', '2'])
    expect(file.warnings.map(({ line }) => line)).toEqual([2])
  })

  it.each(['= 1', 'two words', 'a = "open', 'a = \'mixed"'])('%j is a problem of line 1', (text) => {
    expect(parseConfigFile(text).problems.map(({ line }) => line)).toEqual([1])
  })

  it('never throws', () => fc.assert(fc.property(fc.string(), (text) => void parseConfigFile(text))))
})
