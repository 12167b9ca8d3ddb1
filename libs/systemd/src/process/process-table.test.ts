import { expect, it } from 'vitest'
import { isAlive, listProcesses, membersOf, type ProcessEntry, readProcess } from './process-table.ts'

const entry = (pid: number, parentPid: number, session: number, startTicks = pid): ProcessEntry => ({
  pid,
  parentPid,
  session,
  startTicks,
  command: 'x',
})

const pidsOf = (entries: readonly ProcessEntry[]): readonly number[] =>
  entries.map(({ pid }) => pid).sort((a, b) => a - b)

it('this process is there, and knows its own name', () => {
  const own = readProcess(process.pid)
  expect(own?.parentPid).toBe(process.ppid)
  expect(own !== undefined && isAlive(own)).toBe(true)
  expect(isAlive({ pid: process.pid, startTicks: 1 })).toBe(false)
  expect(listProcesses().some(({ pid }) => pid === process.pid)).toBe(true)
  expect(readProcess(2 ** 22 + 1)).toBeUndefined()
})

it('members are found by session, by parent, and by invocation', () => {
  const processes = [entry(10, 1, 10), entry(11, 10, 10), entry(20, 11, 20), entry(30, 1, 30), entry(40, 1, 40)]
  const invocationOf = (pid: number): string | undefined => (pid === 30 ? 'mine' : undefined)
  const members = membersOf(processes, { leaders: [{ pid: 10, startTicks: 10 }], invocationId: 'mine' }, invocationOf)
  expect(pidsOf(members)).toEqual([10, 11, 20, 30])
})

it('a session whose number another process got is not ours any more', () => {
  const processes = [entry(10, 1, 10, 999), entry(11, 10, 10)]
  expect(membersOf(processes, { leaders: [{ pid: 10, startTicks: 10 }], invocationId: undefined })).toEqual([])
})

it('what is left of a session without its leader still counts', () => {
  const members = membersOf([entry(11, 1, 10)], { leaders: [{ pid: 10, startTicks: 10 }], invocationId: undefined })
  expect(pidsOf(members)).toEqual([11])
})
