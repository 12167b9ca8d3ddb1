/** Files that version 1 wrote. Every later build reads them; they are never made anew. */
import { readFileSync } from 'node:fs'
import { createMemoryDisk, inspectLog, openLog, openSnapshots, toAsyncDisk } from '@cluster/wal'
import { expect, it } from 'vitest'
import { contentOf } from './history.ts'

/** Lines of `<offset>: <hex>`; what is not named is zeros. First line: `size <bytes>`. */
function parseFixture(name: string): Uint8Array {
  const [size, ...lines] = readFileSync(new URL(`fixtures/${name}.txt`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const bytes = Buffer.alloc(Number(size?.split(' ')[1]))
  for (const line of lines) {
    const [offset, hex] = line.split(': ')
    bytes.write(hex ?? '', Number.parseInt(offset ?? '', 16), 'hex')
  }
  return bytes
}

const files = [
  'log/0000000000000002-000000000000000e.log',
  'log/0000000000000003-000000000000001a.log',
  'snapshots/0000000000000010-0000000000000002.snapshot',
]

/** A data directory with the files of version 1. */
function diskOfVersion1() {
  const disk = createMemoryDisk(['/data', '/data/log', '/data/snapshots'])
  for (const name of files) {
    const file = disk.open(`/data/${name}`, 'create')
    file.write(parseFixture(`version-1/${name.replace('/', '-')}`), 0)
    file.sync()
    file.close()
  }
  return disk
}

const expected: unknown = JSON.parse(readFileSync(new URL('fixtures/version-1/expected.json', import.meta.url), 'utf8'))

it('reads the log of version 1', () => {
  const { log, recovered } = openLog({
    disk: diskOfVersion1(),
    directory: '/data',
    identity: { clusterId: '', memberId: '', extra: '' },
    segmentSizeBytes: 8192,
  })
  const { identity, warnings } = recovered
  expect({ identity, warnings, ...contentOf(recovered), lastIndex: log.lastIndex }).toEqual(expected)
})
it('goes on with it', () => {
  const disk = diskOfVersion1()
  const options = {
    disk,
    directory: '/data',
    identity: { clusterId: '', memberId: '', extra: '' },
    segmentSizeBytes: 8192,
  }
  const { log } = openLog(options)
  const next = log.lastIndex + 1
  log.append({ entries: [{ index: next, term: 9, kind: 1, data: Buffer.from('new') }] })
  log.close()
  expect([...openLog(options).recovered.entries].at(-1)).toMatchObject({ index: next, term: 9, kind: 1 })
})
it('reads the snapshot of version 1', async () => {
  const parts: string[] = []
  const snapshots = openSnapshots({ disk: toAsyncDisk(diskOfVersion1()), directory: '/data' })
  for await (const part of snapshots.read({ index: 16, term: 2 })) parts.push(Buffer.from(part).toString())
  expect(parts).toEqual(['first part', '', 'third part'])
})
it('inspects it without a finding', () => {
  const inspection = inspectLog(diskOfVersion1(), '/data')
  expect(inspection.findings).toEqual([])
  expect(inspection.segments.map(({ isRecycled }) => isRecycled)).toEqual([false, true])
})
