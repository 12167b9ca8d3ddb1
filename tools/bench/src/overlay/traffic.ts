/** What goes through a link between two machines: a stream, round trips, and the processor time that they take. */
import { median } from '../statistics.ts'
import type { MachineProcess } from './machine-process.ts'

/** The first asks, the second sends. */
export type Ends = { readonly first: Pick<MachineProcess, 'ask'>; readonly second: Pick<MachineProcess, 'ask'> }

/** Of one round. */
export type Traffic = {
  readonly bytesPerSecond: number
  /** Half of the round trips were not longer, in microseconds. */
  readonly roundTrip: number
  /** 99 of 100 were not longer. */
  readonly late: number
  /** Processor time of both ends, in milliseconds per gigabyte. */
  readonly cpu: number
}

export type TrafficOptions = {
  /** Of the second machine, as the first one reaches it. */
  readonly address: string
  readonly seconds: number
  readonly roundTrips: number
}

/** From the second machine to the first. */
export async function measureTraffic(
  { first, second }: Ends,
  { address, seconds, roundTrips: count }: TrafficOptions,
): Promise<Traffic> {
  const { port = 0 } = await second.ask({ do: 'listen', address })
  const { roundTrips = [] } = await first.ask({ do: 'round-trips', address, port, count })
  const before = await processorMs(first, second)
  const { bytesPerSecond = 0, bytes = 0 } = await first.ask({ do: 'stream', address, port, seconds })
  const cpu = ((await processorMs(first, second)) - before) / (bytes / 1e9)
  const ascending = roundTrips.toSorted((one, other) => one - other)
  return {
    bytesPerSecond,
    roundTrip: median(roundTrips),
    late: ascending[Math.floor(ascending.length * 0.99)] ?? 0,
    cpu,
  }
}

export const gigabits = (bytesPerSecond: number): string => ((bytesPerSecond * 8) / 1e9).toFixed(2)

async function processorMs(...ends: readonly Pick<MachineProcess, 'ask'>[]): Promise<number> {
  let sum = 0
  for (const end of ends) sum += (await end.ask({ do: 'processor-time' })).processorMs ?? 0
  return sum
}
