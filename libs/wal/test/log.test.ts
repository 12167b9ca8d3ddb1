import { createMemoryDisk, inspectLog, openLog } from '@cluster/wal'
import { describe, expect, it } from 'vitest'
import {
  contentOf,
  directory,
  entries,
  entry,
  identity,
  logOf,
  open,
  putSnapshot,
  reopen,
  segmentSizeBytes,
  textOf,
} from './history.ts'

const code = (value: string) => expect.objectContaining({ code: value })
const segmentsOf = (disk: ReturnType<typeof createMemoryDisk>): readonly string[] =>
  disk.list('/data/log').filter((name) => name.endsWith('.log'))

describe('a new log', () => {
  it('is empty, keeps whose it is, and is not new the second time', () => {
    const disk = createMemoryDisk()
    const { log, recovered } = open(disk)
    expect(recovered).toMatchObject({ isFresh: true, identity, snapshot: undefined, warnings: [] })
    expect([...recovered.entries]).toEqual([])
    log.close()
    const again = openLog({ disk, directory, identity: { clusterId: 'x', memberId: 'y', extra: '' }, segmentSizeBytes })
    expect(again.recovered).toMatchObject({ isFresh: false, identity, hardState: { term: 0, commit: 0 } })
  })
  it.each(['member', 'fleet.conf'])('is not made where %s is', (name) => {
    const disk = createMemoryDisk(['/data'])
    disk.open(`/data/${name}`, 'create').close()
    expect(() => open(disk)).toThrow(code('wal/not-a-log'))
  })
  it('is not made beside snapshots of a log that is gone', async () => {
    const disk = createMemoryDisk(['/data'])
    await putSnapshot(disk, 3, 1)
    expect(() => open(disk)).toThrow(code('wal/corrupt'))
  })
  it('is refused where there is no room for a segment, and made once there is', () => {
    const disk = createMemoryDisk()
    disk.capacityBytes = 1000
    expect(() => open(disk)).toThrow(code('wal/no-space'))
    disk.capacityBytes = 1e6
    expect(open(disk).recovered.isFresh).toBe(true)
  })
})

describe('appending', () => {
  it('gives back entries of every kind and size, and the last hard state', () => {
    const disk = createMemoryDisk()
    const { log } = open(disk)
    const batch = [entry(1, 1, '', 255), entry(2, 1, 'x', 0), entry(3, 2, 'y'.repeat(3000), 7)]
    log.append({ entries: batch, hardState: { term: 2, votedFor: undefined, commit: 1 } })
    log.append({ entries: [], hardState: { term: 3, votedFor: 'ab', commit: 2 } })
    log.sync()
    log.close()
    const found = reopen(disk)
    expect(found.entries).toEqual(batch.map(textOf))
    expect(found.hardState).toEqual({ term: 3, votedFor: 'ab', commit: 2 })
  })
  it('copies the data: its buffer may be used again', () => {
    const disk = createMemoryDisk()
    const { log } = open(disk)
    const data = new Uint8Array([1, 2, 3])
    log.append({ entries: [{ index: 1, term: 1, kind: 0, data }] })
    data.fill(0)
    log.close()
    expect(reopen(disk).entries).toEqual([textOf({ index: 1, term: 1, kind: 0, data: new Uint8Array([1, 2, 3]) })])
  })
  it('replaces a tail of higher index', () => {
    const { disk, log } = logOf(9)
    const newer = entries(6, 7, 2, 'newer')
    log.append({ entries: newer })
    log.sync()
    expect(log.lastIndex).toBe(7)
    log.close()
    expect(reopen(disk).entries).toEqual([...entries(1, 5, 1), ...newer].map(textOf))
  })
  it('makes one write of a batch and one flush of many', () => {
    const disk = createMemoryDisk()
    const { log } = open(disk)
    const seen: string[] = []
    disk.onOperation = ({ kind, path }) => {
      if (path.endsWith('.log')) seen.push(kind)
      return undefined
    }
    log.append({ entries: entries(1, 20, 1) })
    log.append({ entries: entries(21, 25, 1) })
    log.sync()
    log.sync()
    expect(seen).toEqual(['write', 'write', 'sync'])
  })
  it('cuts a batch that is larger than a segment into several', () => {
    const disk = createMemoryDisk()
    const { log } = open(disk)
    const batch = entries(1, 400, 1)
    log.append({ entries: batch, hardState: { term: 1, votedFor: 'a', commit: 400 } })
    log.sync()
    log.close()
    expect(segmentsOf(disk).length).toBeGreaterThan(3)
    expect(reopen(disk)).toMatchObject({ entries: batch.map(textOf), hardState: { commit: 400 } })
  })
  it('refuses an entry that no segment can hold, and goes on', () => {
    const { disk, log } = logOf(1)
    expect(() => log.append({ entries: [entry(2, 1, 'z'.repeat(segmentSizeBytes))] })).toThrow(code('wal/too-large'))
    log.append({ entries: entries(2, 2, 1) })
    log.close()
    expect(reopen(disk).entries).toHaveLength(2)
  })
  it.each([[[4]], [[2, 4]], [[0]]])('ends the program for entries %j after entry 1', (indexes) => {
    const { log } = logOf(1)
    expect(() => log.append({ entries: indexes.map((index) => entry(index, 1, '')) })).toThrow('invariant broken')
  })
  it('reads what was there only before the first append', () => {
    const { disk, log } = logOf(3)
    log.close()
    const { log: again, recovered } = open(disk)
    again.append({ entries: entries(4, 4, 1) })
    expect(() => [...recovered.entries]).toThrow('before the first append')
  })
})

