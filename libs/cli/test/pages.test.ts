import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CommandLine, memoryIo, renderCompletion, runCommandLine } from '../src/index.ts'

const line: CommandLine<number> = {
  program: 'tool',
  version: '1.2.3',
  summary: 'A tool.',
  environmentPrefix: 'TOOL_',
  usageExitCode: 0,
  usageErrorEcho: 'cannot execute: ',
  flags: { endpoint: { kind: 'string', default: 'here', summary: "Where the daemon's socket is" } },
  commands: [
    {
      name: 'start',
      summary: 'Start units',
      usage: 'start UNIT...',
      description: 'Starts units.\nAll of them.',
      examples: [
        { line: 'tool start a', about: 'One' },
        { line: 'tool start a b', about: 'Two' },
      ],
      flags: {
        'no-block': { kind: 'boolean', default: false, summary: 'Do not wait: go on' },
        old: { kind: 'boolean', default: false, summary: 'Nothing', hidden: true },
      },
      words: ['all'],
      wordsFrom: 'also others $(touch_this)',
      usageExitCode: 2,
      load:
        async () =>
        async (context, { args }) => {
          if (args.includes('fail')) throw new Error('it failed')
          if (args.includes('stop')) throw new DOMException('stopped', 'AbortError')
          return context
        },
    },
    {
      name: 'status',
      summary: 'Tell of units',
      usage: 'status UNIT...',
      description: 'Tells.',
      examples: [],
      flags: {},
      usageExitCode: 0,
      load: async () => async () => 0,
    },
  ],
}

const run = async (...argv: string[]) => {
  const io = memoryIo()
  const exit = await runCommandLine(line, argv, io, () => 7)
  return { exit, ...io.written }
}

describe('pages', () => {
  it('of the program', async () => expect((await run('help')).stdout).toMatchSnapshot())
  it('of a command, examples first', async () => expect((await run('help', 'start')).stdout).toMatchSnapshot())
  it('without any word', async () => expect((await run()).stdout).toMatchSnapshot())
  it('of the version', async () => expect(await run('-v')).toMatchObject({ stdout: 'tool version 1.2.3\n', exit: 0 }))
})

describe('wrong usage', () => {
  it('of an unknown command names the nearest and is echoed', async () =>
    expect(await run('strt')).toEqual({
      exit: 0,
      stdout: '',
      stderr:
        'Error: unknown command "strt" for "tool"\n\nDid you mean this?\n\tstart\n\n' +
        "Run 'tool --help' for usage.\n" +
        'cannot execute: unknown command "strt" for "tool"\n\nDid you mean this?\n\tstart\n\n',
    }))

  it('of a flag prints the page of the command and gives its code', async () => {
    const { exit, stdout, stderr } = await run('start', '--nosuch')
    expect(exit).toBe(2)
    expect(stdout).toBe((await run('help', 'start')).stdout)
    expect(stderr).toBe('Error: unknown flag: --nosuch\n\ncannot execute: unknown flag: --nosuch\n')
  })

  it('of help names the topic', async () =>
    expect((await run('help', 'nosuch')).stderr).toBe('Unknown help topic [`nosuch`].'))
})

it.each([
  [['start'], 7, ''],
  [['start', 'fail'], 1, 'it failed\n'],
  [['start', 'stop'], 130, ''],
])('%j ends with %i', async (argv, exit, stderr) => expect(await run(...argv)).toEqual({ exit, stderr, stdout: '' }))

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'] as const)('for %s', (shell) =>
    expect(renderCompletion(line, shell)).toMatchSnapshot(),
  )

  it('completes commands and flags in a real bash', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-'))
    try {
      const file = join(folder, 'completion.bash')
      writeFileSync(file, renderCompletion(line, 'bash'))
      const complete = (...words: string[]) =>
        execFileSync('bash', [
          '--norc',
          '-c',
          `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tool; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          ...words,
        ])
          .toString()
          .trim()
          .split('\n')
      expect(complete('tool', 'sta')).toEqual(['start', 'status'])
      expect(complete('tool', 'start', '--n')).toEqual(['--no-block'])
      expect(complete('tool', 'status', '--e')).toEqual(['--endpoint'])
      // The program itself stands in for what it would print.
      expect(complete('echo', 'start', 'al')).toEqual(['all', 'also'])
      expect(complete('echo', 'start', '$')).toEqual(['$(touch_this)'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
