/** The machine stops at every single change of the disk that a scripted history makes. */
import type { Command } from '@cluster/kv-store/v2'
import { allSurvives, createMemoryDisk, type MemoryDisk, nothingSurvives, type Survival } from '@cluster/wal'
import { expect, it } from 'vitest'
import { createTestClock, openLocalReplica, propose, set } from './local-replica.ts'

/** What the writers know: each key is written once. */
type Known = { readonly proposed: Map<string, string>; readonly acknowledged: Map<string, string> }

/** Two lives of a store with single and parallel writes, values of many sizes, housekeeping and snapshots between. */
async function history(disk: MemoryDisk, known: Known): Promise<void> {
  for (const origin of [1, 2]) {
    const clock = createTestClock()
    const replica = await openLocalReplica({ disk, origin, clock, limits: { entryCount: 12, entriesKept: 3 } })
    for (let batch = 0; batch < 8; batch++) {
      const writes = Array.from({ length: 1 + (batch % 4) * 2 }, async (_, at) => {
        const [key, value] = [`k${origin}-${batch}-${at}`, `${at}`.repeat(1 + batch * 97)]
        known.proposed.set(key, value)
        const settled = await propose(replica, set(key, value))
        if (settled.kind === 'applied') known.acknowledged.set(key, value)
      })
      await Promise.all(writes)
      clock.pass(150)
    }
    await replica.snapshot()
    await replica.close(20)
  }
}

const survivals: readonly (readonly [string, Survival])[] = [
  ['everything reached the disk', allSurvives],
  ['nothing unflushed did', nothingSurvives],
  [
    'every other write did, in halves',
    {
      ofWrite: ({ lengthBytes }, number) => (number % 2 === 0 ? [] : [[Math.floor(lengthBytes / 2), lengthBytes]]),
      ofName: (_, number) => number % 2 === 0,
    },
  ],
]

const newDisk = (): MemoryDisk => createMemoryDisk(['/data'])
const newKnown = (): Known => ({ proposed: new Map(), acknowledged: new Map() })

it('keeps every acknowledged write, none of them half, wherever the machine stops', { timeout: 240_000 }, async () => {
  const whole = newDisk()
  await history(whole, newKnown())
  const { operations } = whole
  expect(operations).toBeGreaterThan(50)
  for (let stopAt = 1; stopAt <= operations; stopAt++) {
    const disk = newDisk()
    const known = newKnown()
    disk.onOperation = ({ number }) => (number >= stopAt ? { kind: 'power-cut' } : undefined)
    // Whatever it throws: what counts is what it had acknowledged until then.
    await history(disk, known).catch(() => undefined)
    for (const [name, survival] of survivals) {
      const replica = await openLocalReplica({ disk: disk.crash(survival), origin: 9 })
      const found = new Map([...known.proposed.keys()].map((key) => [key, replica.store.valueOf(`/1/${key}`)]))
      for (const [key, value] of known.acknowledged) {
        if (found.get(key) !== value) throw new Error(`stopped at change ${stopAt}, ${name}: ${key} is lost`)
      }
      for (const [key, value] of found) {
        if (value !== undefined && value !== known.proposed.get(key)) throw new Error(`${key} is half there`)
      }
      const again: Command = set('again', 'x')
      expect((await propose(replica, again)).kind).toBe('applied')
      await replica.close(20)
    }
  }
})