describe('a disk that fails', () => {
  it.each([
    ['a write', 'write', { kind: 'error', code: 'EIO' }],
    ['a short write', 'write', { kind: 'short-write', bytes: 7 }],
    ['a write that finds the disk full', 'write', { kind: 'error', code: 'ENOSPC' }],
    ['a flush', 'sync', { kind: 'error', code: 'EIO' }],
  ] as const)('%s ends the log for good', (_, kind, fault) => {
    const { disk, log } = logOf(2)
    let isFirst = true
    disk.onOperation = (operation) => {
      if (operation.kind !== kind || !isFirst) return undefined
      isFirst = false
      return fault
    }
    const batch = { entries: entries(3, 3, 1) }
    const attempt = (): void => {
      log.append(batch)
      log.sync()
    }
    expect(attempt).toThrow(code('wal/broken'))
    expect(attempt).toThrow(code('wal/broken'))
    expect(() => log.sync()).toThrow(code('wal/broken'))
    log.close()
    expect(reopen(disk).entries.slice(0, 2)).toEqual(entries(1, 2, 1).map(textOf))
  })
  it('tells how long each flush took', () => {
    const disk = createMemoryDisk()
    let nowMs = 0
    const took: number[] = []
    const monotonicMs = (): number => nowMs
    const { log } = openLog({ disk, directory, identity, segmentSizeBytes, monotonicMs, onSync: (ms) => took.push(ms) })
    disk.onOperation = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.log')) nowMs += 1500
      return undefined
    }
    log.append({ entries: entries(1, 1, 1) })
    log.sync()
    expect(took).toEqual([1500])
  })
})

describe('a disk without room', () => {
  it('refuses before anything is written, keeps what is there, and goes on when room returns', () => {
    const { disk, log } = logOf(1)
    while (log.tend());
    disk.capacityBytes = 3 * segmentSizeBytes - 1
    const refuse = (): void => {
      for (let turn = 0; turn < 500; turn++) {
        log.append({ entries: entries(log.lastIndex + 1, log.lastIndex + 1, 1) })
        log.sync()
      }
    }
    expect(refuse).toThrow(code('wal/no-space'))
    const { lastIndex } = log
    expect(refuse).toThrow(code('wal/no-space'))
    expect(log.lastIndex).toBe(lastIndex)
    expect(segmentsOf(disk)).toHaveLength(2)
    disk.capacityBytes = 1e6
    log.append({ entries: entries(lastIndex + 1, lastIndex + 1, 1) })
    log.close()
    expect(reopen(disk).entries).toHaveLength(lastIndex + 1)
  })
  it('says so while less than two segments and a snapshot are free, asking the disk once a second', async () => {
    const disk = createMemoryDisk()
    let nowMs = 0
    const { log } = open(disk, { monotonicMs: () => nowMs })
    log.append({ entries: entries(1, 2, 1) })
    await putSnapshot(disk, 2, 1, ['s'.repeat(5000)])
    log.release({ index: 2, term: 1 }, 0)
    const used = (): number => 1e9 - disk.freeBytes('/')
    disk.capacityBytes = 1e9
    const usedBytes = used()
    disk.capacityBytes = usedBytes + 2 * segmentSizeBytes + 5000
    nowMs += 999
    expect(log.hasRoom()).toBe(true)
    nowMs += 1
    expect(log.hasRoom()).toBe(false)
    disk.capacityBytes += 200
    nowMs += 1000
    expect(log.hasRoom()).toBe(true)
  })
  it('makes room by a release even when the record of it does not fit', async () => {
    const { disk, log } = logOf(1)
    while (segmentsOf(disk).length < 3) {
      log.append({ entries: entries(log.lastIndex + 1, log.lastIndex + 1, 1) })
      log.sync()
    }
    const at = { index: log.lastIndex, term: 1 }
    await putSnapshot(disk, at.index, at.term)
    disk.capacityBytes = 1
    log.release(at, at.index)
    const more = entries(at.index + 1, at.index + 8, 1, 'f'.repeat(500))
    log.append({ entries: more })
    log.close()
    expect(reopen(disk)).toMatchObject({ snapshotIndex: at.index, entries: more.map(textOf) })
  })
})

