/**
 * Single behaviours of a flanneld whose store or neighbours are not as they should be. Most are the cases of
 * tools/vectors/sets/flannel-lab/behaviour-etcd.json; where that says "do not copy", the opposite is expected here.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { OverlayHost, OverlayLab } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, networkOf, openLab, prefix } from './open-lab.ts'

const vxlan = networkOf({ Type: 'vxlan' })
const subnets = `${prefix}/subnets`
const withinMs = 10_000

/** The lease of a machine that exists only as a key. */
const peer = (number: number, mac = number): string =>
  JSON.stringify({
    PublicIP: `10.78.0.${number}`,
    BackendType: 'vxlan',
    BackendData: { VtepMAC: `02:00:00:00:00:${mac.toString(16).padStart(2, '0')}` },
  })

const peerRoutes = async (host: OverlayHost): Promise<readonly string[]> =>
  (await host.look(['ip', '-json', 'route', 'show', 'dev', 'flannel.1'])).map(({ dst }) => String(dst)).sort()

const forwarding = async (host: OverlayHost): Promise<readonly string[]> =>
  (await host.look(['bridge', '-json', 'fdb', 'show', 'dev', 'flannel.1']))
    .filter(({ dst }) => dst !== undefined)
    .map(({ mac, dst }) => `${String(mac)} ${String(dst)}`)
    .sort()

const sees = (look: () => Promise<readonly string[]>, expected: readonly string[], what: string): Promise<unknown> =>
  until(look, { what, timeoutMs: withinMs, is: (found) => found.join() === expected.join() })

const ownKey = (host: OverlayHost): string =>
  `${subnets}/${host.variable('FLANNEL_SUBNET').replace(/\.1\/(\d+)$/, '.0-$1')}`

const lease = async (lab: OverlayLab, key: string) => (await lab.store.list(subnets)).find((one) => one.key === key)

/** A subnet file of an earlier life, so that no random subnet meets those of the tests. */
const remember = (host: OverlayHost, number: number): void =>
  writeFileSync(
    host.subnetFile,
    `FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.${number}.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n`,
  )

async function openRunning(): Promise<OverlayLab> {
  const lab = await openLab([1], vxlan)
  remember(lab.host(1), 10)
  await lab.host(1).start()
  return lab
}

