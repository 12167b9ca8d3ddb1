/** Many machines, a store that is cut off, slow or loses keys, machines that restart: one seed reproduces everything. */
import { createModelKernel } from '@cluster/linux-net/state'
import { seededRandom } from '@cluster/prelude'
import { overlap4, parseNet4 } from '@cluster/subnet'
import { expect, it } from 'vitest'
import { createVolatileSubnetFile } from '../src/index.ts'
import { bareMachine, createTestNetwork, overlayRoutes, prefix, type TestMachine } from './test-overlay.ts'

const machineCount = 5
const rounds = 25

const subnetOf = (machine: TestMachine): string => machine.flannel.status().lease?.subnet ?? 'none'

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const below = (count: number): number => Math.floor(random.next() * count)
  const network = createTestNetwork()
  // Seven subnets for five machines, so that they meet.
  await network.setConfig({ Network: '10.5.0.0/22', SubnetLen: 25, Backend: { Type: 'vxlan' } })
  const addressOf = (at: number): string => `10.78.0.${at + 1}`
  const start = (at: number, before?: TestMachine): TestMachine =>
    network.start(addressOf(at), {
      seed: seed * 1000 + at + below(1_000_000),
      config: { onLeaseTaken: below(2) === 0 ? 'stop' : 'reallocate' },
      kernel: before?.kernel ?? createModelKernel({ initial: bareMachine(addressOf(at)) }),
      file: before !== undefined && below(3) > 0 ? before.file : createVolatileSubnetFile(),
    })
  const machines = Array.from({ length: machineCount }, (_, at) => start(at))

  const checkStore = async (): Promise<void> => {
    const keys = Object.keys(await network.leases())
    const nets = keys.flatMap((key) => parseNet4(key.replace('-', '/')) ?? [])
    const clash = nets.find((one, at) => nets.slice(at + 1).some((other) => overlap4(one, other)))
    expect(clash, `seed ${seed}: leases overlap: ${keys.join(' ')}`).toBeUndefined()
  }

  for (let round = 0; round < rounds; round++) {
    const at = below(machineCount)
    const machine = machines[at]
    if (machine === undefined) continue
    switch (below(6)) {
      case 0:
        machine.kv.setUnavailable(true)
        break
      case 1:
        machine.kv.setSlow(below(2) === 0 ? 300 : 2000)
        break
      case 2: {
        machine.kv.setUnavailable(false)
        machine.kv.setSlow(0)
        break
      }
      case 3: {
        const keys = Object.keys(await network.leases())
        const key = keys[below(keys.length)]
        if (key !== undefined) await network.kv.delete(`${prefix}/subnets/${key}`)
        break
      }
      case 4: {
        await machine.stop()
        machines[at] = start(at, machine)
        break
      }
      default:
        network.kv.compact()
    }
    await network.clock.advance(below(4000))
    await checkStore()
  }

  for (const [at, machine] of machines.entries()) {
    machine.kv.setUnavailable(false)
    machine.kv.setSlow(0)
    const end = machine.end()
    if (end === undefined) continue
    expect(end, `seed ${seed}`).toBe('lease-lost')
    machines[at] = start(at, machine)
  }
  await network.clock.advance(20_000)
  for (const [at, machine] of machines.entries()) {
    if (machine.end() === 'lease-lost') machines[at] = start(at, machine)
  }
  await network.clock.advance(80_000)
  await checkStore()
  const subnets = machines.map(subnetOf)
  expect(new Set(subnets).size, `seed ${seed}: ${subnets.join(' ')}`).toBe(machineCount)
  for (const machine of machines) {
    expect(machine.flannel.status().ready, `seed ${seed}: ${JSON.stringify(machine.log.slice(-3))}`).toBe(true)
    const own = subnetOf(machine)
    const reached = overlayRoutes(machine.kernel).map(({ destination }) => destination)
    for (const other of subnets) {
      if (other !== own) expect(reached, `seed ${seed}: ${own} reaches ${other}`).toContain(other)
    }
    expect(reached).not.toContain(own)
  }
  await network.stopAll()
}

it('no two machines own overlapping subnets, and all reach each other in the end', async () => {
  for (let seed = 1; seed <= 25; seed++) await simulate(seed)
}, 120_000)
