/** Damage to what was flushed: every outcome is "all acknowledged entries are there" or a refusal. Never a silent loss. */
import { isClusterError } from '@cluster/prelude'
import { createMemoryDisk, inspectLog, type MemoryDisk } from '@cluster/wal'
import { describe, expect, it } from 'vitest'
import { contentOf, entries, open, putSnapshot, segmentSizeBytes, textOf } from './history.ts'

const sectorBytes = 512

type Ending = 'closed' | 'marked' | 'bare'
type Story = {
  readonly name: string
  readonly disk: MemoryDisk
  /** Damage is done to this file: the last one. */
  readonly path: string
  readonly previous: string
  readonly usedBytes: number
  readonly expected: readonly string[]
  /** How many of the last entries were flushed last and have nothing behind them: they may be torn. */
  readonly unprotected: number
  /** Offsets of the last records, whatever they are. */
  readonly recordOffsets: readonly number[]
}

/** Two segments or more, the last of them of three flushes at least; recycled files when there was a release. */
async function tell(ending: Ending, isRecycled: boolean): Promise<Story> {
  const disk = createMemoryDisk()
  let nowMs = 0
  const { log } = open(disk, { monotonicMs: () => nowMs })
  let first = 1
  if (isRecycled) {
    while (disk.list('/data/log').length < 4) {
      const batch = entries(log.lastIndex + 1, log.lastIndex + 3, 1, 'remains of a former life'.repeat(4))
      log.append({ entries: batch })
      log.sync()
    }
    const at = { index: log.lastIndex, term: 1 }
    await putSnapshot(disk, at.index, at.term)
    log.release(at, at.index)
    first = log.lastIndex + 1
  }
  const before = disk.list('/data/log').filter((name) => name.endsWith('.log')).length
  const appended: string[] = []
  const put = (count: number): void => {
    const batch = entries(log.lastIndex + 1, log.lastIndex + count, 2)
    log.append({ entries: batch, hardState: { term: 2, votedFor: 'abc', commit: log.lastIndex } })
    log.sync()
    appended.push(...batch.map(textOf))
  }
  while (disk.list('/data/log').filter((name) => name.endsWith('.log')).length < before + 1) put(3)
  for (const count of [2, 5, 1, 3]) put(count)
  nowMs += 1000
  if (ending === 'marked') log.tend()
  if (ending === 'closed') log.close()
  const names = disk.list('/data/log').filter((name) => name.endsWith('.log'))
  const path = `/data/log/${names.at(-1)}`
  const content = disk.content(path)
  const magics: number[] = []
  for (let at = Buffer.from(content).indexOf('c74c6f01', 0, 'hex'); at >= 0; ) {
    magics.push(at)
    at = Buffer.from(content).indexOf('c74c6f01', at + 1, 'hex')
  }
  const usedBytes = isRecycled ? usedOf(disk) : endOf(content)
  expect(open(disk.fork()).log.lastIndex).toBe(first - 1 + appended.length)
  return {
    name: `${ending}${isRecycled ? ', in a used file' : ''}`,
    disk,
    path,
    previous: `/data/log/${names.at(-2)}`,
    usedBytes,
    expected: appended,
    unprotected: ending === 'bare' ? 3 : 0,
    recordOffsets: magics.filter((at) => at < usedBytes).slice(-3),
  }
}

const usedOf = (disk: MemoryDisk): number => inspectLog(disk.fork(), '/data').segments.at(-1)?.usedBytes ?? 0

const endOf = (content: Uint8Array): number => content.findLastIndex((byte) => byte !== 0) + 1

