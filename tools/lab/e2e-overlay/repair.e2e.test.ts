/** What somebody changes by hand comes back within ten seconds, is said, and shows in `flanneld check` and `plan` before. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OverlayHost, OverlayLab } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, networkOf, openLab } from './open-lab.ts'

describeOverlay('flanneld and a kernel changed by hand', () => {
  let lab: OverlayLab
  let one: OverlayHost
  let two: OverlayHost
  beforeAll(async () => {
    lab = await openLab([1, 2], networkOf({ Type: 'vxlan' }))
    one = lab.host(1)
    two = lab.host(2)
    await Promise.all([one.start(['--ip-masq', '--filter=nft']), two.start(['--ip-masq', '--filter=nft'])])
    await isWhole()
  })
  afterAll(async () => lab?.[Symbol.asyncDispose]())

  const isWhole = (): Promise<unknown> =>
    until(() => one.ping(two.containerAddress()), { what: 'packets pass', timeoutMs: 12_000, is: ({ ok }) => ok })

  it('tells of itself', async () => {
    const { code, stdout } = await one.command(['status', '--output', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      networks: [{ ready: true, network: '10.5.0.0/16', backend: 'vxlan', peers: [{ publicIp: '10.78.0.12' }] }],
    })
    expect((await one.command(['plan'])).stdout).toBe('')
    expect(await one.command(['check', two.containerAddress()])).toMatchObject({ code: 0 })
    expect(await one.command(['check', '10.78.0.12'])).toMatchObject({ code: 0 })
    const unknown = await one.command(['check', '10.9.9.9'])
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('10.9.9.9')])
  })

  it.each([
    ['a route deleted', ['route del 10.5.0.0/16 root']],
    ['the device down and up', ['link set flannel.1 down', 'link set flannel.1 up']],
    ['the device deleted', ['link del flannel.1']],
    ['the neighbours flushed', ['neigh flush dev flannel.1 nud permanent']],
    ['the address taken away', ['addr flush dev flannel.1']],
    [
      'the external link down and up',
      ['link set eth0 down', 'link set eth0 up', 'route replace default via 10.78.0.254'],
    ],
  ])('repairs %s', async (_, commands) => {
    const [route] = (await one.look(['ip', '-json', 'route', 'show', 'dev', 'flannel.1'])).map(({ dst }) => String(dst))
    await one.network.ip(commands.map((command) => command.replace('10.5.0.0/16 root', route ?? '')))
    await isWhole()
  })

  it('repairs a forwarding table that was emptied', async () => {
    const entries = await one.look(['bridge', '-json', 'fdb', 'show', 'dev', 'flannel.1'])
    for (const { mac, dst } of entries) {
      if (dst === undefined) continue
      await one.network.run(['bridge', 'fdb', 'del', String(mac), 'dev', 'flannel.1', 'dst', String(dst)])
    }
    await isWhole()
  })

  it('repairs rules that were deleted', async () => {
    const rules = async (): Promise<string> => (await one.network.run(['nft', 'list', 'ruleset'])).stdout
    const before = await rules()
    expect(before).toContain('masquerade')
    await one.network.run(['nft', 'flush', 'ruleset'])
    expect(await until(rules, { what: 'the rules are back', timeoutMs: 12_000, is: (now) => now !== '' })).toBe(before)
  })

  it('leaves foreign routes, devices and rules alone', async () => {
    await one.network.ip(['link add other type bridge', 'link set other up', 'route add 10.99.0.0/24 dev other'])
    await one.network.run(['nft', 'add', 'table', 'ip', 'other'])
    await one.stop()
    expect((await one.command(['cleanup'])).code).toBe(0)
    expect(await one.look(['ip', '-json', 'route', 'show', '10.99.0.0/24'])).toHaveLength(1)
    expect((await one.network.run(['nft', 'list', 'tables'])).stdout.trim()).toBe('table ip other')
    expect((await one.look(['ip', '-json', 'link'])).map(({ ifname }) => ifname)).not.toContain('flannel.1')
    expect(await one.look(['ip', '-json', 'link', 'show', 'type', 'bridge'])).toHaveLength(2)
  })
})
