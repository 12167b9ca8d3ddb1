import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type CommandLine, memoryIo, parseCommandLine, renderTable, runCommandLine } from '../src/index.ts'

const line: CommandLine<null> = {
  program: 'tool',
  version: '1',
  summary: 'A tool.',
  environmentPrefix: 'TOOL_',
  usageExitCode: 0,
  flags: {
    endpoint: { kind: 'string', default: '', summary: '' },
    strict: { kind: 'boolean', default: true, summary: '' },
  },
  commands: [
    {
      name: 'start',
      summary: '',
      usage: 'start',
      description: '',
      examples: [],
      flags: {
        'no-block': { kind: 'boolean', default: false, summary: '' },
        n: { kind: 'int', default: 0, summary: '' },
      },
      usageExitCode: 2,
      load: async () => async () => 0,
    },
  ],
}

const word = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'start',
    'sta',
    'help',
    '--',
    '-',
    '-h',
    '--n',
    '--n=1',
    '--no-block',
    '--strict=false',
    '--endpoint',
    '-xyz',
    '-5',
  ),
)

it('no words make parsing throw, and each has an exit code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (argv) => {
      expect(parseCommandLine(line, argv).kind).toBeTypeOf('string')
      expect([0, 2]).toContain(await runCommandLine(line, argv, memoryIo(), () => null))
    }),
  )
})

it('words behind the command that look like no flag arrive as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string().filter((text) => !text.startsWith('-'))), (args) => {
      expect(parseCommandLine(line, ['start', ...args])).toMatchObject({ kind: 'run', invocation: { args } })
    }),
  )
})

it('cells of a table are found again between its TABs, and columns stand below each other', () => {
  const cell = fc.stringMatching(/^[a-z.@ ]{1,30}$/)
  const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1 })
  fc.assert(
    fc.property(rows, (table) => {
      const lines = renderTable(table).split('\n').slice(0, -1)
      expect(lines.map((text) => text.split(/\t+/))).toEqual(table)
      const secondColumn = lines.map((text, index) => columnAfter(text, table[index]?.[0] ?? ''))
      expect(new Set(secondColumn).size).toBe(1)
    }),
  )
})

/** Where a terminal with tab stops every eight columns stands behind the first cell and its TABs. */
function columnAfter(text: string, first: string): number {
  const tabs = /^\t+/.exec(text.slice(first.length))?.[0].length ?? 0
  return (Math.floor(first.length / 8) + tabs) * 8
}
