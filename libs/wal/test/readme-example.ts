import { createMemoryDisk, inspectLog, openLog, openSnapshots, toAsyncDisk } from '@cluster/wal'

// A disk in memory that can lose power. In a daemon: leave `disk` out, and give the log a thread of its own.
const disk = createMemoryDisk()
const where = { directory: '/data', identity: { clusterId: 'c1', memberId: 'm1', extra: '' }, segmentSizeBytes: 65_536 }
const entry = (index: number, text: string) => ({ index, term: 1, kind: 0, data: Buffer.from(text) })

// One batch is one write; nothing is promised before `sync`.
const { log } = openLog({ ...where, disk })
log.append({ entries: [entry(1, 'a'), entry(2, 'b')], hardState: { term: 1, votedFor: 'm1', commit: 0 } })
log.sync()
log.append({ entries: [entry(3, 'c')] })

// The power goes off in the middle of the last write.
const after = disk.crash({ ofName: () => true, ofWrite: ({ lengthBytes }) => [[0, lengthBytes / 2]] })
const again = openLog({ ...where, disk: after })
for (const { index, data } of again.recovered.entries) console.log('entry', index, Buffer.from(data).toString())
console.log('repaired:', again.recovered.warnings.length)

// A snapshot of the state at entry 2: the log need not keep what it covers.
const snapshots = openSnapshots({ disk: toAsyncDisk(after), directory: '/data' })
const writer = await snapshots.create({ index: 2, term: 1 })
await writer.write(Buffer.from('the state: a, b'))
await writer.commit()
again.log.release({ index: 2, term: 1 }, 2)
again.log.close()

const { snapshots: found, lastIndex, findings } = inspectLog(after, '/data')
console.log('snapshot of', found[0]?.index, '- log up to', lastIndex, '- findings:', findings.length)
