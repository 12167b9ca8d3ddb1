import { describe, expect, it } from 'vitest'
import { fixUnits, lintReport, lintUnits } from './lint.ts'
import { omissionText } from './omission-text.ts'

const warnings = 'Nope=1\n'.repeat(500)
const file = { path: 'x.service', text: `[Service]\n${warnings}ExecStart=/bin/true\nRestart=on-fail\n` }

describe('a report', () => {
  it('keeps the most severe findings, by place, and counts the others', () => {
    const { findings, omissions } = lintReport([file], {}, { findingsMax: 3 })
    expect(findings.map(({ id, range }) => [id, range.start.line])).toEqual([
      ['UF008', 2],
      ['UF008', 3],
      ['UF025', 503],
    ])
    const { counts } = omissions[0] ?? {}
    expect(counts).toMatchObject({ error: 0, warning: 498 })
  })

  it('is all findings where the limit is not reached', () => {
    expect(lintReport([file], {}, { findingsMax: Infinity })).toEqual({ findings: lintUnits([file]), omissions: [] })
    const small = { path: 'y.service', text: '[Service]\nExecStart=/bin/true\nRestart=on-fail\n' }
    expect(lintReport([small])).toEqual({ findings: lintUnits([small]), omissions: [] })
  })

  it('limits each file by itself', () => {
    const other = { ...file, path: 'y.service' }
    const { findings, omissions } = lintReport([file, other], {}, { findingsMax: 2 })
    expect(findings.map(({ path }) => path)).toEqual(['x.service', 'x.service', 'y.service', 'y.service'])
    expect(omissions.map(({ path }) => path)).toEqual(['x.service', 'y.service'])
  })

  it('ends looking at a file with more findings than anybody reads, and says so', () => {
    const text = `[Service]\nExecStart=/bin/a ${'$x %z '.repeat(60_000)}\n`
    const { findings, omissions } = lintReport([{ path: 'x.service', text }])
    expect(findings).toHaveLength(200)
    expect(omissions[0]?.why).toBe('it has more than 50000 findings')
  })

  it.each([
    ['bytes', { sizeBytesMax: 10 }, `it has ${file.text.length} bytes, and lint looks at files of 10 at most`],
    ['lines', { linesMax: 10 }, 'it has 504 lines, and lint looks at files of 10 at most'],
  ])('does not look at files of too many %s', (_what, limits, why) => {
    const bytes = { ...file, text: new TextEncoder().encode(file.text) }
    for (const given of [file, bytes]) {
      const { findings, omissions } = lintReport([given], {}, limits)
      expect([findings, omissions[0]?.why]).toEqual([[], why])
    }
  })

  it('does not set a limit to what is fixed', () => {
    const text = `[Service]\nExecStart=/bin/true\n${'Environmnt=A=b\n'.repeat(300)}`
    expect(fixUnits([{ path: 'x.service', text }]).fixed).toHaveLength(300)
  })
})

it.each([
  [{ error: 0, warning: 1, info: 0 }, undefined, '1 more finding is not told: 1 warning'],
  [{ error: 2, warning: 1, info: 3 }, undefined, '6 more findings are not told: 2 errors, 1 warning, 3 of advice'],
  [{ error: 0, warning: 0, info: 0 }, 'it is large', 'not looked at: it is large'],
  [
    { error: 1, warning: 0, info: 0 },
    'it is bad',
    '1 more finding is not told: 1 error; not all was looked at: it is bad',
  ],
])('%j and %s in words', (counts, why, text) =>
  expect(omissionText({ path: 'x', counts, ...(why === undefined ? {} : { why }) })).toBe(text),
)
