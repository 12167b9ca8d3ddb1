import { describe, expect, it } from 'vitest'
import { createMachineLosses } from './machine-losses.ts'

const losses = () => createMachineLosses({ ttlMs: 6000, deletedGraceMs: 2000 })

describe('the loss of a machine', () => {
  it('is certain at once when its key expired in a store that was well for a whole TTL', () => {
    const machines = losses()
    machines.vanished('m', { how: 'expired', atMs: 10_000, healthySinceMs: 4000 })
    expect(machines.confirmedAtMs('m', 4000)).toBe(10_000)
    expect(machines.wasWatched('m', 10_000)).toBe(true)
  })

  it('waits a TTL from the recovery of the store when the store had been away shortly before', () => {
    const machines = losses()
    machines.vanished('m', { how: 'expired', atMs: 10_000, healthySinceMs: 9900 })
    expect(machines.confirmedAtMs('m', 9900)).toBe(15_900)
    expect(machines.wasWatched('m', 20_000)).toBe(false)
  })

  it('is not decided while the store is away', () => {
    const machines = losses()
    machines.vanished('m', { how: 'expired', atMs: 10_000, healthySinceMs: undefined })
    expect(machines.confirmedAtMs('m', undefined)).toBeUndefined()
    expect(machines.confirmedAtMs('never-seen', undefined)).toBeUndefined()
  })

  it('by a deleted key leaves a living machine a moment to write it again', () => {
    const machines = losses()
    machines.vanished('m', { how: 'deleted', atMs: 10_000, healthySinceMs: 0 })
    expect(machines.confirmedAtMs('m', 0)).toBe(12_000)
    machines.returned('m')
    expect(machines.wasWatched('m', 20_000)).toBe(false)
  })

  it('of which nothing was seen waits a TTL in a healthy store', () => {
    const machines = losses()
    expect(machines.confirmedAtMs('m', 1000)).toBe(7000)
    machines.vanished('m', { how: 'expired', atMs: 10_000, healthySinceMs: 0 })
    machines.resynced()
    expect(machines.confirmedAtMs('m', 10_500)).toBe(16_500)
  })
})
