/** What packets of every backend must do, on three machines: the same tests for each. */

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type OverlayHost, type OverlayLab, ping, startPings, transfer } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, networkOf, openLab, prefix } from './open-lab.ts'

export type BackendCase = {
  readonly name: string
  readonly backend: unknown
  readonly mtu: number
  /** As the sender sees it: what the two kernels and the tunnel have left of 64. */
  readonly ttl: number
  /** Whether packets go on while no daemon runs. */
  readonly outlivesDaemon: boolean
}

const numbers = [1, 2, 3] as const
const pairs = [
  [1, 2],
  [2, 3],
  [3, 1],
] as const

/** How long the store is away while packets must go on: several of the longest pauses between two attempts, 2 s. */
const storeAwaySeconds = Number(process.env['CLUSTER_OVERLAY_STORE_AWAY_SECONDS'] ?? 8)

const sizeBytes = 100 * 1000 * 1000

/** Declares the tests of one backend. */
export function testDataPlane({ name, backend, mtu, ttl, outlivesDaemon }: BackendCase): void {
  describeOverlay(name, () => {
    let lab: OverlayLab
    const host = (number: 1 | 2 | 3): OverlayHost => lab.host(number)
    const reaches = (from: OverlayHost, to: OverlayHost, what: string): Promise<unknown> =>
      until(() => from.ping(to.containerAddress()), { what, timeoutMs: 15_000, is: ({ ok }) => ok })

    beforeAll(async () => {
      lab = await openLab(numbers, networkOf(backend))
      await Promise.all(numbers.map((number) => host(number).start(['--ip-masq'])))
      for (const [one, other] of pairs) await reaches(host(one), host(other), `container ${other} can be reached`)
    })
    afterAll(async () => lab?.[Symbol.asyncDispose]())

    it('carries packets between all containers, and from every machine', async () => {
      for (const [one, other] of [...pairs, ...pairs.map(([from, to]) => [to, from] as const)]) {
        expect(await host(one).ping(host(other).containerAddress())).toEqual({ ok: true, ttl })
        expect(await ping(host(one).network, host(other).containerAddress())).toMatchObject({ ok: true })
      }
    })

    it('carries a packet of the MTU that must not be fragmented, and refuses a longer one where it starts', async () => {
      expect(host(1).variable('FLANNEL_MTU')).toBe(String(mtu))
      expect(await host(1).ping(host(2).containerAddress(), mtu)).toEqual({ ok: true, ttl })
      expect(await host(1).ping(host(2).containerAddress(), mtu + 1)).toMatchObject({ ok: false })
    })

    it('carries 100 MB through TCP between each two machines unharmed', async () => {
      const file = `${lab.folder}/data`
      writeFileSync(file, randomBytes(sizeBytes))
      for (const [one, other] of pairs) {
        const { isIntact } = await transfer(
          host(one).container,
          host(other).container,
          host(other).containerAddress(),
          file,
        )
        expect(isIntact).toBe(true)
      }
    })

    it('loses no packet while the store is away', async () => {
      const pings = startPings(host(1).container, host(2).containerAddress())
      await lab.store.kill()
      await delay(storeAwaySeconds * 1000)
      await lab.store.start()
      await delay(1000)
      const { sent, received } = await pings.stop()
      expect(sent).toBeGreaterThan(storeAwaySeconds * 50)
      expect(received).toBe(sent)
      expect(numbers.map((number) => host(number).isRunning())).toEqual([true, true, true])
    })

    if (outlivesDaemon) {
      it('loses no packet when flanneld is killed and started again', async () => {
        const pings = startPings(host(1).container, host(2).containerAddress())
        for (const number of [1, 2] as const) {
          expect(await host(number).stop('SIGKILL')).toBe('SIGKILL')
          await host(number).start(['--ip-masq'])
        }
        const { sent, received } = await pings.stop()
        expect(received).toBe(sent)
      })
    } else {
      it('carries packets again soon after flanneld was killed and started again', async () => {
        await host(1).stop('SIGKILL')
        await host(1).start(['--ip-masq'])
        await reaches(host(1), host(2), 'packets pass again')
      })
    }

    it('forgets a machine that leaves, and finds it again in its subnet when it returns', async () => {
      const [subnet, address] = [host(3).variable('FLANNEL_SUBNET'), host(3).containerAddress()]
      await host(3).stop()
      await lab.store.remove(`${prefix}/subnets/${subnet.replace(/\.1\/(\d+)$/, '.0-$1')}`)
      await until(() => host(1).ping(address), { what: 'nobody is there', timeoutMs: 5000, is: ({ ok }) => !ok })
      await host(3).start(['--ip-masq'])
      expect(host(3).variable('FLANNEL_SUBNET')).toBe(subnet)
      await reaches(host(1), host(3), 'packets pass again')
    })

    it('follows a machine to another address while all goes on', async () => {
      const before = host(3).variable('FLANNEL_SUBNET')
      await host(3).network.ip([
        'addr del 10.78.0.13/24 dev eth0',
        'addr add 10.78.0.23/24 dev eth0',
        'route replace default via 10.78.0.254',
      ])
      for (const from of [host(1), host(2)]) await reaches(from, host(3), 'packets go to the new address')
      // Over one link packets may pass by what the neighbours still remember, before the lease tells the new address.
      const holders = async (address: string): Promise<number> =>
        (await lab.store.list(`${prefix}/subnets`)).filter(({ value }) => value.includes(address)).length
      await until(async () => [await holders('10.78.0.13'), await holders('10.78.0.23')], {
        what: 'the lease tells the new address',
        timeoutMs: 15_000,
        is: ([old, current]) => old === 0 && current === 1,
      })
      expect(host(3).variable('FLANNEL_SUBNET')).toBe(before)
    })

    it('leaves nothing of itself behind on request', async () => {
      const devices = async (): Promise<readonly unknown[]> =>
        (await host(2).look(['ip', '-json', 'link'])).map(({ ifname }) => ifname)
      await host(2).stop()
      const { code, stderr } = await host(2).command(['cleanup'])
      expect([code, stderr]).toEqual([0, ''])
      expect(await devices()).toEqual(expect.not.arrayContaining([expect.stringMatching(/^flannel/)]))
      const routes = await host(2).look(['ip', '-json', 'route'])
      expect(
        routes.filter(
          ({ dev, gateway }) => String(dev).startsWith('flannel') || String(gateway).startsWith('10.78.0.1'),
        ),
      ).toEqual([])
      expect((await host(2).network.run(['nft', 'list', 'ruleset'])).stdout).toBe('')
      expect(host(2).subnetEnv()).toBe('')
    })
  })
}
