import { allSurvives, createMemoryDisk, type Log, type MemoryDisk, nothingSurvives, type Survival } from '@cluster/wal'
import { expect, it } from 'vitest'
import { contentOf, entries, Model, open, putSnapshot, reopen } from './history.ts'

/** Appends, flushes, cuts, overwrites a tail, snapshots, releases, installs a snapshot, tends, closes and opens again. */
async function history(disk: MemoryDisk, model: Model): Promise<void> {
  let nowMs = 0
  const options = { segmentSizeBytes: 4096, monotonicMs: () => nowMs }
  let log: Log = open(disk, options).log
  const append = (from: number, to: number, term: number, commit?: number, fill?: string): void => {
    const batch = entries(from, to, term, fill)
    const hardState = commit === undefined ? undefined : { term, votedFor: 'a1', commit }
    // Before the call: what a power cut interrupts may be there as a whole.
    model.appended(batch, hardState)
    log.append(hardState === undefined ? { entries: batch } : { entries: batch, hardState })
  }
  const sync = (): void => {
    log.sync()
    model.acknowledged()
  }
  const tend = (): void => {
    nowMs += 200
    while (log.tend());
  }
  append(1, 3, 1, 0)
  sync()
  append(4, 4, 1)
  append(5, 9, 1, 4)
  sync()
  tend()
  append(8, 12, 1, 7, 'other')
  sync()
  for (let index = 13; index < 40; index += 5) {
    append(index, index + 4, 1, index - 1)
    if (index % 2 === 1) sync()
  }
  sync()
  await putSnapshot(disk, 20, 1)
  log.release({ index: 20, term: 1 }, 15)
  tend()
  for (let index = 43; index < 80; index += 4) {
    append(index, index + 3, 1, index - 1)
    sync()
  }
  await putSnapshot(disk, 60, 1)
  log.release({ index: 60, term: 1 }, 60)
  log.close()
  log = open(disk, options).log
  for (let index = 83; index < 140; index += 6) {
    append(index, index + 5, 1, index - 1)
    sync()
  }
  tend()
  // A snapshot from the leader, far ahead: it replaces the log.
  await putSnapshot(disk, 500, 1)
  model.replaced(500)
  log.release({ index: 500, term: 1 }, 500)
  model.acknowledged()
  append(501, 510, 1, 500)
  sync()
  append(511, 512, 1, 510)
  log.close()
  model.acknowledged()
}

/** Every way in which one unflushed write or name may be lost while the others are there, or there while they are lost. */
function* survivals(disk: MemoryDisk, stepBytes: number): Generator<Survival> {
  yield allSurvives
  yield nothingSurvives
  for (const number of disk.unsyncedNames.keys()) {
    yield { ...allSurvives, ofName: (_, at) => at !== number }
    yield { ...nothingSurvives, ofName: (_, at) => at === number }
    yield { ...allSurvives, ofName: (_, at) => at < number }
  }
  for (const [number, { lengthBytes }] of disk.unsyncedWrites.entries()) {
    yield { ...allSurvives, ofWrite: (write, at) => (at === number ? [] : [[0, write.lengthBytes]]) }
    const step = Math.max(stepBytes, lengthBytes > 1000 ? 512 : 0)
    for (let cut = step; cut < lengthBytes; cut += step) {
      const torn = (ranges: readonly (readonly [number, number])[]): Survival => ({
        ofName: () => true,
        ofWrite: (write, at) => (at === number ? ranges : [[0, write.lengthBytes]]),
      })
      yield torn([[0, cut]])
      yield torn([[cut, lengthBytes]])
      yield torn([
        [0, cut],
        [Math.min(lengthBytes, cut + 24), lengthBytes],
      ])
    }
  }
}

