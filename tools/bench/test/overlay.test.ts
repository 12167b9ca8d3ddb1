import { expect, it } from 'vitest'
import { peerLease } from '../src/overlay/lab.ts'
import { eventsReport, peersReport } from '../src/overlay/peers.ts'
import { type Start, startReport } from '../src/overlay/start.ts'
import { throughputReport } from '../src/overlay/throughput.ts'
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

it('compares what flanneld set up with what was set up by hand, round by round', () => {
  const traffic = (gigabits: number) => ({ bytesPerSecond: (gigabits * 1e9) / 8, roundTrip: 50, late: 90, cpu: 400 })
  const text = throughputReport(
    new Map([
      ['bare link', [traffic(10), traffic(20), traffic(12)]],
      ['vxlan by hand', [traffic(8), traffic(16), traffic(10)]],
      ['vxlan by flanneld', [traffic(8), traffic(8), traffic(9)]],
    ]),
    3,
    2,
  )
  expect(text).toContain('| bare link | 12.00 | 20.00 |  | 50 µs | 400 |')
  expect(text).toContain('| vxlan by flanneld | 8.00 | 9.00 | 0.900 | 50 µs | 400 |')
})

it('tells how long starts took, and what they cost where that is known', () => {
  const text = startReport(
    new Map<string, readonly Start[]>([
      ['Node alone', [{ totalMs: 40 }, { totalMs: 50 }]],
      ['vxlan, first', [100, 300, 120].map((totalMs) => ({ totalMs, cpuMs: 90, rssBytes: 57e6 }))],
    ]),
  )
  expect(text).toContain('| Node alone | 45 ms | 40 ms |  |  |')
  expect(text).toContain('| vxlan, first | 120 ms | 100 ms | 90 ms | 57 MB |')
  expect(text).toContain(', 3 of each,')
})

it('tells how long the leases of others took', () => {
  const programmings = [150, 250, 170].map((fileToLastMs) => ({
    startToFileMs: 2 * fileToLastMs,
    fileToLastMs,
    cpuMs: 200,
    rssBytes: 80e6,
  }))
  expect(peersReport(new Map([['vxlan', programmings]]))).toContain(
    '| vxlan | 170 ms | 150 ms | 340 ms | 200 ms | 80 MB |',
  )
  const following = { sinceSentMs: [3, 2, 4], sinceWrittenMs: [1, 0, 2] }
  expect(eventsReport(new Map([['vxlan, 0 peers before', following]]))).toContain(
    '| vxlan, 0 peers before | 3.00 ms | 4.00 ms | 1.00 ms | 2.00 ms |',
  )
})

it('gives every machine a subnet, an address and a hardware address of its own', () => {
  const leases = Array.from({ length: 4000 }, (_, at) => peerLease('/bench/vxlan', at + 1, 'vxlan'))
  expect(leases[300]).toEqual({
    subnet: '172.17.45.0/24',
    key: '/bench/vxlan/subnets/172.17.45.0-24',
    value: '{"PublicIP":"10.80.2.45","BackendType":"vxlan","BackendData":{"VtepMAC":"02:00:00:00:01:2d"}}',
  })
  expect(new Set(leases.map(({ value }) => value)).size).toBe(4000)
  expect(peerLease('/p', 1, 'host-gw').value).toBe('{"PublicIP":"10.80.1.1","BackendType":"host-gw"}')
})