describe('segments', () => {
  it('are prepared while idle, in slices, and taken over again when a snapshot covers them', async () => {
    const { disk, log } = logOf(0)
    expect(disk.stat('/data/log/spare')).toBeUndefined()
    while (log.tend());
    expect(disk.stat('/data/log/spare')?.sizeBytes).toBe(segmentSizeBytes)
    const grow = (segments: number): void => {
      while (segmentsOf(disk).length < segments) {
        log.append({ entries: entries(log.lastIndex + 1, log.lastIndex + 1, 1) })
        log.sync()
      }
    }
    grow(2)
    const { lastIndex } = log
    await putSnapshot(disk, lastIndex, 1)
    let created = 0
    disk.onOperation = ({ kind }) => {
      if (kind === 'create') created++
      return undefined
    }
    log.release({ index: lastIndex, term: 1 }, lastIndex - 2)
    expect(segmentsOf(disk)).toHaveLength(2)
    log.append({ entries: entries(log.lastIndex + 1, log.lastIndex + 1, 1) })
    log.sync()
    const at = { index: log.lastIndex, term: 1 }
    await putSnapshot(disk, at.index, 1)
    log.release(at, at.index)
    expect(segmentsOf(disk)).toHaveLength(1)
    grow(2)
    expect(created).toBe(1) // the file of the second snapshot
    expect(inspectLog(disk, directory).segments.at(-1)?.isRecycled).toBe(true)
    log.append({ entries: entries(log.lastIndex + 1, log.lastIndex + 3, 1) })
    log.sync()
    const found = reopen(disk.fork())
    expect(found.warnings).toEqual([])
    expect(found.snapshotIndex).toBe(at.index)
    expect(found.entries).toEqual(entries(at.index + 1, log.lastIndex, 1).map(textOf))
  })
  it('keep what is asked to be kept', async () => {
    const { disk, log } = logOf(60)
    await putSnapshot(disk, 50, 1)
    log.release({ index: 50, term: 1 }, 20)
    log.close()
    const inspection = inspectLog(disk, directory)
    expect(inspection.firstIndex).toBeLessThanOrEqual(21)
    expect([...inspection.entries].map(textOf)).toEqual(entries(inspection.firstIndex, 60, 1).map(textOf))
    expect(reopen(disk)).toMatchObject({ snapshotIndex: 50, entries: entries(51, 60, 1).map(textOf) })
  })
  it('of another size are used up, new ones have the new size', () => {
    const { disk, log } = logOf(40)
    while (log.tend());
    log.close()
    const larger = open(disk, { segmentSizeBytes: 2 * segmentSizeBytes })
    expect([...larger.recovered.entries]).toHaveLength(40)
    larger.log.append({ entries: entries(41, 160, 1) })
    larger.log.close()
    expect(reopen(disk).entries).toHaveLength(160)
  })
  it.each([1000, 4100])('of %d bytes are refused', (sizeBytes) => {
    expect(() => open(createMemoryDisk(), { segmentSizeBytes: sizeBytes })).toThrow(RangeError)
  })
})

