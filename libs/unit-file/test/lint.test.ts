import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  catalogueEntry,
  fixUnits,
  lintCatalogue,
  lintUnit,
  lintUnits,
  parseUnitFile,
  renderUnitFile,
} from '../src/index.ts'
import { lintExamples } from '../src/lint/examples.ts'
import { lintRules } from '../src/lint/lint.ts'

const idsOf = (files: Parameters<typeof lintUnits>[0], context: Parameters<typeof lintUnits>[1]): readonly string[] =>
  lintUnits(files, context).map(({ id }) => id)

describe.each(lintCatalogue)('$id, $title', ({ id, severity }) => {
  const { bad, good, context } = lintExamples[id]

  it('is found in the bad example, with the severity of the catalogue', () => {
    const found = lintUnits(bad, context).filter((finding) => finding.id === id)
    expect(found.map((finding) => finding.severity)).toContain(severity)
  })

  it('is not found in the good example', () => expect(idsOf(good, context)).not.toContain(id))

  it('is gone after its fix, if it has one', () => {
    const found = lintUnits(bad, context).filter((finding) => finding.id === id)
    if (found.every(({ fix }) => fix === undefined)) return
    const { files, fixed } = fixUnits(bad, context, (finding) => finding.id === id)
    expect(fixed.map((finding) => finding.id)).toContain(id)
    expect(idsOf(files, context)).not.toContain(id)
  })
})

it('the catalogue is the specification’s 92 findings and five about several units of a fleet', () => {
  expect(lintCatalogue).toHaveLength(97)
  expect(new Set(lintCatalogue.map(({ id }) => id)).size).toBe(97)
})

it('every finding of the catalogue belongs to a rule', () => {
  const ids = new Set(lintRules.flatMap((rule) => rule.ids))
  expect(lintCatalogue.map(({ id }) => id).filter((id) => !ids.has(id))).toEqual([])
})

it('no example has an error or warning but its own in its good part', () => {
  const others = lintCatalogue.flatMap(({ id }) => {
    const { good, context } = lintExamples[id]
    return lintUnits(good, { unitExists: () => true, ...context })
      .filter(({ severity }) => severity !== 'info')
      .map((finding) => `${id}: ${finding.id} ${finding.message}`)
  })
  expect(others).toEqual([])
})

describe('places', () => {
  it('follow a value over continued lines, comments between them left out', () => {
    const text =
      '[Unit]\nDescription=x\n\n[Service]\nExecStart=/bin/echo one \\\n# c\n   --port=$PORT two\nEnvironment=PORT=1\n'
    const found = lintUnit({ path: 'x.service', text }).find(({ id }) => id === 'UF046')
    expect(found?.range).toEqual({ start: { line: 7, column: 11 }, end: { line: 7, column: 16 } })
  })

  it('count from behind indentation and a byte order mark', () => {
    const text = '\ufeff[Service]\n  ExecStart = /bin/true\n  Nice = 30\n'
    const found = lintUnit({ path: 'x.service', text }).find(({ id }) => id === 'UF026')
    expect(found?.range).toEqual({ start: { line: 3, column: 10 }, end: { line: 3, column: 12 } })
  })
})

describe('units of several files', () => {
  const unit = { path: 'units/x.service', text: '[Service]\nExecStart=/bin/a\n' }

  it('are judged with their drop-ins applied', () => {
    const dropIn = { path: 'units/x.service.d/10.conf', text: '[Service]\nType=oneshot\nExecStart=/bin/b\n' }
    expect(idsOf([unit, dropIn], {})).not.toContain('UF041')
    const second = { path: 'units/x.service.d/10.conf', text: '[Service]\nExecStart=/bin/b\n' }
    const found = lintUnits([unit, second]).find(({ id }) => id === 'UF041')
    expect(found).toMatchObject({ path: second.path, range: { start: { line: 2 } } })
  })

  it('are in a circle by Before= and After= of different files', () => {
    const files = ['a', 'b', 'c'].map((name, index, all) => ({
      path: `${name}.service`,
      text: `[Unit]\nAfter=${all[(index + 1) % 3]}.service\n[Service]\nExecStart=/bin/true\n`,
    }))
    const found = lintUnits(files).filter(({ id }) => id === 'UF086')
    expect(found.map(({ message }) => message)).toEqual([
      'the order leads in a circle: a.service After=b.service, b.service After=c.service, c.service After=a.service',
    ])
    expect(idsOf(files.slice(0, 2), {})).not.toContain('UF086')
  })

  it('stand by themselves in lintUnit: nothing is said of what other files would hold', () => {
    const timer = { path: 'y.timer', text: '[Timer]\nOnBootSec=5\n' }
    expect(lintUnit(timer)).toEqual([])
    expect(idsOf([timer], {})).toEqual(['UF102'])
    expect(idsOf([timer], { unitExists: () => true })).toEqual([])
  })
})

