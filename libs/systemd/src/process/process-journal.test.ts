import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { JournalEntry } from '../journal.ts'
import { journalDirectory, openJournalWriter, type ProcessJournalQuery, readProcessJournal } from './process-journal.ts'

const unit = 'a.service'
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'process-journal-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const entry = (number: number): JournalEntry => ({ timeMs: number, message: `line ${number}`, unit, priority: 6 })

async function read(query: Partial<ProcessJournalQuery> = {}): Promise<readonly number[]> {
  const times: number[] = []
  for await (const { timeMs } of readProcessJournal({ directory, unit, ...query })) times.push(timeMs)
  return times
}

function write(numbers: readonly number[], sizeBytesMax?: number): void {
  const writer = openJournalWriter(directory, unit, sizeBytesMax)
  for (const number of numbers) writer.write(entry(number))
  writer.close()
}

it('a unit that never said anything has an empty log', async () => {
  expect(await read()).toEqual([])
})

it('gives back what was written, all of it, the last lines, or those since a time', async () => {
  write([1, 2, 3, 4])
  expect(await read()).toEqual([1, 2, 3, 4])
  expect(await read({ lines: 2 })).toEqual([3, 4])
  expect(await read({ lines: 0 })).toEqual([])
  expect(await read({ sinceMs: 3 })).toEqual([3, 4])
})

it('is bounded, and reads through a rotation', async () => {
  const numbers = Array.from({ length: 100 }, (_, index) => index)
  write(numbers, 1000)
  const kept = await read()
  expect(kept).toEqual(numbers.slice(-kept.length))
  expect(kept.length).toBeGreaterThan(10)
  expect((await stat(join(journalDirectory(directory, unit), 'current'))).size).toBeLessThanOrEqual(1000)
})

it('follows through rotations without losing or repeating a line', async () => {
  const stop = new AbortController()
  const writer = openJournalWriter(directory, unit, 1000)
  writer.write(entry(0))
  const times: number[] = []
  for await (const { timeMs } of readProcessJournal({ directory, unit, follow: true, signal: stop.signal })) {
    times.push(timeMs)
    if (timeMs === 60) stop.abort()
    // the next one is written when this one was read: no more than one rotation behind
    else writer.write(entry(timeMs + 1))
  }
  writer.close()
  expect(times).toEqual(Array.from({ length: 61 }, (_, index) => index))
})

it('passes over half a line', async () => {
  write([1])
  await appendFile(join(journalDirectory(directory, unit), 'current'), '{"timeMs":2,"mess')
  expect(await read()).toEqual([1])
})

it('refuses a name that leads elsewhere', async () => {
  await expect(read({ unit: '../a.service' })).rejects.toMatchObject({ code: 'systemd/invalid-name' })
})
