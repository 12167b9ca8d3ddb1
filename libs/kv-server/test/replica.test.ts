import type { Command } from '@cluster/kv-store/v2'
import { createMemoryDisk, type MemoryDisk } from '@cluster/wal'
import { describe, expect, it } from 'vitest'
import type { Settled } from '../src/replica.ts'
import type { RunningReplica } from '../src/replica-loop.ts'
import { createTestClock, openLocalReplica, propose, set } from './local-replica.ts'

const newDisk = (): MemoryDisk => createMemoryDisk(['/data'])
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
const until = async (holds: () => boolean): Promise<void> => {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 10_000) throw new Error('it does not come to hold')
    await turns(1)
  }
}
const failureOf = (settled: Settled): string => (settled.kind === 'failed' ? settled.failure : settled.kind)
const stored = (replica: RunningReplica, key: string): string | undefined => replica.store.valueOf(`/1/${key}`)

describe('time', () => {
  it('ends what is over by the clock that only grows, whatever the wall clock shows', async () => {
    const clock = createTestClock()
    const replica = await openLocalReplica({ disk: newDisk(), origin: 1, clock })
    await propose(replica, set('a', 'x', replica.nowMs() + 10_000))
    clock.wallMs += 86_400_000
    clock.pass(9000)
    await turns(20)
    expect(stored(replica, 'a')).toBe('x')
    clock.wallMs -= 30 * 86_400_000
    clock.pass(1600)
    await until(() => stored(replica, 'a') === undefined)
    await replica.close(20)
  })

  it('never goes back across a restart, when the wall clock does', async () => {
    const disk = newDisk()
    const clock = createTestClock()
    const first = await openLocalReplica({ disk, origin: 1, clock })
    clock.pass(60_000)
    await propose(first, set('a', 'x', first.nowMs() + 5000))
    const lastMs = first.nowMs()
    await first.close(20)
    const behind = createTestClock(clock.wallMs - 3_600_000)
    const second = await openLocalReplica({ disk, origin: 2, clock: behind })
    expect(second.nowMs()).toBeGreaterThanOrEqual(lastMs)
    behind.pass(4000)
    await turns(20)
    expect(stored(second, 'a')).toBe('x')
    behind.pass(2000)
    await until(() => stored(second, 'a') === undefined)
    await second.close(20)
  })

  it('goes on from a snapshot too', async () => {
    const disk = newDisk()
    const clock = createTestClock()
    const first = await openLocalReplica({ disk, origin: 1, clock, limits: { entriesKept: 0 } })
    await propose(first, set('a', 'x'))
    clock.pass(60_000)
    await first.snapshot()
    const lastMs = first.nowMs()
    await first.close(20)
    const second = await openLocalReplica({ disk, origin: 2, clock: createTestClock(clock.wallMs - 3_600_000) })
    expect(second.nowMs()).toBeGreaterThanOrEqual(lastMs)
    await second.close(20)
  })

  it('writes nothing while nothing has a deadline', async () => {
    const clock = createTestClock()
    const replica = await openLocalReplica({ disk: newDisk(), origin: 1, clock })
    await propose(replica, set('a', 'x'))
    const { appliedIndex } = replica
    clock.pass(60_000)
    await turns(20)
    expect(replica.appliedIndex).toBe(appliedIndex)
    await replica.close(20)
  })
})

describe('a disk', () => {
  it('that is full refuses writes and takes deletes, and takes writes again when there is room', async () => {
    const disk = newDisk()
    const clock = createTestClock()
    const replica = await openLocalReplica({ disk, origin: 1, clock })
    await propose(replica, set('a', 'x'))
    disk.capacityBytes = 1e9
    disk.capacityBytes -= disk.freeBytes('/') - 16_384
    clock.pass(2000)
    await turns(5)
    await propose(replica, { kind: 'delete', path: '/1/a', isDirectory: false, isRecursive: false })
    clock.pass(2000)
    await turns(5)
    expect(failureOf(await propose(replica, set('b', 'x')))).toBe('no-space')
    // What a member says of itself at each start goes through.
    const ofItself: Command = { kind: 'update', path: '/0', value: 'x', deadlineMs: undefined, isRefresh: false }
    expect(failureOf(await propose(replica, { ...ofItself, path: '/0/members/a1/attributes' }))).toBe('applied')
    disk.capacityBytes = 1e9
    clock.pass(2000)
    await turns(5)
    clock.pass(2000)
    await turns(5)
    expect(failureOf(await propose(replica, set('b', 'x')))).toBe('applied')
    await replica.close(20)
  })

  it('that fails ends everything: who waits is told, nobody is acknowledged after', async () => {
    const disk = newDisk()
    const errors: Error[] = []
    const replica = await openLocalReplica({ disk, origin: 1, onFatal: (error) => errors.push(error) })
    disk.onOperation = ({ kind }) => (kind === 'sync' ? { kind: 'error', code: 'EIO' } : undefined)
    expect(failureOf(await propose(replica, set('a', 'x')))).toBe('stopped')
    expect(failureOf(await propose(replica, set('b', 'x')))).toBe('stopped')
    expect(errors).toMatchObject([{ code: 'wal/broken' }])
    expect([stored(replica, 'a'), stored(replica, 'b')]).toEqual([undefined, undefined])
    await replica.close(20)
  })

  it('without room for a snapshot costs the snapshot, and nothing else', async () => {
    const disk = newDisk()
    const replica = await openLocalReplica({ disk, origin: 1, limits: { entryCount: 5 } })
    disk.onOperation = ({ path }) => (path.includes('snapshot') ? { kind: 'error', code: 'ENOSPC' } : undefined)
    for (let count = 0; count < 20; count++) await propose(replica, set(`k${count}`, 'x'))
    await turns(50)
    expect(failureOf(await propose(replica, set('after', 'x')))).toBe('applied')
    await replica.close(20)
  })
})

