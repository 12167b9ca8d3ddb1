/** A change of one lease is compared in its own scope; the outcome must be that of comparing everything. */
import { seededRandom } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createTestNetwork, prefix } from './test-overlay.ts'

const hex = (value: number): string => value.toString(16).padStart(2, '0')

describe.each([{ Type: 'vxlan' }, { Type: 'vxlan', DirectRouting: true }, { Type: 'host-gw' }])('%j', (backend) => {
  it.each([1, 2, 3, 4, 5])('leaves nothing to do after any batch of changes, seed %d', async (seed) => {
    const random = seededRandom(seed)
    const below = (count: number): number => Math.floor(random.next() * count)
    const network = createTestNetwork()
    await network.setConfig({ Network: '10.5.0.0/16', SubnetMin: '10.5.200.0', Backend: backend })
    const machine = network.start('10.78.0.11')
    await network.clock.advance(1000)
    for (let round = 0; round < 60; round++) {
      for (let count = below(4); count >= 0; count--) {
        const key = `${prefix}/subnets/10.5.${100 + below(6)}.0-${24 + below(2)}`
        // Few addresses, so that machines share and swap them.
        const value = {
          PublicIP: `10.${78 + below(2)}.0.${40 + below(3)}`,
          BackendType: below(8) === 0 ? 'ipip' : backend.Type,
          BackendData: { VtepMAC: `02:00:00:00:00:${hex(below(4) + 1)}` },
        }
        if (below(3) === 0) await network.kv.delete(key)
        else await network.kv.put(key, JSON.stringify(value))
      }
      await network.clock.advance(0)
      expect((await machine.flannel.plan()).lines, `seed ${seed}, round ${round}`).toEqual([])
    }
    expect(machine.flannel.status().kernel).toMatchObject({ repairs: 0, failures: [] })
    await network.stopAll()
  })
})
