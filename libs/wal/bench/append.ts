/** Entries per second of append and sync, in batches of 64 entries of 300 bytes, and how much of it is not the flush. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLog, openSnapshots } from '@cluster/wal'

const [batches, entriesPerBatch, entryBytes] = [4000, 64, 300]
const root = mkdtempSync(join(tmpdir(), 'wal-bench-'))
const directory = join(root, 'data')
let flushMs = 0
const { log } = openLog({
  directory,
  identity: { clusterId: '1', memberId: '2', extra: '' },
  onSync: (durationMs) => {
    flushMs += durationMs
  },
})
while (log.tend());
const data = new Uint8Array(entryBytes).fill(7)
for (const round of ['cold', 'warm', 'last']) {
  flushMs = 0
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  for (let batch = 0; batch < batches; batch++) {
    const first = log.lastIndex + 1
    const entries = Array.from({ length: entriesPerBatch }, (_, at) => ({ index: first + at, term: 1, kind: 0, data }))
    log.append({ entries, hardState: { term: 1, votedFor: '2', commit: first - 1 } })
    log.sync()
  }
  const totalMs = performance.now() - startMs
  const used = process.cpuUsage(cpu)
  const count = batches * entriesPerBatch
  const perSecond = (ms: number): string => `${Math.round(count / ms)} k entries/s`
  console.log(
    `${round}: ${perSecond(totalMs)}; without flushes ${perSecond(totalMs - flushMs)};`,
    `a flush ${((flushMs / batches) * 1000).toFixed(0)} µs; user CPU ${(used.user / count).toFixed(2)} µs an entry`,
  )
  const at = { index: log.lastIndex, term: 1 }
  const snapshot = await openSnapshots({ directory }).create(at)
  await snapshot.commit()
  log.release(at, round === 'last' ? 0 : log.lastIndex)
}
log.close()
const startMs = performance.now()
const again = openLog({ directory, identity: { clusterId: '1', memberId: '2', extra: '' } })
console.log(`open again: ${(performance.now() - startMs).toFixed(0)} ms for ${batches * entriesPerBatch} entries`)
again.log.close()
rmSync(root, { recursive: true })
