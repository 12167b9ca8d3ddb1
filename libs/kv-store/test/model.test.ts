import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRestore, createStore, type SnapshotParts, type Store, type Watcher } from '../src/v2.ts'
import { paths, startMs, writes } from './commands.ts'
import { NaiveStore, NaiveWatcher } from './naive-store.ts'

const watchOptions = fc.record({
  isRecursive: fc.boolean(),
  isStream: fc.boolean(),
  back: fc.integer({ min: -1, max: 6 }),
})

const steps = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('write' as const), command: writes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sync' as const), stepMs: fc.constantFrom(300, 1400, 2500) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      path: fc.oneof(paths, fc.constantFrom('/1', '/')),
      isRecursive: fc.boolean(),
      isSorted: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      path: fc.oneof(paths, fc.constant('/1')),
      options: watchOptions,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open-read' as const), isSorted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open-snapshot' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('go-on' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const) }) },
)

/** A read or snapshot that is spread over the steps of the test, and what it must come to. */
type Open = { readonly next: () => boolean; readonly close: () => void }

const everything = { isRecursive: true, isSorted: true }

/** All that can be seen of a store at a moment, hidden nodes aside. */
const looks = (store: Pick<Store, 'read'>, nowMs: number): unknown => bodyOf(store, '/', everything, nowMs)

function bodyOf(
  store: Pick<Store, 'read'>,
  path: string,
  options: { isRecursive: boolean; isSorted: boolean },
  nowMs: number,
): unknown {
  const reading = store.read(path, options, nowMs)
  if (reading.kind !== 'sliced') return reading
  let body = ''
  for (let part = reading.next(); part !== undefined; part = reading.next()) body += part
  return { kind: 'done', index: reading.index, isCreated: false, body }
}

function restored(parts: SnapshotParts): Store {
  const restore = createRestore({ sliceNodesMax: 2, partBytesMax: 600, reclaimSteps: 1 })
  for (let part = parts.next(); part !== undefined; part = parts.next()) restore.add(part)
  return restore.finish()
}

function run(script: readonly (typeof steps extends fc.Arbitrary<infer Step> ? Step : never)[]): void {
  const naive = new NaiveStore()
  let store = createStore({ sliceNodesMax: 2, partBytesMax: 600, reclaimSteps: 1 })
  let nowMs = startMs
  let logIndex = 0
  let watchers: { readonly naive: NaiveWatcher; readonly real: Watcher }[] = []
  let open: Open[] = []

  const compareWatchers = (): void => {
    for (const { naive, real } of watchers) {
      expect(real.take().map((event) => event.body)).toEqual(naive.take())
      expect([real.isOver, real.isOverrun]).toEqual([naive.isOver, naive.isOverrun])
    }
  }
  const finishAll = (): void => {
    for (const one of open) while (one.next());
    open = []
  }

  for (const step of script) {
    nowMs += 50
    switch (step.do) {
      case 'write': {
        const at = { index: ++logIndex, timeMs: nowMs }
        expect(store.apply(step.command, at)).toEqual(naive.apply(step.command, at))
        break
      }
      case 'sync': {
        nowMs += step.stepMs
        const command = { kind: 'sync', timeMs: nowMs } as const
        const at = { index: ++logIndex, timeMs: nowMs }
        expect(store.apply(command, at)).toEqual(naive.apply(command, at))
        break
      }
      case 'read':
        expect(bodyOf(store, step.path, step, nowMs)).toEqual(naive.read(step.path, step, nowMs))
        break
      case 'watch': {
        const { isRecursive, isStream, back } = step.options
        const fromIndex = back < 0 ? 0 : Math.max(1, naive.index + 2 - back)
        const expected = naive.watch(step.path, isRecursive, isStream, fromIndex)
        const watching = store.watch(step.path, { isRecursive, isStream, fromIndex }, () => undefined)
        if (!(expected instanceof NaiveWatcher)) expect(watching).toEqual(expected)
        else if (watching.kind === 'watching') watchers.push({ naive: expected, real: watching.watcher })
        else expect(watching).toEqual(expected)
        break
      }
      case 'take':
        compareWatchers()
        break
      case 'close': {
        const chosen = watchers[step.which]
        chosen?.real.close()
        if (chosen !== undefined) naive.watchers.delete(chosen.naive)
        break
      }
      case 'open-read': {
        const reading = store.read('/', { isRecursive: true, isSorted: step.isSorted }, nowMs)
        const expected = naive.read('/', { isRecursive: true, isSorted: step.isSorted }, nowMs)
        if (reading.kind !== 'sliced') {
          expect(reading).toEqual(expected)
          break
        }
        let body = ''
        const next = (): boolean => {
          const part = reading.next()
          if (part === undefined)
            expect({ kind: 'done', index: reading.index, isCreated: false, body }).toEqual(expected)
          else body += part
          return part !== undefined
        }
        open.push({ next, close: reading.close })
        break
      }
      case 'open-snapshot': {
        const expected = naive.read('/', everything, nowMs)
        naive.stats.getsSuccess--
        const stats = { ...store.stats, watchers: 0 }
        const count = store.nodeCount
        const deadlineMs = store.nextDeadlineMs
        const parts = store.snapshot()
        const restore = createRestore()
        const at = nowMs
        const next = (): boolean => {
          const part = parts.next()
          if (part !== undefined) {
            restore.add(part)
            return true
          }
          const copy = restore.finish()
          expect([copy.stats, copy.nodeCount, copy.nextDeadlineMs]).toEqual([stats, count, deadlineMs])
          expect(looks(copy, at)).toEqual(expected)
          return false
        }
        open.push({ next, close: parts.close })
        break
      }
      case 'go-on': {
        const one = open[step.which]
        if (one !== undefined && !one.next()) open = open.filter((other) => other !== one)
        break
      }
      case 'restore':
        // Watchers do not outlive a restart, and open reads are given up half-way.
        compareWatchers()
        for (const one of open) one.close()
        open = []
        watchers = []
        naive.watchers.clear()
        store = restored(store.snapshot())
        break
    }
    expect([store.index, store.nodeCount, store.nextDeadlineMs]).toEqual([
      naive.index,
      naive.nodeCount(),
      naive.nextDeadlineMs(),
    ])
    expect(store.stats).toEqual({ ...naive.stats, watchers: naive.watchers.size })
  }
  compareWatchers()
  finishAll()
  expect(looks(store, nowMs)).toEqual(naive.read('/', everything, nowMs))
}

describe('the store, beside a naive one', () => {
  it('answers the same, tells watchers the same, shows each open read its moment, and comes back from snapshots', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 90 }), (script) => run(script)),
      { numRuns: Number(process.env['KV_STORE_MODEL_RUNS'] ?? 150) },
    )
  })
})