describe('proposals', () => {
  it('are refused beyond the limit, when they are too large, and after the close', async () => {
    const replica = await openLocalReplica({ disk: newDisk(), origin: 1 })
    const settled: string[] = []
    for (let count = 0; count < 16_390; count++) {
      replica.propose(set(`k${count % 10}`, 'x'), (one) => settled.push(failureOf(one)))
    }
    expect(settled).toEqual(new Array(6).fill('too-many'))
    await until(() => settled.length === 16_390)
    expect(settled.filter((one) => one === 'applied').length).toBe(16_384)
    expect(failureOf(await propose(replica, set('large', 'x'.repeat(9000))))).toBe('too-large')
    await replica.close(20)
    expect(failureOf(await propose(replica, set('late', 'x')))).toBe('stopped')
  })

  it('are answered in the order and the turn in which they are applied', async () => {
    const replica = await openLocalReplica({ disk: newDisk(), origin: 1 })
    const seen: string[] = []
    for (let count = 0; count < 100; count++) {
      replica.propose(set('a', `${count}`), () => seen.push(stored(replica, 'a') ?? 'nothing'))
    }
    await until(() => seen.length === 100)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, count) => `${count}`))
    await replica.close(20)
  })

  it('wait no longer than their time, and are applied nonetheless when the log takes them', async () => {
    const clock = createTestClock()
    const replica = await openLocalReplica({ disk: newDisk(), origin: 1, clock })
    const answer = propose(replica, set('a', 'x'))
    clock.pass(8000)
    expect(failureOf(await answer)).toBe('timeout')
    await until(() => stored(replica, 'a') === 'x')
    await replica.close(20)
  })
})

describe('snapshots', () => {
  it('are taken while writes go on, and what they hold and the log after them is everything', async () => {
    const disk = newDisk()
    const first = await openLocalReplica({ disk, origin: 1, limits: { entryCount: 50, entriesKept: 10 } })
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, at) => propose(first, set(`k${round}-${at}`, `${round}`))))
    }
    await first.close(100)
    expect(disk.list('/data/store/snapshots').length).toBeGreaterThan(0)
    const second = await openLocalReplica({ disk, origin: 2 })
    expect(second.opened.snapshot?.index).toBeGreaterThan(50)
    expect(second.store.childrenOf('/1')?.length).toBe(400)
    await second.close(20)
  })

  it.each([
    { restMs: 60_000, afterRest: 2 },
    { restMs: 0, afterRest: 6 },
  ])('rest $restMs ms between two, however many entries come', async ({ restMs, afterRest }) => {
    const disk = newDisk()
    const clock = createTestClock()
    const replica = await openLocalReplica({ disk, origin: 1, clock, limits: { entryCount: 5, restMs } })
    const written = new Set<string>()
    const write = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at++) await propose(replica, set(`k${at}`, 'x'))
      await turns(100)
      for (const name of disk.list('/data/store/snapshots')) if (name.endsWith('.snapshot')) written.add(name)
    }
    await write(10)
    await write(10)
    clock.pass(60_000)
    await write(10)
    expect(written.size).toBe(afterRest)
    await replica.close(20)
  })

  it('do not rest when the log has grown by many bytes', async () => {
    const disk = newDisk()
    const limits = { entryCount: 5, restMs: 60_000, logBytes: 4000 }
    const replica = await openLocalReplica({ disk, origin: 1, limits })
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 10; at++) await propose(replica, set(`k${at}`, 'x'.repeat(1000)))
      await turns(100)
    }
    const names = disk.list('/data/store/snapshots')
    expect(names.filter((name) => name.endsWith('.snapshot')).length).toBe(2)
    expect(replica.appliedIndex).toBe(31)
    await replica.close(20)
  })
})