describe('fixes', () => {
  it('keep comments, order, spacing and line ends', () => {
    const text =
      '# top\r\n[Unit]\r\nDescription = "x"   \r\n\r\n# why\r\n[Service]\r\nExecStart=/bin/true\r\nRestart = on-fail\r\n# end\r\n'
    const { files, fixed } = fixUnits([{ path: 'x.service', text }])
    expect(fixed.map(({ id }) => id)).toEqual(['UF020', 'UF025'])
    expect(files[0]?.text).toBe(text.replace('"x"', 'x').replace('on-fail', 'on-failure'))
  })

  it('of one place come one after the other', () => {
    const text = '[Servic]\nExecStrat=/bin/true\nRestrat=on-fail\n'
    const { files } = fixUnits([{ path: 'x.service', text }])
    expect(files[0]?.text).toBe('[Service]\nExecStart=/bin/true\nRestart=on-failure\n')
  })

  it('give bytes for bytes, and leave those that are no text as they are', () => {
    const head = new TextEncoder().encode('# caf')
    const tail = new TextEncoder().encode('\n[Service]\nExecStart=/bin/true\nRestart=alwyas\n')
    const text = new Uint8Array([...head, 0xe9, ...tail])
    const { files } = fixUnits([{ path: 'x.service', text }])
    const fixed = files[0]?.text
    expect(fixed).toBeInstanceOf(Uint8Array)
    expect(Buffer.from(fixed ?? []).toString('latin1')).toBe(
      Buffer.from(text).toString('latin1').replace('alwyas', 'always'),
    )
  })
})

describe('any text', () => {
  const lines = fc.constantFrom(
    ...lintCatalogue.flatMap(({ id }) =>
      lintExamples[id].bad.flatMap(({ text }) => (typeof text === 'string' ? text.split(/(?<=\n)/) : [])),
    ),
  )
  const texts = fc.oneof(
    fc.array(fc.oneof(lines, fc.string({ unit: 'binary', maxLength: 20 }))).map((parts) => parts.join('')),
    fc.uint8Array({ maxLength: 200 }),
  )

  it('is looked at without a throw, and every range lies in it', () => {
    fc.assert(
      fc.property(
        texts,
        fc.constantFrom('x.service', 'x@.service', 'x.timer', 'x.socket', 'a.mount', 'x.service.d/a.conf'),
        (text, path) => {
          const findings = lintUnits([{ path, text }], { isExecutable: () => false, unitExists: () => false })
          const physical = parseUnitFile(text).blocks.flatMap((block) => block.lines)
          for (const { id, range } of findings) {
            expect(catalogueEntry(id)).toBeDefined()
            const { start, end } = range
            expect(end.line > start.line || (end.line === start.line && end.column >= start.column)).toBe(true)
            expect(start.line).toBeLessThanOrEqual(Math.max(1, physical.length))
            expect(end.column).toBeLessThanOrEqual((physical[end.line - 1]?.text.length ?? 0) + 1)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('that no finding has a fix for is not changed by fixing', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { files, fixed } = fixUnits([{ path: 'x.service', text }])
        if (fixed.length === 0) expect(files[0]?.text).toBe(text)
        else expect(renderUnitFile(parseUnitFile(files[0]?.text ?? ''))).toBeTypeOf('string')
      }),
      { numRuns: 200 },
    )
  })
})
