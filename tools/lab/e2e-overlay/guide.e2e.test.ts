/** Every procedure of docs/overlay.md, run as it stands there, on machines made of network namespaces. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addressOf, type HostNumber, type OverlayLab, openOverlayLab, ping, startPings } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { type GuideMachine, guideBlocks, guidePath, openGuideMachine, procedure } from './guide-machine.ts'
import { describeOverlay, prefix, programs } from './open-lab.ts'

const proceduresRunHere = [
  ...['network', 'join', 'look', 'docker', 'nspawn', 'podman', 'bridge', 'change-backend', 'change-network', 'replace'],
  ...['migrate', 'migrate-rules', 'cleanup', 'lost-lease', 'wrong-twin', 'right-twin', 'store-away'],
]

describe('the guide', () => {
  it('has no procedure that is not run here', () => {
    const marks = [...guideBlocks().keys()].filter((mark) => mark.startsWith('procedure:'))
    expect(marks.sort()).toEqual(proceduresRunHere.map((name) => `procedure:${name}`).sort())
  })

  it('links to documents that are there', () => {
    const links = [...readFileSync(guidePath, 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !existsSync(join(dirname(guidePath), link)))).toEqual([])
  })

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
  it.skipIf(!hasSystemd)('has a unit file that systemd accepts (needs systemd-analyze)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'overlay-guide-'))
    try {
      const unit = guideBlocks().get('unit:flanneld.service') ?? ''
      // The program is not on this machine.
      writeFileSync(`${folder}/flanneld.service`, unit.replace('/opt/flanneld/flanneld.cjs', process.execPath))
      const args = ['verify', '--man=no', `${folder}/flanneld.service`]
      const { stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
      expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('flanneld.service'))).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

type Story = AsyncDisposable & { readonly lab: OverlayLab; readonly machine: (number: HostNumber) => GuideMachine }

/** A lab whose machines have the words of the guide; nothing runs on them yet. */
async function openStory(hosts: readonly HostNumber[]): Promise<Story> {
  const lab = await openOverlayLab({ hosts, programs })
  const machines = new Map<HostNumber, GuideMachine>()
  const dispose = async (): Promise<void> => {
    for (const machine of machines.values()) await machine[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  }
  try {
    for (const number of hosts) machines.set(number, await openGuideMachine(lab, number))
  } catch (error) {
    await dispose()
    throw error
  }
  const machine = (number: HostNumber): GuideMachine => {
    const found = machines.get(number)
    if (found === undefined) throw new Error(`no machine ${number}`)
    return found
  }
  return { lab, machine, [Symbol.asyncDispose]: dispose }
}

/** The same with a network, every machine in it, and a container on each. */
async function openJoined(hosts: readonly HostNumber[]): Promise<Story> {
  const story = await openStory(hosts)
  const all = hosts.map(story.machine)
  try {
    await all[0]?.done(procedure('network'))
    await Promise.all(all.map((machine) => machine.done(procedure('join'))))
    await Promise.all(all.map((machine) => machine.bridge()))
    return story
  } catch (error) {
    await story[Symbol.asyncDispose]()
    throw error
  }
}

/** The settings that `procedure:join` writes. */
const settings = (): string => procedure('join').split('systemctl')[0] ?? ''

const talk = async (from: GuideMachine, to: GuideMachine): Promise<void> => {
  const address = await to.containerAddress()
  await until(() => ping(from.container, address), {
    what: `${await from.containerAddress()} reaches ${address}`,
    timeoutMs: 10_000,
    is: ({ ok }) => ok,
  })
}

const keyOf = async (machine: GuideMachine): Promise<string> =>
  (await machine.variable('FLANNEL_SUBNET')).replace(/\.1\/(\d+)$/, '.0-$1')

const keysOf = async ({ lab }: Story): Promise<readonly string[]> =>
  (await lab.store.list(`${prefix}/subnets`)).map(({ key }) => key.slice(`${prefix}/subnets/`.length))

describeOverlay('the procedures of docs/overlay.md', () => {
  it('bring the overlay up, show it, hand it to those who start containers, and take it away', async () => {
    await using story = await openJoined([1, 2])
    const [one, two] = [story.machine(1), story.machine(2)]
    await talk(one, two)
    const shown = await one.done(procedure('look'), { PEER: await two.containerAddress() })
    expect(shown).toContain('10.5.0.0/16 by vxlan, ready')
    expect(shown).toContain('10.78.0.12')

    const subnet = await one.variable('FLANNEL_SUBNET')
    await one.done(procedure('docker'))
    expect(await one.done('cat /run/docker_opts.env')).toBe(
      `DOCKER_OPT_BIP="--bip=${subnet}"\nDOCKER_OPT_IPMASQ="--ip-masq=false"\nDOCKER_OPT_MTU="--mtu=1450"\n`,
    )
    await one.done(procedure('nspawn'))
    expect(await one.done('cat /run/systemd/network/*')).toContain(`Address=${subnet}\n`)
    await one.done(procedure('podman'))
    const told = await one.done('cat "$MACHINE/others"')
    expect(told).toMatch(/^systemctl restart docker\nnetworkctl reload\npodman network create .* overlay\npodman run /)
    expect(told).toContain(`--gateway=${subnet.split('/')[0]} --opt=mtu=1450 --opt=mode=unmanaged overlay\n`)

    const key = await keyOf(one)
    const removed = await one.done(procedure('cleanup'))
    expect(removed).toContain(key)
    expect(await one.done('ip -o link; ip route; nft list tables; ls /run/flannel')).not.toMatch(/flannel|cluster-|env/)
    expect(await keysOf(story)).toEqual([await keyOf(two)])
  })

  it('change the backend, and the subnets stay', async () => {
    await using story = await openJoined([1, 2])
    const [one, two] = [story.machine(1), story.machine(2)]
    const before = await keysOf(story)
    expect(await one.done(procedure('change-backend'))).toContain('by host-gw, ready')
    await two.done('systemctl restart flanneld')
    await talk(one, two)
    expect(await keysOf(story)).toEqual(before)
    expect(await one.done('ip route')).toContain(`via ${addressOf(2)} dev eth0 proto 156`)
    expect(await one.done('ip -o link')).not.toContain('flannel')
  })

  it('change the network, and nothing of the old one is left', async () => {
    await using story = await openJoined([1, 2])
    const [one, two] = [story.machine(1), story.machine(2)]
    expect(await one.done(procedure('change-network'))).toMatch(/^FLANNEL_SUBNET=10\.6\.\d+\.1\/24$/m)
    await two.done('systemctl restart flanneld')
    await Promise.all([one.bridge(), two.bridge()])
    await talk(one, two)
    expect((await keysOf(story)).filter((key) => !key.startsWith('10.6.'))).toEqual([])
    expect(await one.done('ip address; ip route; nft list ruleset; cat /run/flannel/subnet.env')).not.toContain('10.5.')
  })

  it('replace a machine by one with its address, and by one with another', async () => {
    await using story = await openJoined([1, 2])
    const [one, two] = [story.machine(1), story.machine(2)]
    const [first, second] = [await keyOf(one), await keyOf(two)]
    await one.done('systemctl stop flanneld; flanneld cleanup; ip link delete overlay0')
    await one.done('systemctl start flanneld')
    expect(await keyOf(one)).toBe(first)

    // The dead one is away; what takes its place has another address and no traces of it.
    await two.done('systemctl stop flanneld; flanneld cleanup; ip link delete overlay0')
    await two.network.ip([
      `address delete ${addressOf(2)}/24 dev eth0`,
      'address add 10.78.0.22/24 dev eth0',
      'route replace default via 10.78.0.254',
    ])
    const address = { ADDRESS: '10.78.0.22' }
    await two.done(`${settings()}${procedure('replace')}`, { ...address, SUBNET: second })
    expect(await keyOf(two)).toBe(second)
    await Promise.all([one.bridge(), two.bridge()])
    await talk(one, two)
  })

  it('migrate from flannel 0.9.1 machine by machine, without a lost packet', async () => {
    await using story = await openStory([1, 2])
    const { lab } = story
    const [one, two] = [story.machine(1), story.machine(2)]
    const macs = ['02:42:0a:05:22:00', '02:42:0a:05:47:00']
    await lab.store.put(`${prefix}/config`, '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}')
    await originalOn(story, 1, { subnet: 34, mac: macs[0] ?? '' }, { subnet: 71, mac: macs[1] ?? '', address: 2 })
    await originalOn(story, 2, { subnet: 71, mac: macs[1] ?? '' }, { subnet: 34, mac: macs[0] ?? '', address: 1 })
    await Promise.all([one.bridge(), two.bridge()])
    await talk(one, two)

    const packets = startPings(one.container, await two.containerAddress())
    for (const machine of [one, two]) {
      const [before = '', after] = (await machine.done(procedure('migrate'))).split(/^SUBNET.*\n10\.5\..*\n/m)
      expect(before).toContain('10.5.0.0/16 by vxlan, ready')
      // Below the one peer of the status comes the plan: nothing differs.
      expect(after).toBe('')
      await talk(one, two)
    }
    for (const machine of [one, two]) await machine.done(procedure('migrate-rules'))
    const { sent, received } = await packets.stop()
    expect(received).toBe(sent)

    expect(await keysOf(story)).toEqual(['10.5.34.0-24', '10.5.71.0-24'])
    expect(await one.done('ip -o link show flannel.1')).toContain(macs[0])
    const routes = await one.done('ip route show dev flannel.1')
    expect(routes.trim()).toBe('10.5.71.0/24 via 10.5.71.0 proto 156 onlink')
    expect(await one.done('iptables-save')).not.toMatch(/^-A (POSTROUTING|FORWARD) .*-[sd] /m)
    await talk(two, one)
  })

  it('get a machine going whose lease was lost', async () => {
    await using story = await openJoined([1, 2])
    const [one, two] = [story.machine(1), story.machine(2)]
    const key = await keyOf(one)
    const other = '{"PublicIP":"10.78.0.99","BackendType":"vxlan","BackendData":{"VtepMAC":"02:42:00:00:00:63"}}'
    await story.lab.store.put(`${prefix}/subnets/${key}`, other, 600)
    expect(await one.done('while [ -e "$MACHINE/pid" ]; do sleep 0.05; done; cat "$MACHINE/exit"')).toBe('1\n')
    expect(one.journal()).toContain('another machine holds our subnet')
    const told = await one.done(procedure('lost-lease'), { SUBNET: key })
    expect(told).toContain('10.78.0.99')
    expect(await keyOf(one)).not.toBe(key)
    await one.bridge()
    await talk(one, two)
  })

  it('tell two machines with one address apart', async () => {
    await using story = await openStory([1, 2])
    const [right, wrong] = [story.machine(1), story.machine(2)]
    await right.done(`${procedure('network')}${procedure('join')}`)
    await wrong.done(`${settings()}echo FLANNELD_PUBLIC_IP=${addressOf(1)} >> "$CONFIG"; systemctl start flanneld`)
    expect(await keyOf(wrong)).toBe(await keyOf(right))
    await until(() => right.done('flanneld status || true'), {
      what: 'the first one says so',
      timeoutMs: 10_000,
      is: (status) => /^problem .*another machine writes our lease/m.test(status),
    })
    await wrong.done(procedure('wrong-twin'))
    expect(await right.done(procedure('right-twin'))).not.toContain('problem')
    await Promise.all([right.bridge(), wrong.bridge()])
    await talk(right, wrong)
  })

  it('need nothing while the store is away', async () => {
    await using story = await openJoined([1, 2])
    const [one, two] = [story.machine(1), story.machine(2)]
    const look = async (): Promise<string> => one.done(procedure('store-away'), { PEER: await two.containerAddress() })
    expect(await look()).toContain('"reachable": true')
    await story.lab.store.kill()
    await until(look, { what: 'it is noticed', timeoutMs: 15_000, is: (told) => told.includes('"reachable": false') })
    await talk(one, two)
    await story.lab.store.start()
    await until(look, { what: 'it is back', timeoutMs: 15_000, is: (told) => told.includes('"reachable": true') })
  })
})

/**
 * What flannel 0.9.1 leaves on a machine with one peer, as vectors/flannel-lab/vxlan-v0.9.1.json has it: lease, subnet
 * file, device, routes, entries and rules, with no process.
 */
async function originalOn(
  { lab, machine }: Story,
  number: HostNumber,
  own: { readonly subnet: number; readonly mac: string },
  peer: { readonly subnet: number; readonly mac: string; readonly address: HostNumber },
): Promise<void> {
  const value = { PublicIP: addressOf(number), BackendType: 'vxlan', BackendData: { VtepMAC: own.mac } }
  await lab.store.put(`${prefix}/subnets/10.5.${own.subnet}.0-24`, JSON.stringify(value), 86_400)
  await machine(number).done(`
    cat > "$CONFIG" <<END
FLANNELD_ETCD_ENDPOINTS=$STORE
FLANNELD_IFACE=$ADDRESS
FLANNELD_IP_MASQ=true
END
    mkdir -p /run/flannel
    cat > /run/flannel/subnet.env <<END
FLANNEL_NETWORK=10.5.0.0/16
FLANNEL_SUBNET=10.5.${own.subnet}.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
END
    ip link add flannel.1 address ${own.mac} type vxlan id 1 dev eth0 local $ADDRESS dstport 8472 nolearning
    ip address add 10.5.${own.subnet}.0/32 dev flannel.1
    ip link set flannel.1 up
    ip neighbour replace 10.5.${peer.subnet}.0 lladdr ${peer.mac} dev flannel.1 nud permanent
    bridge fdb replace ${peer.mac} dev flannel.1 dst ${addressOf(peer.address)} self permanent
    ip route add 10.5.${peer.subnet}.0/24 via 10.5.${peer.subnet}.0 dev flannel.1 onlink
    nat() { iptables -t nat -A POSTROUTING "$@"; }
    nat -s 10.5.0.0/16 -d 10.5.0.0/16 -j RETURN
    nat -s 10.5.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE
    nat ! -s 10.5.0.0/16 -d 10.5.${own.subnet}.0/24 -j RETURN
    nat ! -s 10.5.0.0/16 -d 10.5.0.0/16 -j MASQUERADE
    iptables -A FORWARD -s 10.5.0.0/16 -j ACCEPT
    iptables -A FORWARD -d 10.5.0.0/16 -j ACCEPT
  `)
}
