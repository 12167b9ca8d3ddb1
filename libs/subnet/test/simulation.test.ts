import { describe, expect, it } from 'vitest'
import { carefulPolicy } from '../src/index.ts'
import { simulate } from './simulated-machines.ts'

/** `SUBNET_SEEDS=10000 npm test`, or `npm run simulate`, runs as many. */
const seeds = Number(process.env['SUBNET_SEEDS'] ?? 500)

describe('many machines, a lossy store, restarts', () => {
  it(`never give one address to two machines, in ${seeds} runs`, { timeout: 3_600_000 }, () => {
    let acquired = 0
    for (let seed = 0; seed < seeds; seed++) {
      const run = simulate(seed)
      acquired += run.acquired
      const ending = { seed, overlap: run.overlap, waiting: run.waiting }
      if (run.overlap !== undefined || run.waiting.length > 0)
        expect({ ...ending, transcript: run.transcript }).toEqual({ seed, waiting: [], transcript: [] })
    }
    expect(acquired).toBeGreaterThan(seeds * 10)
  })

  it('do so without the second look: the runs are bad enough to show it', () => {
    const blind = { ...carefulPolicy, confirms: false }
    const overlaps = Array.from({ length: 200 }, (_, seed) => simulate(seed, blind).overlap)
    expect(overlaps.filter((overlap) => overlap !== undefined).length).toBeGreaterThan(0)
  })

  it('give the same run for the same seed', () => expect(simulate(7)).toEqual(simulate(7)))
})