describeOverlay('flanneld and what it finds in the store', () => {
  it('skips junk below subnets, once, and sees what comes after it', async () => {
    await using lab = await openRunning()
    const host = lab.host(1)
    await lab.store.put(`${subnets}/10.5.240.0-24`, peer(240), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24'], 'the first peer has a route')
    await lab.store.put(`${subnets}/foo`, 'bar')
    await lab.store.put(`${subnets}/0.0.0.0-0`, peer(239))
    await lab.store.put(`${subnets}/10.5.241.0-24`, peer(241), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24', '10.5.241.0/24'], 'the peer after the junk has one, too')
    await lab.store.remove(`${subnets}/foo`)
    await lab.store.remove(`${subnets}/10.5.240.0-24`)
    await sees(() => peerRoutes(host), ['10.5.241.0/24'], 'the first peer is gone')
    expect(host.log().match(/subnets\/foo/g)).toHaveLength(1)
  })

  it('compares everything when the history of the store is lost', async () => {
    await using lab = await openRunning()
    const host = lab.host(1)
    for (const number of [240, 241, 242]) await lab.store.put(`${subnets}/10.5.${number}.0-24`, peer(number), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24', '10.5.241.0/24', '10.5.242.0/24'], 'three peers')
    host.freeze()
    for (const number of [240, 241]) await lab.store.remove(`${subnets}/10.5.${number}.0-24`)
    await lab.store.put(`${subnets}/10.5.242.0-24`, peer(142, 42), 600)
    await lab.store.put(`${subnets}/10.5.243.0-24`, peer(243), 600)
    await Promise.all(
      Array.from({ length: 10 }, async (_, lane) => {
        for (let write = 0; write < 110; write += 1) await lab.store.put(`/elsewhere/${lane}`, String(write))
      }),
    )
    host.thaw()
    const expected = ['02:00:00:00:00:2a 10.78.0.142', '02:00:00:00:00:f3 10.78.0.243']
    await sees(() => forwarding(host), expected, 'the two that are left, as they are now')
    expect(await peerRoutes(host)).toEqual(['10.5.242.0/24', '10.5.243.0/24'])
  })

  it('goes on while the store is away, and sees a new peer soon after it is back', async () => {
    await using lab = await openRunning()
    const host = lab.host(1)
    await lab.store.put(`${subnets}/10.5.240.0-24`, peer(240), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24'], 'a peer')
    await lab.store.kill()
    await delay(3000)
    expect(await peerRoutes(host)).toEqual(['10.5.240.0/24'])
    await lab.store.start()
    await lab.store.put(`${subnets}/10.5.241.0-24`, peer(241), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24', '10.5.241.0/24'], 'the new peer')
    expect(host.isRunning()).toBe(true)
  })

  it('notices a store that was made anew, puts its lease there, and gives the others time to do so', async () => {
    await using lab = await openRunning()
    const host = lab.host(1)
    await lab.store.put(`${subnets}/10.5.240.0-24`, peer(240), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24'], 'a peer')
    await lab.store.kill()
    await lab.store.forget()
    await lab.store.start()
    await lab.store.put(`${prefix}/config`, JSON.stringify(vxlan))
    await lab.store.put(`${subnets}/10.5.241.0-24`, peer(241), 600)
    await sees(() => peerRoutes(host), ['10.5.240.0/24', '10.5.241.0/24'], 'the peers of both stores')
    await until(() => lease(lab, ownKey(host)), {
      what: 'our lease',
      timeoutMs: withinMs,
      is: (one) => one !== undefined,
    })
  })

  it('waits for a store, then for a configuration, then for one that can be read', async () => {
    await using lab = await openLab([1])
    await lab.store.kill()
    const host = lab.host(1)
    host.launch()
    await delay(500)
    await lab.store.start()
    await delay(500)
    await lab.store.put(`${prefix}/config`, '{"Network":"10.5')
    await delay(500)
    expect(host.isRunning()).toBe(true)
    await lab.store.put(`${prefix}/config`, JSON.stringify(vxlan))
    await host.settle()
    expect(host.variable('FLANNEL_NETWORK')).toBe('10.5.0.0/16')
  })

  it('ends at once on a signal while it waits', async () => {
    await using lab = await openLab([1])
    lab.host(1).launch()
    await until(() => lab.host(1).log(), { what: 'it waits', timeoutMs: withinMs, is: (log) => /config/.test(log) })
    expect(await lab.host(1).stop()).toBe(0)
  })

  it('keeps a reservation a reservation', async () => {
    await using lab = await openLab([1], vxlan)
    await lab.store.put(`${subnets}/10.5.77.0-24`, JSON.stringify({ PublicIP: '10.78.0.11' }))
    await lab.host(1).start()
    expect(lab.host(1).variable('FLANNEL_SUBNET')).toBe('10.5.77.1/24')
    expect(await lab.store.list(subnets)).toMatchObject([{ key: `${subnets}/10.5.77.0-24`, ttl: undefined }])
  })

  it('renews at once when somebody has cut its lease short', async () => {
    await using lab = await openRunning()
    const key = ownKey(lab.host(1))
    const before = await lease(lab, key)
    await lab.store.put(key, before?.value ?? '', 20)
    const after = await until(() => lease(lab, key), {
      what: 'the lease has a day again',
      timeoutMs: withinMs,
      is: (one) => (one?.ttl ?? 0) > 86_000,
    })
    expect(after?.value).toBe(before?.value)
  })

  it('ends with status 1 when another machine has its subnet, and leaves that machine its lease', async () => {
    await using lab = await openRunning()
    const key = ownKey(lab.host(1))
    await lab.store.put(key, peer(99))
    expect(await lab.host(1).ended()).toBe(1)
    expect(await lease(lab, key)).toMatchObject({ value: peer(99) })
    expect(lab.host(1).log()).toContain('10.78.0.99')
  })

  it('makes its lease again when somebody has deleted it', async () => {
    await using lab = await openRunning()
    const key = ownKey(lab.host(1))
    await lab.store.remove(key)
    await until(() => lease(lab, key), {
      what: 'the lease is back',
      timeoutMs: withinMs,
      is: (one) => one !== undefined,
    })
    expect(lab.host(1).isRunning()).toBe(true)
  })

  it('takes the subnet of its file again when its lease is gone, unless another machine has it now', async () => {
    await using lab = await openRunning()
    const host = lab.host(1)
    const key = ownKey(host)
    await host.stop()
    await lab.store.remove(key)
    await host.start()
    expect(host.variable('FLANNEL_SUBNET')).toBe('10.5.10.1/24')
    await host.stop()
    await lab.store.put(key, peer(99))
    await host.start()
    expect(host.variable('FLANNEL_SUBNET')).not.toBe('10.5.10.1/24')
    expect(await lease(lab, key)).toMatchObject({ value: peer(99) })
  })

  it('says so when two machines have one public address', async () => {
    await using lab = await openLab([1, 2], vxlan)
    await lab.host(1).start()
    lab.host(2).launch(['--public-ip=10.78.0.11'])
    await until(() => `${lab.host(1).log()}${lab.host(2).log()}`, {
      what: 'one of them complains',
      timeoutMs: withinMs,
      is: (logs) => /public address/.test(logs),
    })
  })

  it('refuses a network that lies over the own link, and touches nothing', async () => {
    await using lab = await openLab([1], { Network: '10.78.0.0/16', Backend: { Type: 'vxlan' } })
    lab.host(1).launch()
    expect(await lab.host(1).ended()).toBe(1)
    expect(lab.host(1).log()).toContain('10.78.0.0/24')
    expect(await lab.host(1).look(['ip', '-json', 'link', 'show', 'type', 'vxlan'])).toEqual([])
  })

  it('refuses a device of its name that is not its own, and leaves it alone', async () => {
    await using lab = await openLab([1], vxlan)
    await lab.host(1).network.ip(['link add flannel.1 type bridge'])
    lab.host(1).launch()
    expect(await lab.host(1).ended()).toBe(1)
    expect(lab.host(1).log()).toContain('flannel.1')
    expect(await lab.host(1).look(['ip', '-json', 'link', 'show', 'type', 'bridge'])).toHaveLength(1)
  })
})
