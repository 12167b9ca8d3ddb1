import { createManualClock, createModelKv, type ModelKv } from '@cluster/kv'
import { type Random, seededRandom, silentLogger, silentMeter } from '@cluster/prelude'
import {
  describeSubnet,
  type Ip4,
  type NetworkConfig,
  parseNetworkConfig,
  type Subnet,
  subnetsOverlap,
  toIp4,
} from '@cluster/subnet'
import { describe, expect, it } from 'vitest'
import { acquireLease, isKvError } from '../src/acquire-lease.ts'
import { createEvents } from '../src/events.ts'
import { createKeyspace } from '../src/keyspace.ts'

/** `SUBNET_SEEDS=10000` runs as many. */
const seeds = Number(process.env['SUBNET_SEEDS'] ?? 500)

const configs: readonly NetworkConfig[] = [26, 27, 28].map((length) => {
  const reading = parseNetworkConfig(JSON.stringify({ Network: '10.5.0.0/24', SubnetLen: length }))
  if (!reading.ok) throw new Error(reading.error.text)
  return reading.value.config
})

const pick = <Item>(items: readonly Item[], random: Random): Item | undefined =>
  items[Math.floor(random.next() * items.length)]

type Machine = {
  readonly publicIp: Ip4
  readonly line: ModelKv
  owned: Subnet | undefined
  previous: Subnet | undefined
  life: AbortController
  run: Promise<void>
}

/** A lossy line: now and then requests take so long that they end with a timeout, and the write happens all the same. */
function disturb(line: ModelKv, random: Random): void {
  line.setUnavailable(random.next() < 0.15)
  line.setSlow(random.next() < 0.3 ? 1 + Math.floor(random.next() * 3_000) : 0)
}

/** A minute of machines that start at once over lossy lines, restart and start again. */
async function simulate(seed: number): Promise<{ readonly overlaps: readonly string[]; readonly owners: number }> {
  const random = seededRandom(seed)
  const clock = createManualClock()
  await using kv = createModelKv({ clock })
  const keyspace = createKeyspace('/coreos.com/network')
  const events = createEvents(silentLogger, silentMeter, '')
  const overlaps: string[] = []
  const isMixed = random.next() < 0.6
  const machines = Array.from(
    { length: 2 + Math.floor(random.next() * 3) },
    (_, index): Machine => ({
      publicIp: toIp4(0xc0_00_02_01 + index),
      line: kv.connect(),
      owned: undefined,
      previous: undefined,
      life: new AbortController(),
      run: Promise.resolve(),
    }),
  )
  const start = async (machine: Machine, config: NetworkConfig, delayMs: number): Promise<void> => {
    const { publicIp, line, life, previous } = machine
    await clock.sleep(delayMs, life.signal)
    if (life.signal.aborted) return
    const applicant = { config, publicIp, ...(previous === undefined ? {} : { previous }) }
    const attributes = { publicIp, backendType: 'host-gw' }
    const options = { kv: line, keyspace, applicant, attributes, deadlineMs: 600_000, clock, random, events }
    const lease = await acquireLease(options, life.signal).catch((error: unknown) => {
      // Nothing is free: this machine stays without.
      if (isKvError(error) || !String(error).includes('out of subnets')) throw error
      return undefined
    })
    if (lease === undefined || life.signal.aborted) return
    for (const other of machines) {
      if (other === machine || other.owned === undefined || !subnetsOverlap(other.owned, lease.subnet)) continue
      overlaps.push(`${describeSubnet(lease.subnet)} and ${describeSubnet(other.owned)}`)
    }
    machine.owned = lease.subnet
    machine.previous = lease.subnet
  }
  const restart = (machine: Machine, withinMs: number): void => {
    machine.life.abort()
    machine.life = new AbortController()
    machine.owned = undefined
    if (random.next() < 0.4) machine.previous = undefined
    const config = (isMixed ? pick(configs, random) : configs[seed % configs.length]) ?? configs[0]
    if (config === undefined) throw new Error('there is a configuration')
    const before = machine.run
    machine.run = Promise.all([before, start(machine, config, random.next() * withinMs)]).then(() => undefined)
  }
  for (const machine of machines) restart(machine, 50)
  for (let second = 0; second < 40; second++) {
    for (const machine of machines) {
      disturb(machine.line, random)
      if (random.next() < 0.05) restart(machine, 2_000)
    }
    await clock.advance(1_000)
  }
  for (const { line } of machines) {
    line.setUnavailable(false)
    line.setSlow(0)
  }
  await clock.advance(30_000)
  for (const { life } of machines) life.abort()
  await Promise.all(machines.map(({ run }) => run))
  return { overlaps, owners: machines.filter(({ owned }) => owned !== undefined).length }
}

describe('machines that start at once over lossy lines', () => {
  it(`never get overlapping subnets, in ${seeds} runs`, { timeout: 3_600_000 }, async () => {
    let owners = 0
    for (let seed = 0; seed < seeds; seed++) {
      const run = await simulate(seed)
      owners += run.owners
      expect({ seed, overlaps: run.overlaps }).toEqual({ seed, overlaps: [] })
    }
    expect(owners).toBeGreaterThan(seeds * 1.5)
  })
})
