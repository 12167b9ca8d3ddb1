/** spec/flannel.md §12: scenarios 7, 8, 17, 18 and 19. */
import { createModelKernel } from '@cluster/linux-net/state'
import type { Clock } from '@cluster/prelude'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createVolatileSubnetFile, type FlannelConfig } from '../src/index.ts'
import {
  bareMachine,
  createTestNetwork,
  prefix,
  subnetOf,
  type TestMachine,
  type TestNetwork,
  vxlanConfig,
} from './test-overlay.ts'

let network: TestNetwork
beforeEach(async () => {
  network = createTestNetwork()
  await network.setConfig(vxlanConfig)
})
afterEach(() => network.stopAll())

/** Days pass quickly when nobody looks at the kernel every ten seconds. */
const calm: FlannelConfig = { lookIntervalMs: 3_600_000, filterIntervalMs: 3_600_000 }
const keyOf = (machine: TestMachine): string => `${prefix}/subnets/${subnetOf(machine).replace('/', '-')}`
const levels = (machine: TestMachine, level: string): readonly string[] =>
  machine.log.filter((line) => line.level === level).map(({ message }) => message)

describe('renewal', () => {
  it('comes an hour before the end, or a little earlier', async () => {
    const machine = network.start('10.78.0.11', { config: calm })
    await network.clock.advance(1000)
    expect((await network.kv.get(keyOf(machine)))?.ttlSeconds).toBeGreaterThan(86_000)
    await network.clock.advance(21 * 3_600_000)
    expect(machine.messages()).not.toContain('lease renewed')
    await network.clock.advance(2 * 3_600_000)
    expect(machine.messages()).toContain('lease renewed')
    expect((await network.kv.get(keyOf(machine)))?.ttlSeconds).toBeGreaterThan(82_000)
    expect(machine.end()).toBeUndefined()
  })

  it('is not done together by machines that were started together', async () => {
    const machines = Array.from({ length: 8 }, (_, at) => network.start(`10.78.0.${at + 1}`, { config: calm }))
    await network.clock.advance(5000)
    const waits = machines.map((machine) => Math.round(machine.flannel.status().lease?.renewsInSeconds ?? 0))
    expect(new Set(waits).size).toBeGreaterThan(6)
    expect(Math.min(...waits)).toBeGreaterThan(0.94 * 23 * 3600)
  })

  it('is done at once when somebody shortens the lease', async () => {
    const machine = network.start('10.78.0.11', { config: calm })
    await network.clock.advance(1000)
    const entry = await network.kv.get(keyOf(machine))
    await network.kv.put(keyOf(machine), entry?.value ?? '', { ttlSeconds: 30 })
    await network.clock.advance(1000)
    expect((await network.kv.get(keyOf(machine)))?.ttlSeconds).toBeGreaterThan(86_000)
  })

  it('never ends a reservation', async () => {
    const value = JSON.stringify({ PublicIP: '10.78.0.11' })
    await network.kv.put(`${prefix}/subnets/10.5.77.0-24`, value)
    const machine = network.start('10.78.0.11', { config: calm })
    await network.clock.advance(48 * 3_600_000)
    expect(subnetOf(machine)).toBe('10.5.77.0/24')
    expect((await network.kv.get(keyOf(machine)))?.ttlSeconds).toBeUndefined()
    expect(machine.flannel.status().lease).toEqual({ subnet: '10.5.77.0/24', key: keyOf(machine) })
  })
})

describe('the own key', () => {
  it('is made again at once when it vanishes', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    const before = await network.leases()
    await network.kv.delete(keyOf(machine))
    await network.clock.advance(10)
    expect(await network.leases()).toEqual(before)
    expect(levels(machine, 'warn')).toContain('our lease had vanished from the store and was made again')
  })

  it('is left to another machine that has taken it, and the service ends', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    const value = JSON.stringify({ PublicIP: '10.78.0.99', BackendType: 'vxlan' })
    await network.kv.put(keyOf(machine), value)
    await network.clock.advance(10)
    expect(machine.end()).toBe('lease-lost')
    expect((await network.kv.get(keyOf(machine)))?.value).toBe(value)
    expect(levels(machine, 'error')).toEqual(['another machine has our lease'])
    expect(machine.kernel.state().links.map(({ name }) => name)).toContain('flannel.1')
  })

  it('is not made again when another machine got a part of the subnet meanwhile', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    machine.kv.setUnavailable(true)
    await network.clock.advance(100)
    await network.kv.delete(keyOf(machine))
    const part = keyOf(machine).replace('.0-24', '.128-25')
    await network.kv.put(part, JSON.stringify({ PublicIP: '10.78.0.99', BackendType: 'vxlan' }))
    machine.kv.setUnavailable(false)
    await network.clock.advance(3000)
    expect(machine.end()).toBe('lease-lost')
    expect(Object.keys(await network.leases())).toEqual([part.slice(part.lastIndexOf('/') + 1)])
  })

  it('is given up for another subnet when the operator prefers that', async () => {
    const machine = network.start('10.78.0.11', { config: { onLeaseTaken: 'reallocate' } })
    await network.clock.advance(1000)
    const lost = subnetOf(machine)
    await network.kv.put(keyOf(machine), JSON.stringify({ PublicIP: '10.78.0.99', BackendType: 'vxlan' }))
    await network.clock.advance(1000)
    expect(machine.end()).toBeUndefined()
    expect(subnetOf(machine)).not.toBe(lost)
    expect(machine.flannel.status()).toMatchObject({ ready: true, lease: { subnet: subnetOf(machine) } })
    expect(machine.kernel.state().addresses.filter(({ device }) => device === 'flannel.1')).toHaveLength(1)
  })

  it('is written back, with a warning, when a second machine has our public address', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    const ours = (await network.kv.get(keyOf(machine)))?.value
    const clone = JSON.stringify({
      PublicIP: '10.78.0.11',
      BackendType: 'vxlan',
      BackendData: { VtepMAC: '02:00:00:00:00:99' },
    })
    await network.kv.put(keyOf(machine), clone, { ttlSeconds: 86_400 })
    await network.clock.advance(10)
    expect((await network.kv.get(keyOf(machine)))?.value).toBe(ours)
    // The other one does the same: they must not do nothing else.
    const revision = network.kv.revision()
    await network.kv.put(keyOf(machine), clone, { ttlSeconds: 86_400 })
    await network.clock.advance(30_000)
    expect(network.kv.revision()).toBe(revision + 1)
    await network.clock.advance(40_000)
    expect((await network.kv.get(keyOf(machine)))?.value).toBe(ours)
    expect(machine.flannel.status().problems).toHaveLength(1)
    expect(levels(machine, 'warn')).toContain(
      'somebody else writes our lease under our public address; it is written back',
    )
  })

  it('is ours again after garbage was written to it', async () => {
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    const ours = (await network.kv.get(keyOf(machine)))?.value
    await network.kv.put(keyOf(machine), 'garbage')
    await network.clock.advance(10)
    expect((await network.kv.get(keyOf(machine)))?.value).toBe(ours)
  })
})

