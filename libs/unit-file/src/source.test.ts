import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBytes, encodeText } from './byte-text.ts'
import { parseUnitFile, renderUnitFile, splitLines } from './source.ts'

const pieces = fc.constantFrom(
  '[Unit]',
  '\n',
  '\r',
  '\0',
  '\\',
  '# c',
  ' ',
  'A=b',
  '=',
  '\ufeff',
  'ü',
  '\udcff',
  ']',
  ';',
  '\t',
)

describe('source text', () => {
  it('gives back arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(encodeText(decodeBytes(bytes))).toEqual(bytes)
        expect(encodeText(renderUnitFile(parseUnitFile(bytes)))).toEqual(bytes)
      }),
    )
  })

  it('gives back arbitrary texts made of what matters', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join('')
        expect(renderUnitFile(parseUnitFile(text))).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['a\nb', ['\n', '']],
    ['a\r\nb\n\rc', ['\r\n', '\n\r', '']],
    ['a\n\nb', ['\n', '\n', '']],
    ['a\r\0b', ['\r\0', '']],
    ['a\0\nb', ['\0', '\n', '']],
  ])('cuts %j at %j', (text, ends) => expect(splitLines(text).map(({ end }) => end)).toEqual(ends))

  it('knows where headers, keys and values stand', () => {
    const { blocks } = parseUnitFile('# c\n\n  [Unit]\nDescription = a \\\n  # inner\n  b\nAfter=\\\n x\n')
    expect(blocks.map(({ kind, line }) => [kind, line])).toEqual([
      ['comment', 1],
      ['blank', 2],
      ['header', 3],
      ['assignment', 4],
      ['assignment', 7],
    ])
    expect(blocks[2]).toMatchObject({ name: 'Unit', at: { line: 3, column: 3 } })
    expect(blocks[3]).toMatchObject({
      section: 'Unit',
      key: 'Description',
      value: 'a    b',
      lastLine: 6,
      at: { line: 4, column: 1 },
      valueAt: { line: 4, column: 15 },
    })
    expect(blocks[4]).toMatchObject({ value: 'x', valueAt: { line: 8, column: 2 } })
  })

  it.each([
    ['[Unit] # c', 'broken-header'],
    ['no equals', 'no-equals-sign'],
    ['=value', 'no-key'],
  ])('keeps junk: %s', (text, reason) => {
    expect(parseUnitFile(text).blocks).toMatchObject([{ kind: 'junk', reason, text }])
  })

  it('reports a continuation at the end of the file under the line behind it', () => {
    expect(parseUnitFile('[Unit]\nA=b \\\n').blocks[1]).toMatchObject({ kind: 'assignment', value: 'b', lastLine: 3 })
  })

  it('joins many continued lines in a moment and refuses more than a mebibyte', () => {
    const { blocks } = parseUnitFile(`A=${'0123456789\\\n'.repeat(100_000)}end`)
    expect(blocks[0]).toMatchObject({ kind: 'overlong' })
    expect(renderUnitFile({ blocks })).toHaveLength(2 + 1_200_000 + 3)
  })
})
