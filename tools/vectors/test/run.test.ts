import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deviation } from '../src/deviations.ts'
import { run } from '../src/run.ts'
import { vectorSets } from '../src/sets.ts'

const projectRoot = fileURLToPath(new URL('../../../', import.meta.url))
const recorded = readFileSync(join(projectRoot, 'tools/vectors/sets/fleet-agent/tasks.json'), 'utf8')

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vectors-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function vectors(args: readonly string[], deviations: readonly Deviation[] = []) {
  const lines: string[] = []
  const errors: string[] = []
  const status = await run(args, {
    print: (line) => lines.push(line),
    printError: (line) => errors.push(line),
    directories: ['/nowhere', directory],
    projectRoot,
    deviations,
  })
  return { status, lines, errors }
}

const writeCases = (text: string): void => writeFileSync(join(directory, 'more.json'), text)

const planted = recorded.replace('"StopUnit"', '"StopItAll"')

const plantedDeviation: Deviation = {
  set: 'fleet-agent',
  case: 'more.json: stop',
  trap: 7,
  reason: 'planted by a test',
  outcome: [{ at: 'tasks[0][0]', expected: 'StopItAll', actual: 'StopUnit' }],
}

describe('vectors SET', () => {
  it('passes with the copy in the project', async () => {
    const { status, lines } = await vectors(['fleet-agent'])
    expect(lines).toEqual(['no deviations', '70 passed, 0 failed'])
    expect(status).toBe(0)
  })

  it.each([
    ['a set nobody knows', ['fleet-agnet'], /there is no set "fleet-agnet".*did you mean fleet-agent\?/s],
    ['a set far from any', ['zzz'], /there is no set "zzz".*known sets: .*fleet-scheduler/s],
    ['no set', [], /no set is named/],
    ['one argument too many', ['fleet-agent', '.', 'more'], /more is one argument too many/],
    ['an unknown option', ['--quick', 'fleet-agent'], /--quick is one argument too many/],
    ['a folder that is not there', ['fleet-agent', 'missing'], /missing cannot be read as a folder/],
    ['an empty folder', ['fleet-agent', '.'], /holds no case of the set fleet-agent/],
  ])('fails on %s, and says what to do', async (_, args, message) => {
    const { status, errors } = await vectors(args)
    expect(errors.join('\n')).toMatch(message)
    expect(errors.length).toBeGreaterThan(1)
    expect(status).toBe(1)
  })

  it('fails on a file in place of a folder', async () => {
    writeCases('[]')
    expect((await vectors(['fleet-agent', 'more.json'])).errors[0]).toMatch(/more\.json cannot be read as a folder/)
  })

  it('lists the sets', async () => {
    expect((await vectors(['--list'])).lines).toEqual(vectorSets.map(({ name }) => name))
    expect((await vectors(['--help'])).lines.join('\n')).toMatch(
      /^usage: vectors SET \[DIR\][\s\S]*sets:[\s\S]*fleet-agent/,
    )
  })
})

describe('vectors SET DIR', () => {
  it('runs the cases of a folder below any of the places it may be relative to', async () => {
    mkdirSync(join(directory, 'mine'))
    writeFileSync(join(directory, 'mine', 'more.json'), recorded)
    expect((await vectors(['fleet-agent', 'mine'])).lines.at(-1)).toBe('20 passed, 0 failed')
  })

  it('shows where a failing case differs', async () => {
    writeCases(planted)
    const { status, lines } = await vectors(['fleet-agent', '.'])
    expect(lines).toEqual([
      'FAIL more.json: stop',
      '  tasks[0][0]',
      '    expected "StopItAll"',
      '    actual   "StopUnit"',
      'no deviations',
      '19 passed, 1 failed',
    ])
    expect(status).toBe(1)
  })

  it('fails on a case that cannot be run, and goes on', async () => {
    writeCases(recorded.replace('"targetState":"loaded"', '"targetState":7'))
    const { status, lines } = await vectors(['fleet-agent', '.'])
    expect(lines[1]).toMatch(/targetState/)
    expect(lines.at(-1)).toBe('19 passed, 1 failed')
    expect(status).toBe(1)
  })

  it('fails on a file that is not JSON', async () => {
    writeCases('[{')
    expect((await vectors(['fleet-agent', '.'])).errors[0]).toMatch(/more\.json is not JSON/)
  })

  it('says which files hold no case of the set', async () => {
    writeCases(recorded)
    writeFileSync(join(directory, 'other.json'), '[{"cow":1}]')
    expect((await vectors(['fleet-agent', '.'])).lines).toContain('note: other.json holds no case of this set')
  })

  it('takes a stated deviation for our answer, and prints it', async () => {
    writeCases(planted)
    const { status, lines } = await vectors(['fleet-agent', '.'], [plantedDeviation])
    expect(lines).toEqual([
      'deviation more.json: stop (trap 7): planted by a test',
      '  tasks[0][0]',
      '    expected "StopItAll"',
      '    actual   "StopUnit"',
      '20 passed, 0 failed',
    ])
    expect(status).toBe(0)
  })

  it('fails where the deviation is another one than stated', async () => {
    writeCases(planted)
    const outcome = [{ at: 'tasks[0][0]', expected: 'StopItAll', actual: 'StopNothing' }]
    expect((await vectors(['fleet-agent', '.'], [{ ...plantedDeviation, outcome }])).lines.at(-1)).toBe(
      '19 passed, 1 failed',
    )
  })

  it('fails where a stated deviation is none any more', async () => {
    writeCases(recorded)
    const { lines } = await vectors(['fleet-agent', '.'], [plantedDeviation])
    expect(lines[0]).toBe('FAIL more.json: stop')
    expect(lines.at(-1)).toBe('19 passed, 1 failed')
  })

  it('fails on a deviation from a case that the set does not have', async () => {
    const { status, lines } = await vectors(['fleet-agent'], [plantedDeviation])
    expect(lines.at(-2)).toMatch(/more\.json: stop: a deviation is listed, but there is no such case/)
    expect(status).toBe(1)
  })
})
