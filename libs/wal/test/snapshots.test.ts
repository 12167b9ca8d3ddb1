import { createMemoryDisk, type MemoryDisk, openSnapshots, toAsyncDisk } from '@cluster/wal'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { putSnapshot, snapshotsOf } from './history.ts'

const code = (value: string) => expect.objectContaining({ code: value })
const at = { index: 7, term: 2 }

async function read(disk: MemoryDisk, where = at): Promise<readonly string[]> {
  const parts: string[] = []
  for await (const part of snapshotsOf(disk).read(where)) parts.push(Buffer.from(part).toString())
  return parts
}

const onlyName = (disk: MemoryDisk): string => `/data/snapshots/${disk.list('/data/snapshots')[0]}`

it('gives back any parts as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 8 }), async (parts) => {
      const disk = createMemoryDisk(['/data'])
      const writer = await snapshotsOf(disk).create(at)
      for (const part of parts) await writer.write(part)
      await writer.commit()
      const found: Uint8Array[] = []
      for await (const part of snapshotsOf(disk).read(at)) found.push(part)
      expect(found).toEqual(parts)
    }),
    { numRuns: 30 },
  )
})
it('splits a part beyond 16 MiB', async () => {
  const disk = createMemoryDisk(['/data'])
  const writer = await snapshotsOf(disk).create(at)
  await writer.write(new Uint8Array(17 * 1024 * 1024).fill(5))
  await writer.commit()
  const sizes: number[] = []
  for await (const part of snapshotsOf(disk).read(at)) sizes.push(part.length)
  expect(sizes).toEqual([16 * 1024 * 1024, 1024 * 1024])
})
it('read along gives what is whole up to the damage, and then throws', async () => {
  const disk = createMemoryDisk(['/data'])
  await putSnapshot(disk, at.index, at.term, ['one', 'two'])
  const readAlong = async (): Promise<readonly string[]> => {
    const parts: string[] = []
    for await (const part of snapshotsOf(disk).read(at, { verify: 'along' })) parts.push(Buffer.from(part).toString())
    return parts
  }
  expect(await readAlong()).toEqual(['one', 'two'])
  const name = onlyName(disk)
  disk.damage(name, (content) => content.slice(0, -1))
  await expect(readAlong()).rejects.toThrow(code('wal/snapshot-failed'))
})
it('keeps the newest', async () => {
  const disk = createMemoryDisk(['/data'])
  for (let index = 1; index <= 7; index++) await putSnapshot(disk, index, 1)
  expect((await snapshotsOf(disk).list()).map(({ index }) => index)).toEqual([7, 6, 5, 4, 3])
})
it('has none before the first', async () => {
  expect(await snapshotsOf(createMemoryDisk(['/data'])).list()).toEqual([])
})
it('given up leaves nothing', async () => {
  const disk = createMemoryDisk(['/data'])
  const writer = await snapshotsOf(disk).create(at)
  await writer.write(new Uint8Array(10))
  await writer.abort()
  expect(disk.list('/data/snapshots')).toEqual([])
})
it('gives nothing of a file with any bit flipped, any byte missing or one too many', async () => {
  const disk = createMemoryDisk(['/data'])
  await putSnapshot(disk, at.index, at.term, ['one', '', 'three'])
  const name = onlyName(disk)
  const whole = disk.content(name)
  const attempt = async (content: Uint8Array): Promise<void> => {
    disk.damage(name, () => content)
    const parts: Uint8Array[] = []
    const reading = (async () => {
      for await (const part of snapshotsOf(disk).read(at)) parts.push(part)
    })()
    await expect(reading).rejects.toThrow(/is damaged|version/)
    expect(parts).toEqual([])
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const content = whole.slice()
    content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await attempt(content)
  }
  for (let length = 0; length < whole.length; length++) await attempt(whole.slice(0, length))
  await attempt(new Uint8Array([...whole, 0]))
})
it('is the old ones or the old ones and a whole new one after a power cut at any change', async () => {
  for (let number = 1, isDone = false; !isDone; number++) {
    const disk = createMemoryDisk(['/data'])
    await putSnapshot(disk, 1, 1, ['old'])
    const first = disk.operations
    disk.onOperation = (operation) => (operation.number === first + number ? { kind: 'power-cut' } : undefined)
    isDone = await putSnapshot(disk, 2, 1, ['new', 'er']).then(
      () => true,
      () => false,
    )
    const tears = [0, 1, 3, 100].map((cut) => ({ ofName: () => true, ofWrite: () => [[0, cut]] as const }))
    for (const survival of tears) {
      const after = disk.crash({
        ...survival,
        ofWrite: ({ lengthBytes }) =>
          survival.ofWrite().map(([from, to]) => [from, Math.min(to, lengthBytes)] as const),
      })
      const [newest] = await snapshotsOf(after).list()
      expect(await read(after, newest)).toEqual(newest?.index === 2 ? ['new', 'er'] : ['old'])
    }
  }
})
it.each([
  ['ENOSPC', 'wal/no-space'],
  ['EIO', 'wal/snapshot-failed'],
])('%s is %s, leaves nothing, and the next one works', async (errno, expected) => {
  const disk = createMemoryDisk(['/data'])
  const writer = await snapshotsOf(disk).create(at)
  disk.onOperation = ({ kind }) => (kind === 'write' ? { kind: 'error', code: errno } : undefined)
  await expect(writer.write(new Uint8Array(10))).rejects.toThrow(code(expected))
  disk.onOperation = () => undefined
  expect(disk.list('/data/snapshots')).toEqual([])
  await putSnapshot(disk, at.index, at.term, ['again'])
  expect(await read(disk)).toEqual(['again'])
})
it('that is not there is an error of its own', async () => {
  await expect(read(createMemoryDisk(['/data']))).rejects.toThrow(code('wal/snapshot-failed'))
})
it('replaces what a killed process left half written', async () => {
  const disk = createMemoryDisk(['/data'])
  const half = await openSnapshots({ disk: toAsyncDisk(disk), directory: '/data' }).create(at)
  await half.write(new Uint8Array(5))
  await putSnapshot(disk, at.index, at.term, ['whole'])
  expect(await read(disk)).toEqual(['whole'])
})