/** Undefined when nothing was lost in silence. */
function judge(story: Story, damage: (content: Uint8Array) => Uint8Array, path = story.path): string | undefined {
  const disk = story.disk.fork()
  disk.damage(path, damage)
  const files = (): string =>
    disk
      .list('/data/log')
      .map((name) => Buffer.from(disk.content(`/data/log/${name}`)).toString('latin1'))
      .join()
  const before = files()
  try {
    const { log, recovered } = open(disk)
    const found = contentOf(recovered).entries
    const isPrefix = found.every((text, at) => text === story.expected[at])
    const isEnough = found.length >= story.expected.length - story.unprotected && found.length <= story.expected.length
    if (!isPrefix || !isEnough) return `lost: ${found.length} of ${story.expected.length} entries`
    return log.lastIndex > 0 ? undefined : 'no last index'
  } catch (error) {
    if (!isClusterError(error)) return `not a refusal: ${String(error)}`
    if (!['wal/corrupt', 'wal/newer-version', 'wal/not-a-log'].includes(error.code)) return error.code
    if (error.hint === undefined) return 'no hint'
    return files() === before ? undefined : 'refused, but changed something'
  }
}

const changed = (change: (content: Uint8Array) => void) => (content: Uint8Array) => {
  change(content)
  return content
}

const flip = (bit: number) =>
  changed((content) => {
    content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  })

const stories = await Promise.all(
  (['closed', 'marked', 'bare'] as const).flatMap((ending) => [tell(ending, false), tell(ending, true)]),
)

describe.each(stories.map((story) => [story.name, story] as const))('a log that was left %s', (_, story) => {
  const all = (damages: Iterable<(content: Uint8Array) => Uint8Array>, path?: string): readonly string[] => {
    const complaints: string[] = []
    let number = 0
    for (const damage of damages) {
      const complaint = judge(story, damage, path)
      if (complaint !== undefined) complaints.push(`${number}: ${complaint}`)
      number++
    }
    expect(number).toBeGreaterThan(0)
    return complaints
  }
  const sectors = [...Array(segmentSizeBytes / sectorBytes).keys()].map((number) => number * sectorBytes)

  it('survives or refuses every flipped bit of its last three records', () => {
    const from = story.recordOffsets[0] ?? 0
    const bits = Array.from({ length: (story.usedBytes - from) * 8 }, (_, at) => flip(from * 8 + at))
    expect(all(bits)).toEqual([])
  })
  it('survives or refuses every flipped bit beside a sector boundary', () => {
    const bits = sectors.flatMap((at) => Array.from({ length: 128 }, (_, bit) => flip(Math.max(0, (at - 8) * 8 + bit))))
    expect(all(bits)).toEqual([])
  })
  it('refuses to be shorter, wherever it is cut off', () => {
    const cuts = Array.from({ length: segmentSizeBytes }, (_, at) => (content: Uint8Array) => content.slice(0, at))
    expect(all(cuts)).toEqual([])
  })
  it('survives or refuses each sector of zeros', () => {
    expect(all(sectors.map((at) => changed((content) => content.fill(0, at, at + sectorBytes))))).toEqual([])
  })
  it('survives or refuses each sector written over another', () => {
    const copies = sectors.flatMap((from) =>
      sectors.map((to) => changed((content) => content.copyWithin(to, from, from + sectorBytes))),
    )
    expect(all(copies)).toEqual([])
  })
  it('survives or refuses each pair of sectors that changed places', () => {
    const swaps = sectors.flatMap((one) =>
      sectors.map((other) =>
        changed((content) => {
          const kept = content.slice(one, one + sectorBytes)
          content.copyWithin(one, other, other + sectorBytes)
          content.set(kept, other)
        }),
      ),
    )
    expect(all(swaps)).toEqual([])
  })
  it('refuses damage in the segment before the last', () => {
    const used = story.usedBytes
    const zeros = sectors.map((at) => changed((content) => content.fill(0, at, at + sectorBytes)))
    const bits = Array.from({ length: 400 }, (_, at) => flip(at * 71))
    expect(used).toBeGreaterThan(0)
    expect(all([...zeros, ...bits], story.previous)).toEqual([])
  })
})

it('refuses when a segment in the middle is gone', async () => {
  const story = await tell('closed', false)
  story.disk.unlink(story.previous)
  expect(() => open(story.disk)).toThrow(expect.objectContaining({ code: 'wal/corrupt' }))
})