describe('snapshots and the log', () => {
  it('a snapshot far ahead replaces the log', async () => {
    const { disk, log } = logOf(10)
    await putSnapshot(disk, 100, 3)
    log.release({ index: 100, term: 3 }, 100)
    expect(log.lastIndex).toBe(100)
    log.append({ entries: entries(101, 102, 3) })
    log.sync()
    log.close()
    expect(reopen(disk)).toMatchObject({
      snapshotIndex: 100,
      entries: entries(101, 102, 3).map(textOf),
      hardState: { term: 3, commit: 100 },
    })
  })
  it('a snapshot of another term replaces entries of the same index', async () => {
    const { disk, log } = logOf(10)
    await putSnapshot(disk, 5, 2)
    log.close()
    const { log: again, recovered } = open(disk)
    expect(contentOf(recovered)).toMatchObject({ snapshotIndex: 5, entries: [], hardState: { term: 2, commit: 5 } })
    expect(again.lastIndex).toBe(5)
    again.append({ entries: entries(6, 6, 2) })
    again.close()
    expect(reopen(disk).entries).toEqual(entries(6, 6, 2).map(textOf))
  })
  it('a damaged one is renamed and the one before is taken, while the log reaches back to it', async () => {
    const { disk, log } = logOf(30)
    await putSnapshot(disk, 10, 1)
    await putSnapshot(disk, 20, 1)
    log.release({ index: 20, term: 1 }, 10)
    log.close()
    const newest = disk.list('/data/snapshots').at(-1) ?? ''
    disk.damage(`/data/snapshots/${newest}`, (content) => content.fill(9, 60, 61))
    const found = reopen(disk)
    expect(found).toMatchObject({ snapshotIndex: 10, entries: entries(11, 30, 1).map(textOf) })
    expect(found.warnings).toHaveLength(1)
    expect(disk.list('/data/snapshots')).toContain(`${newest}.broken`)
  })
  it('refuses when no whole snapshot leads to the log, and changes nothing', async () => {
    const { disk, log } = logOf(60)
    await putSnapshot(disk, 50, 1)
    log.release({ index: 50, term: 1 }, 50)
    log.close()
    const name = disk.list('/data/snapshots')[0] ?? ''
    disk.damage(`/data/snapshots/${name}`, (content) => content.slice(0, -1))
    expect(() => open(disk)).toThrow(code('wal/corrupt'))
    expect(disk.list('/data/snapshots')).toEqual([name])
  })
  it('refuses a log that ends before what was committed', () => {
    const { disk, log } = logOf(3)
    log.append({ entries: [], hardState: { term: 1, votedFor: undefined, commit: 9 } })
    log.close()
    expect(() => open(disk)).toThrow(code('wal/corrupt'))
  })
  it('ends the program when a snapshot is released that is not there', () => {
    const { log } = logOf(3)
    expect(() => log.release({ index: 2, term: 1 }, 2)).toThrow('invariant broken')
  })
})

describe('marks', () => {
  it('one says after 100 ms of idling that everything before is durable', () => {
    const disk = createMemoryDisk()
    let nowMs = 0
    const { log } = open(disk, { monotonicMs: () => nowMs })
    while (log.tend());
    log.append({ entries: entries(1, 1, 1) })
    log.sync()
    const records = (): number => inspectLog(disk, directory).segments[0]?.records ?? 0
    const before = records()
    nowMs += 99
    expect(log.tend()).toBe(true)
    expect(records()).toBe(before)
    nowMs += 1
    expect(log.tend()).toBe(false)
    expect(records()).toBe(before + 1)
    log.tend()
    expect(records()).toBe(before + 1)
  })
  it('closing writes one, opening and closing no second', () => {
    const { disk, log } = logOf(1)
    log.close()
    const used = inspectLog(disk, directory).segments[0]?.usedBytes
    reopen(disk)
    reopen(disk)
    expect(inspectLog(disk, directory).segments[0]?.usedBytes).toBe(used)
  })
})

