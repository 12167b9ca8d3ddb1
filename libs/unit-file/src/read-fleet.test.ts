import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UnitOption } from './option.ts'
import { clusterDialect, readAsFleet } from './read-fleet.ts'
import { renderOptions } from './render.ts'
import { hashOptions, shortHash } from './unit-hash.ts'

const valuesOf = (text: string): readonly string[] | string => {
  const options = readAsFleet(text)
  return options.ok ? options.value.map(({ value }) => value) : options.error.message
}

describe('fleet reading', () => {
  it.each([
    ['repeats and empty values stay', '[S]\nA=1\nA=\nA=2\n', ['1', '', '2']],
    ['a continuation is kept as written', '[S]\nA=a \\\n  b\n', ['a \\\n  b']],
    ['two backslashes at the line end continue too', '[S]\nA=a\\\\\nb\n', ['a\\\\\nb']],
    ['a blank line ends a continuation and leaves a newline', '[S]\nA=a \\\n\nB=b\n', ['a \\\n', 'b']],
    ['a backslash before CRLF does not continue', '[S]\r\nA=a \\\r\nB=b\r\n', ['a \\', 'b']],
    ['a comment that ends in a backslash swallows the next line', '[S]\n# c \\\nA=1\nB=2\n', ['2']],
    ['text before the first section vanishes', 'A=1\n[S]\nB=2\n', ['2']],
    ['Unicode white space is trimmed', '[S]\nA=\u00a0\u3000x\u2003\n', ['x']],
    [
      'a line without an equals sign ends everything',
      '[S]\nA=1\nB\n',
      'unexpected newline encountered while parsing option name',
    ],
    ['a name at the end of the file', '[S]\nA', 'EOF'],
    ['text behind a header', '[S] x\n', 'found garbage after section name : [120]'],
    ['a header without end', '[S\nA=1\n', 'unable to find end of section'],
  ])('%s', (_rule, text, expected) => expect(valuesOf(text)).toEqual(expected))

  it('names the line where reading stopped', () => {
    expect(readAsFleet('[S]\nA=1\nB\n')).toMatchObject({
      ok: false,
      error: { kind: 'newline-in-option-name', line: 3 },
    })
  })

  it('finds a long line only while 2048 bytes of it are in the buffer', () => {
    expect(valuesOf(`[S]\nA=${'x'.repeat(2030)}\n`)).toHaveLength(1)
    expect(valuesOf(`[S]\nA=${'x'.repeat(2100)}\n`)).toBe('line too long (max 2048 bytes)')
  })

  it('takes long lines and CRLF in the dialect of our daemons', () => {
    const options = readAsFleet(`[S]\r\nA=a \\\r\n b\r\nB=${'x'.repeat(5000)}\r\n`, clusterDialect)
    expect(options.ok && options.value.map(({ value }) => value.length)).toEqual([6, 5000])
    const long = readAsFleet(`[S]\nA=${'x'.repeat(1_048_576)}\n`, clusterDialect)
    expect(long).toMatchObject({ ok: false, error: { kind: 'line-too-long', line: 2 } })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void readAsFleet(bytes)))
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readAsFleet(text)))
  })
})

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/)
const options: fc.Arbitrary<readonly UnitOption[]> = fc.array(
  fc.record({ section: word, name: word, value: fc.stringMatching(/^(?:[\w%"'=#;$ä€][\w %"'=#;$ä€]{0,20}[\w"'])?$/) }),
)

describe('rendering options', () => {
  it('groups sections in order of first appearance', () => {
    const text = '[B]\nX=1\n[A]\nY=2\n[B]\nX=3\n'
    const read = readAsFleet(text)
    expect(read.ok && renderOptions(read.value)).toBe('[B]\nX=1\nX=3\n\n[A]\nY=2\n')
    expect(renderOptions([])).toBe('')
  })

  it('reads back to the same options when sections stand together', () => {
    fc.assert(
      fc.property(options, (given) => {
        const read = readAsFleet(renderOptions(given))
        const grouped = [...new Set(given.map(({ section }) => section))].flatMap((name) =>
          given.filter(({ section }) => section === name),
        )
        expect(read).toEqual({ ok: true, value: grouped })
      }),
    )
  })

  it('hashes the rendered bytes', () => {
    const sleep = [{ section: 'Service', name: 'ExecStart', value: '/bin/sleep infinity' }]
    expect(hashOptions(sleep)).toBe('8385c9176f09a5ee3bbb88d45c6fc3f0b69d1f52')
    expect(shortHash(hashOptions(sleep))).toBe('8385c91')
    expect(hashOptions([])).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709')
  })
})
