/** Who is masqueraded and what is forwarded (spec/flannel.md §8), with either packet filter. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OverlayHost, type OverlayLab, seenSource } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, networkOf, openLab } from './open-lab.ts'

const outside = '10.78.0.254'

describeOverlay('the filter rules of flanneld', () => {
  describe.each(['nft', 'iptables'])('in %s', (mode) => {
    let lab: OverlayLab
    let one: OverlayHost
    let two: OverlayHost
    beforeAll(async () => {
      lab = await openLab([1, 2], networkOf({ Type: 'vxlan' }))
      one = lab.host(1)
      two = lab.host(2)
      // As docker leaves it: what nobody accepts is not forwarded.
      for (const host of [one, two]) {
        if (mode === 'iptables') await host.network.run(['iptables', '-P', 'FORWARD', 'DROP'])
      }
      const flags = ['--ip-masq', `--filter=${mode}`]
      await Promise.all([one.start(flags), two.start(flags)])
      // Whoever is outside finds both subnets behind host 1.
      await lab.router.ip([
        `route add ${one.variable('FLANNEL_SUBNET').replace('.1/', '.0/')} via 10.78.0.11`,
        `route add ${two.variable('FLANNEL_SUBNET').replace('.1/', '.0/')} via 10.78.0.11`,
      ])
      await until(() => one.ping(two.containerAddress()), { what: 'packets pass', timeoutMs: 5000, is: ({ ok }) => ok })
    })
    afterAll(async () => lab?.[Symbol.asyncDispose]())

    const tunnelAddress = (): string => one.containerAddress().replace(/\.2$/, '.0')

    it('leaves the source alone inside the overlay', async () => {
      const seen = await seenSource({ from: one.container, to: two.container, address: two.containerAddress() })
      expect(seen).toBe(one.containerAddress())
    })

    it('hides it from the outside', async () => {
      expect(await seenSource({ from: one.container, to: lab.router, address: outside })).toBe('10.78.0.11')
    })

    it('leaves it alone towards multicast', async () => {
      const source = one.containerAddress().replace(/\.2$/, '.1')
      const address = '239.1.2.3'
      expect(await seenSource({ from: one.network, source, to: lab.router, address, joinedThrough: outside })).toBe(
        source,
      )
    })

    it('leaves the outside as it is towards the own subnet', async () => {
      const seen = await seenSource({ from: lab.router, to: one.container, address: one.containerAddress() })
      expect(seen).toBe(outside)
    })

    it('hides the outside, and the host, from the subnets of others, so that answers come back this way', async () => {
      const to = { to: two.container, address: two.containerAddress() }
      expect(await seenSource({ from: lab.router, ...to })).toBe(tunnelAddress())
      expect(await seenSource({ from: one.network, source: '10.78.0.11', ...to })).toBe(tunnelAddress())
    })
  })
})