describe('opening refuses', () => {
  it('a directory that is open already, until it is closed', () => {
    const { disk, log } = logOf(1)
    expect(() => open(disk)).toThrow(code('wal/in-use'))
    log.close()
    reopen(disk)
  })
  it('a file where the directory should be', () => {
    const disk = createMemoryDisk()
    disk.open('/data', 'create').close()
    expect(() => open(disk)).toThrow(code('wal/not-a-log'))
  })
  it('a log folder with something else in it', () => {
    const { disk, log } = logOf(1)
    log.close()
    disk.open('/data/log/notes.txt', 'create').close()
    expect(() => open(disk)).toThrow(code('wal/not-a-log'))
  })
  it('a segment that is something else', () => {
    const { disk, log } = logOf(1)
    log.close()
    disk.damage(`/data/log/${segmentsOf(disk)[0]}`, (content) => content.fill(65))
    expect(() => open(disk)).toThrow(code('wal/not-a-log'))
  })
  it('a segment of a newer version, by name', () => {
    const { disk, log } = logOf(1)
    log.close()
    disk.damage(`/data/log/${segmentsOf(disk)[0]}`, (content) => {
      content[3] = 2
      return content.fill(7, 28, 32)
    })
    expect(() => open(disk)).toThrow(code('wal/newer-version'))
  })
  it('a snapshot of a newer version', async () => {
    const { disk, log } = logOf(5)
    log.close()
    await putSnapshot(disk, 4, 1)
    disk.damage(`/data/snapshots/${disk.list('/data/snapshots')[0]}`, (content) => {
      content[7] = 9
      return content.fill(7, 28, 32)
    })
    expect(() => open(disk)).toThrow(code('wal/newer-version'))
  })
  it('but warns only of names that others may read', () => {
    const { disk, log } = logOf(1)
    log.close()
    disk.setMode('/data', 0o755)
    disk.setMode(`/data/log/${segmentsOf(disk)[0]}`, 0o644)
    expect(reopen(disk).warnings).toEqual([
      '/data has mode 0755: others may read it',
      expect.stringContaining('has mode 0644'),
    ])
  })
})

describe('a torn tail', () => {
  it('is set aside and the log goes on', () => {
    const { disk, log } = logOf(5)
    log.append({ entries: entries(6, 9, 1) })
    const torn = disk.crash({ ofName: () => true, ofWrite: ({ lengthBytes }) => [[64, lengthBytes]] })
    const { log: again, recovered } = open(torn)
    expect(contentOf(recovered).entries).toEqual(entries(1, 5, 1).map(textOf))
    expect(recovered.warnings).toHaveLength(1)
    const broken = torn.list('/data/log').filter((name) => name.endsWith('.broken'))
    expect(broken).toHaveLength(1)
    again.append({ entries: entries(6, 6, 2) })
    again.close()
    expect(reopen(torn)).toMatchObject({
      warnings: [],
      entries: [...entries(1, 5, 1), ...entries(6, 6, 2)].map(textOf),
    })
  })
  it('of two batches in one flush loses only from the first bad one on', () => {
    const { disk, log } = logOf(2)
    log.append({ entries: entries(3, 4, 1) })
    log.append({ entries: entries(5, 6, 1) })
    log.append({ entries: entries(7, 8, 1) })
    const torn = disk.crash({
      ofName: () => true,
      ofWrite: ({ lengthBytes }, number) => (number === 1 ? [] : [[0, lengthBytes]]),
    })
    expect(reopen(torn).entries).toEqual(entries(1, 4, 1).map(textOf))
  })
})

describe('inspecting', () => {
  it('reads a directory that is open, takes no lock and changes nothing', async () => {
    const { disk, log } = logOf(40)
    await putSnapshot(disk, 30, 1)
    const before = disk.operations
    const inspection = inspectLog(disk, directory)
    expect(inspection).toMatchObject({ identity, firstIndex: 1, lastIndex: 40, findings: [] })
    expect(inspection.snapshots).toMatchObject([{ index: 30, term: 1, isWhole: true }])
    for (let turn = 0; turn < 2; turn++)
      expect([...inspection.entries].map(textOf)).toEqual(entries(1, 40, 1).map(textOf))
    expect(disk.operations).toBe(before)
    log.close()
  })
  it('finds what opening would repair and what it would refuse', async () => {
    const { disk, log } = logOf(60)
    await putSnapshot(disk, 50, 1)
    log.release({ index: 50, term: 1 }, 50)
    log.append({ entries: entries(61, 63, 1) })
    const torn = disk.crash({ ofName: () => true, ofWrite: ({ lengthBytes }) => [[64, lengthBytes]] })
    expect(inspectLog(torn, directory).findings).toMatchObject([{ severity: 'warning' }])
    const name = torn.list('/data/snapshots')[0]
    torn.damage(`/data/snapshots/${name}`, (content) => content.fill(3, 40, 41))
    expect(inspectLog(torn, directory).findings.map(({ severity }) => severity)).toEqual([
      'warning',
      'warning',
      'error',
    ])
  })
  it('refuses a directory without a log', () => {
    expect(() => inspectLog(createMemoryDisk(['/data']), directory)).toThrow(code('wal/not-a-log'))
  })
})
