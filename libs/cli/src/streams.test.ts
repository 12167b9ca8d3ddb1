import { EventEmitter } from 'node:events'
import { ClusterError } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { isInterruption, printError } from './exit.ts'
import { ioOf, memoryIo } from './io.ts'
import { nearestWords } from './nearest.ts'
import { printJson, printTable } from './output.ts'
import { startProgress } from './progress.ts'
import { paintFor } from './terminal.ts'

class Stream extends EventEmitter {
  readonly isTTY = true
  readonly columns = 20
  text = ''
  write(text: string): void {
    this.text += text
  }
}

const processWith = (stdout: Stream) => ({ stdin: memoryIo().stdin, stdout, stderr: new Stream(), env: {} })

describe('the streams of a process', () => {
  it('end silently when the reader has gone', () => {
    const stdout = new Stream()
    const io = ioOf(processWith(stdout))
    io.stdout.write('one')
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    io.stdout.write('two')
    expect(stdout.text).toBe('one')
  })

  it('do not hide a full disk', () => {
    const stdout = new Stream()
    ioOf(processWith(stdout))
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    expect(() => stdout.emit('error', full)).toThrow('no space')
  })
})

const table = { heading: ['UNIT', 'SUB'], rows: [['a.service', 'running']], json: [{ unit: 'a.service' }] }

it.each([
  ['table', 'UNIT\t\tSUB\na.service\trunning\n'],
  ['plain', 'a.service\trunning\n'],
  ['json', '[\n  {\n    "unit": "a.service"\n  }\n]\n'],
] as const)('a table as %s', (form, expected) => {
  const io = memoryIo()
  printTable(io, form, table)
  expect(io.written.stdout).toBe(expected)
})

it('a table without heading, and a value as JSON', () => {
  const io = memoryIo()
  printTable(io, 'table', { ...table, withoutHeading: true })
  printJson(io, { a: 1 })
  expect(io.written.stdout).toBe('a.service\trunning\n{\n  "a": 1\n}\n')
})

describe('an error', () => {
  class ToolError extends ClusterError<'tool/broken'> {}

  it('is printed as what, why and what to do', () => {
    const io = memoryIo()
    const code = printError(io, new ToolError('tool/broken', 'what', { cause: new Error('why'), hint: 'do this' }))
    expect([code, io.written.stderr, io.written.stdout]).toEqual([1, 'what\nwhy\ndo this\n', ''])
  })

  it.each([
    [new ClusterError('fleet-api/aborted', 'x'), true],
    [new DOMException('stop', 'AbortError'), true],
    [new Error('x'), false],
    ['AbortError', false],
  ])('%s is an interruption: %s', (error, expected) => expect(isInterruption(error)).toBe(expected))
})

it('colour appears on a terminal only, and never against the will of the person', () => {
  const { stdout } = memoryIo({ isTerminal: true })
  expect(paintFor(stdout, {}).good('x')).not.toBe('x')
  expect(paintFor(stdout, { NO_COLOR: '1' }).good('x')).toBe('x')
  expect(paintFor(stdout, { TERM: 'dumb' }).good('x')).toBe('x')
  expect(paintFor(stdout, {}, { noColor: true }).bad('x')).toBe('x')
  expect(paintFor(memoryIo().stdout, {}).bold('x')).toBe('x')
})

describe('progress', () => {
  const clockAt = (times: readonly number[]) => {
    const left = [...times]
    return { nowMs: () => 0, monotonicMs: () => left.shift() ?? 0, sleep: async () => undefined }
  }

  it('appears after a quiet second, with the time, cut to the width, and goes away', () => {
    const io = memoryIo({ isTerminal: true })
    const progress = startProgress(io, clockAt([0, 500, 2500]))
    progress.show('early')
    progress.show('waiting')
    progress.clear()
    progress.clear()
    expect(io.written.stderr).toBe('\r\u001b[Kwaiting (2 s)\r\u001b[K')
  })

  it('is silent where nobody looks', () => {
    const io = memoryIo()
    const progress = startProgress(io, clockAt([0, 5000]))
    progress.show('waiting')
    progress.clear()
    expect(io.written.stderr).toBe('')
  })
})

it.each([
  ['lst-units', ['list-units']],
  ['LIST', ['list-units', 'list-machines']],
  ['', []],
  ['zzzzzz', []],
])('nearest to %j: %j', (word, expected) => {
  expect(nearestWords(word, ['list-units', 'list-machines', 'cat-every-unit'])).toEqual(expected)
})
