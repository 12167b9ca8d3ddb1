import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type JournalEntry, readEntry, readJournal } from './journal.ts'

let folder = ''
let journalctl = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-test-'))
  journalctl = join(folder, 'journalctl')
})
afterEach(() => rm(folder, { recursive: true }))

/** A program in the place of journalctl. */
async function play(script: string): Promise<void> {
  await writeFile(journalctl, `#!/bin/sh\necho "$@" > ${folder}/arguments\n${script}\n`)
  await chmod(journalctl, 0o755)
}

async function all(entries: AsyncIterable<JournalEntry>): Promise<readonly JournalEntry[]> {
  const list: JournalEntry[] = []
  for await (const entry of entries) list.push(entry)
  return list
}

const line = (fields: object): string => JSON.stringify({ __REALTIME_TIMESTAMP: '1700000000123456', ...fields })

describe('readEntry', () => {
  it('reads what a program printed', () => {
    const entry = readEntry(
      line({ MESSAGE: 'hi', _PID: '42', PRIORITY: '6', SYSLOG_IDENTIFIER: 'echo', _SYSTEMD_UNIT: 'a.service' }),
      'asked.service',
    )
    expect(entry).toEqual({
      timeMs: 1_700_000_000_123.456,
      message: 'hi',
      unit: 'a.service',
      pid: 42,
      priority: 6,
      program: 'echo',
    })
  })

  it('files what systemd says of a unit under that unit', () => {
    expect(readEntry(line({ MESSAGE: 'Started', UNIT: 'a.service', _SYSTEMD_UNIT: 'init.scope' }), 'x')?.unit).toBe(
      'a.service',
    )
  })

  it.each([
    ['bytes', [72, 105, 255], 'Hi\uFFFD'],
    ['a repeated field', ['one', 'two'], 'one'],
    ['repeated bytes', [[72, 105], 'two'], 'Hi'],
    ['a field that was left out', null, ''],
    ['no message', undefined, ''],
  ])('decodes %s', (_, message, expected) => {
    expect(readEntry(line({ MESSAGE: message }), 'a.service')?.message).toBe(expected)
  })

  it.each(['', '{', '[]', 'null', '{"MESSAGE":"no time"}', '-- Logs begin --'])('%j is no entry', (text) =>
    expect(readEntry(text, 'a.service')).toBeUndefined(),
  )

  it('never throws', () => fc.assert(fc.property(fc.json(), (text) => void readEntry(text, 'a.service'))))
})

describe('readJournal', () => {
  it('gives the entries in their order', async () => {
    await play(`echo '${line({ MESSAGE: 'one' })}'; echo '${line({ MESSAGE: 'two' })}'`)
    const entries = await all(readJournal({ unit: 'a.service', lines: 10, sinceMs: 1_700_000_000_500, journalctl }))
    expect(entries.map(({ message }) => message)).toEqual(['one', 'two'])
    expect((await readFile(join(folder, 'arguments'), 'utf8')).trim().split(' ')).toEqual([
      '--output=json',
      '--all',
      '--quiet',
      '--no-pager',
      '--unit=a.service',
      '--lines=10',
      '--since=@1700000000.500000',
    ])
  })

  it('follows until it is told to stop', async () => {
    await play(`echo '${line({ MESSAGE: 'one' })}'; exec sleep 1000`)
    const stop = new AbortController()
    const messages: string[] = []
    for await (const { message } of readJournal({ unit: 'a.service', follow: true, signal: stop.signal, journalctl })) {
      messages.push(message)
      stop.abort()
    }
    expect(messages).toEqual(['one'])
  })

  it('ends its program when nobody reads on', async () => {
    await play(`echo '${line({ MESSAGE: 'one', _PID: '1' })}'; exec sleep 1000`)
    for await (const entry of readJournal({ unit: 'a.service', follow: true, journalctl })) {
      expect(entry.message).toBe('one')
      break
    }
  })

  it('says that journalctl is missing', async () => {
    await expect(all(readJournal({ unit: 'a.service', journalctl }))).rejects.toMatchObject({
      code: 'systemd/journal',
      message: expect.stringContaining('is not installed'),
    })
  })

  it('says why journalctl failed', async () => {
    await play('echo "No journal files were opened" >&2; exit 1')
    await expect(all(readJournal({ unit: 'a.service', journalctl }))).rejects.toMatchObject({
      code: 'systemd/journal',
      message: expect.stringContaining('No journal files were opened'),
    })
  })

  it('refuses names that could be options or patterns', async () => {
    for (const unit of ['*', '--help', 'a b.service', '*.service']) {
      await expect(all(readJournal({ unit, journalctl }))).rejects.toMatchObject({ code: 'systemd/invalid-name' })
    }
  })
})