describe('a restart', () => {
  it.each([
    ['file kept', 'lease kept', true],
    ['file kept', 'lease lost', true],
    ['file lost', 'lease kept', true],
    ['file lost', 'lease lost', false],
  ])('after a reboot with %s and %s keeps the subnet: %s', async (file, lease, keeps) => {
    const first = network.start('10.78.0.11', { seed: 1 })
    await network.clock.advance(1000)
    const before = subnetOf(first)
    await first.stop()
    if (lease === 'lease lost') await network.kv.delete(keyOf(first))
    const again = network.start('10.78.0.11', {
      seed: 2,
      kernel: createModelKernel({ initial: bareMachine('10.78.0.11') }),
      file: createVolatileSubnetFile(file === 'file kept' ? first.file.text() : undefined),
    })
    await network.clock.advance(1000)
    expect(again.flannel.status().ready).toBe(true)
    expect(subnetOf(again) === before).toBe(keeps)
    expect(Object.keys(await network.leases())).toHaveLength(1)
  })

  it('changes nothing in the kernel', async () => {
    const first = network.start('10.78.0.11')
    network.start('10.78.0.12')
    await network.clock.advance(1000)
    await first.stop()
    const state = first.kernel.state()
    const applied = first.kernel.applied.length
    const again = network.start('10.78.0.11', { kernel: first.kernel, file: first.file })
    await network.clock.advance(1000)
    expect(again.flannel.status().ready).toBe(true)
    // only whether it may: this route is never there
    expect(first.kernel.applied.slice(applied)).toEqual(['route delete 10.5.0.0/32 proto 156 metric 4000000156'])
    expect(first.kernel.state()).toEqual(state)
  })

  it('of one machine after the other brings a new SubnetLen, and nobody ever overlaps', async () => {
    const machines = [11, 12, 13].map((host) => network.start(`10.78.0.${host}`))
    await network.clock.advance(1000)
    await network.setConfig({ ...vxlanConfig, SubnetLen: 26 })
    await network.clock.advance(100)
    for (const machine of machines) {
      expect(levels(machine, 'warn')).toContain(
        'the network configuration was changed; this machine goes on with the one it started with',
      )
      await machine.stop()
      const { kernel, file } = machine
      const address = kernel.state().addresses[0]?.address.split('/')[0] ?? ''
      network.start(address, { kernel, file })
      await network.clock.advance(2000)
      const keys = Object.keys(await network.leases())
      expect(keys).toHaveLength(3)
      expect(new Set(keys.map((key) => key.split('.').slice(0, 3).join('.'))).size).toBe(3)
    }
    expect(Object.keys(await network.leases()).every((key) => key.endsWith('-26'))).toBe(true)
  })
})

describe('a clock', () => {
  const shifted = (clock: Clock): { readonly clock: Clock; shift: (ms: number) => void } => {
    let byMs = 0
    return {
      clock: { ...clock, nowMs: () => clock.nowMs() + byMs },
      shift: (ms) => {
        byMs += ms
      },
    }
  }

  it.each([86_400_000, -86_400_000])('that jumps by %d ms costs one look at the store', async (jumpMs) => {
    const { clock, shift } = shifted(network.clock)
    const machine = network.start('10.78.0.11', { clock, config: calm })
    await network.clock.advance(1000)
    const revision = network.kv.revision()
    shift(jumpMs)
    await network.clock.advance(600_000)
    expect(network.kv.revision()).toBe(revision)
    expect(machine.end()).toBeUndefined()
    await network.clock.advance(24 * 3_600_000)
    expect(network.kv.revision()).toBe(revision + 1)
  })

  it('that stood still for 25 hours, while the lease ended, gets the lease again', async () => {
    // A suspended machine: its monotonic clock does not move, the store's does.
    const { clock, shift } = shifted(network.clock)
    const machine = network.start('10.78.0.11', { clock, config: calm })
    await network.clock.advance(1000)
    const before = await network.leases()
    machine.kv.setUnavailable(true)
    await network.clock.advance(100)
    await network.kv.delete(keyOf(machine))
    shift(25 * 3_600_000)
    machine.kv.setUnavailable(false)
    await network.clock.advance(40_000)
    expect(await network.leases()).toEqual(before)
    expect(machine.end()).toBeUndefined()
  })
})
