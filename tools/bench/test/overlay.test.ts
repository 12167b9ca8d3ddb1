import { expect, it } from 'vitest'
import { report } from '../src/overlay/udp.ts'

it('tells each contender beside the bare link, by the middle of the rounds', () => {
  const measured = (gigabits: number, roundTrip: number) => ({
    bytesPerSecond: (gigabits * 1e9) / 8,
    roundTrip,
    late: 3 * roundTrip,
    cpu: 1000 / gigabits,
  })
  const text = report(
    [
      [measured(10, 30), measured(8, 50), measured(12, 40)],
      [measured(5, 110), measured(4, 130), measured(6, 120)],
      [measured(1, 120), measured(1, 120), measured(1, 120)],
    ],
    3,
    2,
  )
  expect(text).toContain('| bare link | 10.00 | 100.0% | 40 µs | 120 µs | 100 |')
  expect(text).toContain('| udp | 5.00 | 50.0% | 120 µs | 360 µs | 200 |')
  expect(text).toContain('| udp, one call per packet | 1.00 | 10.0% | 120 µs | 360 µs | 1000 |')
})