/** Runs the history until its n-th change of the disk, which is the last thing that happens. */
async function runUntil(
  number: number,
): Promise<{ readonly disk: MemoryDisk; readonly model: Model; readonly isDone: boolean }> {
  const disk = createMemoryDisk()
  const model = new Model()
  disk.onOperation = (operation) => (operation.number === number ? { kind: 'power-cut' } : undefined)
  try {
    await history(disk, model)
    return { disk, model, isDone: true }
  } catch {
    return { disk, model, isDone: false }
  }
}

/** What opening after the crash finds is allowed, can be continued, and is found again. */
function check(disk: MemoryDisk, model: Model, story: string): void {
  const { log, recovered } = open(disk, { segmentSizeBytes: 4096 })
  const content = contentOf(recovered)
  const complaint = model.complaint(content)
  if (complaint !== undefined) expect.fail(`${story}: ${complaint}`)
  const more = entries(log.lastIndex + 1, log.lastIndex + 2, 1, 'after')
  log.append({ entries: more })
  log.sync()
  const again = reopenAfterKill(disk)
  if (again !== content.entries.length + more.length) expect.fail(`${story}: what was appended after it is not there`)
}

const reopenAfterKill = (disk: MemoryDisk): number =>
  [...open(disk.fork(), { segmentSizeBytes: 4096 }).recovered.entries].length

it('every acknowledged batch is there after a power cut at any change of the disk, and no half one', async () => {
  let [crashes, isDone] = [0, false]
  for (let number = 1; !isDone; number++) {
    const run = await runUntil(number)
    isDone = run.isDone
    let variant = 0
    for (const survival of survivals(run.disk, 16)) {
      check(run.disk.crash(survival), run.model, `change ${number}, variant ${variant++}`)
      crashes++
    }
    // The process alone died: all that was written is seen.
    check(run.disk.fork(), run.model, `change ${number}, process killed`)
  }
  expect(crashes).toBeGreaterThan(5000)
}, 300_000)

it('a power cut during the recovery from a power cut loses nothing either', async () => {
  let crashes = 0
  for (let number = 40; ; number += 19) {
    const run = await runUntil(number)
    if (run.isDone) break
    for (const survival of [allSurvives, tornInHalf]) {
      for (let second = 1, isOpen = false; !isOpen; second++) {
        const disk = run.disk.crash(survival)
        disk.onOperation = (operation) => (operation.number === second ? { kind: 'power-cut' } : undefined)
        try {
          open(disk, { segmentSizeBytes: 4096 })
          isOpen = true
        } catch {
          for (const again of survivals(disk, 128)) {
            check(disk.crash(again), run.model, `change ${number}, then ${second} of the recovery`)
            crashes++
          }
        }
      }
    }
  }
  expect(crashes).toBeGreaterThan(200)
}, 300_000)

const tornInHalf: Survival = { ofName: () => true, ofWrite: ({ lengthBytes }) => [[lengthBytes >> 1, lengthBytes]] }

it.each(['write', 'sync', 'rename', 'sync-directory', 'create'] as const)(
  'a %s that fails at any time ends the log, and what was acknowledged is there after the next start',
  async (kind) => {
    for (let nth = 1, hasFailed = true; hasFailed; nth++) {
      const disk = createMemoryDisk()
      const model = new Model()
      let count = 0
      disk.onOperation = (operation) => {
        if (operation.kind !== kind || operation.path.includes('/snapshots')) return undefined
        count++
        return count === nth ? { kind: 'error', code: 'EIO' } : undefined
      }
      hasFailed = await history(disk, model).then(
        () => false,
        () => true,
      )
      disk.onOperation = () => undefined
      // First a start on the same kernel, whose cache may hold what never reached the disk; then a power cut.
      const process = disk.fork()
      const seen = reopen(process, { segmentSizeBytes: 4096 })
      expect(model.complaint(seen)).toBeUndefined()
      const { warnings: _, ...after } = reopen(process.crash(nothingSurvives), { segmentSizeBytes: 4096 })
      const { warnings: __, ...before } = seen
      expect(after).toEqual(before)
    }
  },
  300_000,
)
