/**
 * The tunnel on real kernels: four network namespaces as two machines with a container each. Needs root, ip and ping; the
 * namespaces have names of their own and are removed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UdpTunnelCounters } from '../src/udp-tunnel/tunnel.ts'
import { type Built, buildEntries } from './build-worker.ts'
import { makePacket } from './packets.ts'
import type { MachineAnswer, MachineRequest } from './tunnel-machine.ts'

/** Why these tests cannot run here, if so. */
function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    accessSync('/dev/net/tun', constants.R_OK)
    execFileSync('ip', ['netns', 'list'])
    execFileSync('ping', ['-V'])
    return undefined
  } catch (error) {
    return `needs /dev/net/tun, ip and ping: ${error instanceof Error ? error.message : ''}`
  }
}

const obstacle = findObstacle()
const prefix = `tun${process.pid}`
const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
const inside = (space: string, ...command: readonly string[]): string =>
  run('ip', 'netns', 'exec', `${prefix}${space}`, ...command)
const ip = (space: string, words: string): string => run('ip', '-n', `${prefix}${space}`, ...words.split(' '))

/** A process in a namespace; one request at a time. */
class Machine implements AsyncDisposable {
  readonly #child: ChildProcess
  constructor(space: string, file: string) {
    this.#child = spawn('ip', ['netns', 'exec', `${prefix}${space}`, process.execPath, file], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }
  ask(request: MachineRequest): Promise<MachineAnswer> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the machine ended'))
      this.#child.once('exit', onExit)
      this.#child.once('message', (answer: MachineAnswer) => {
        this.#child.off('exit', onExit)
        if (answer.error === undefined) resolve(answer)
        else reject(Object.assign(new Error(answer.error), { code: answer.code }))
      })
      this.#child.send(request)
    })
  }
  async counters(): Promise<UdpTunnelCounters> {
    const { counters } = await this.ask({ do: 'counters' })
    if (counters === undefined) throw new Error('no tunnel is open')
    return counters
  }
  [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.disconnect()
    return ended
  }
}

const spaces = ['a', 'b', 'ca', 'cb'] as const

describe.skipIf(obstacle !== undefined)(`two machines${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let built: Built
  const machines: Machine[] = []
  const machine = (index: number): Machine => {
    const found = machines[index]
    if (found === undefined) throw new Error(`no machine ${index}`)
    return found
  }
  const open = async (index: 0 | 1, more: { isBundling?: boolean } = {}): Promise<void> => {
    const [own, other] = index === 0 ? [1, 2] : [2, 1]
    const { device = '' } = await machine(index).ask({
      do: 'open',
      options: {
        address: `10.5.${own}.0`,
        bind: { address: `10.78.0.${own}`, port: 8285 },
        peers: [{ subnet: `10.5.${other}.0/24`, publicIp: `10.78.0.${other}` }],
        workerFile: built.file('worker'),
        ...more,
      },
    })
    const space = index === 0 ? 'a' : 'b'
    ip(space, `addr add 10.5.${own}.0/16 dev ${device}`)
    ip(space, `link set ${device} mtu 1472 up`)
  }
  const ping = (space: string, to: string, ...more: readonly string[]): string =>
    inside(space, 'ping', '-n', '-c', '3', '-i', '0.05', '-W', '2', ...more, to)

  beforeAll(async () => {
    built = await buildEntries({ worker: '../src/udp-tunnel/worker.ts', machine: './tunnel-machine.ts' })
    for (const space of spaces) {
      run('ip', 'netns', 'add', `${prefix}${space}`)
      ip(space, 'link set lo up')
    }
    const wire = (one: string, oneAddress: string, other: string, otherAddress: string): void => {
      ip(one, `link add to-${other} type veth peer name to-${one} netns ${prefix}${other}`)
      ip(one, `addr add ${oneAddress} dev to-${other}`)
      ip(other, `addr add ${otherAddress} dev to-${one}`)
      ip(one, `link set to-${other} up`)
      ip(other, `link set to-${one} up`)
    }
    wire('a', '10.78.0.1/24', 'b', '10.78.0.2/24')
    wire('a', '10.5.1.1/24', 'ca', '10.5.1.2/24')
    wire('b', '10.5.2.1/24', 'cb', '10.5.2.2/24')
    ip('b', 'addr add 10.78.0.9/24 dev to-a')
    ip('ca', 'route add default via 10.5.1.1')
    ip('cb', 'route add default via 10.5.2.1')
    for (const space of ['a', 'b']) inside(space, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    for (const space of ['a', 'b', 'ca', 'cb']) machines.push(new Machine(space, built.file('machine')))
  })
  afterAll(async () => {
    for (const one of machines) await one[Symbol.asyncDispose]()
    for (const space of spaces) run('ip', 'netns', 'del', `${prefix}${space}`)
    await built[Symbol.asyncDispose]()
  })

  it.each([
    ['bundles on both sides', true, true],
    ['one packet per call on the other side', true, false],
    ['one packet per call on both sides', false, false],
  ])('carries pings and streams with %s', async (_, isFirstBundling, isSecondBundling) => {
    await open(0, { isBundling: isFirstBundling })
    await open(1, { isBundling: isSecondBundling })
    // Two kernels forward, two threads pass on: each takes one from 64.
    expect(ping('ca', '10.5.2.2')).toMatch(/ttl=60 .*\n.*ttl=60 .*\n.*ttl=60 /)
    expect(ping('a', '10.5.2.0')).toContain('ttl=62')
    for (const [from, to, host] of [
      [2, 3, '10.5.2.2'],
      [3, 2, '10.5.1.2'],
    ] as const) {
      const { port = 0 } = await machine(to).ask({ do: 'listen' })
      const { hash } = await machine(from).ask({ do: 'transfer', host, port, bytes: 8 * 2 ** 20 })
      expect(await machine(to).ask({ do: 'received' })).toEqual({ hash })
    }
    const counters = await machine(0).counters()
    expect(counters.sentBytes).toBeGreaterThan(8 * 2 ** 20)
    if (isFirstBundling) expect(counters.deviceReads * 2).toBeLessThan(counters.sentPackets)
    await machine(0).ask({ do: 'close' })
    await machine(1).ask({ do: 'close' })
    expect(ip('a', 'link show type tun')).toBe('')
  })

  it('keeps to the length of the path', async () => {
    await open(0)
    await open(1)
    expect(ping('ca', '10.5.2.2', '-M', 'do', '-s', '1444')).toContain(' 0% packet loss')
    expect(() => ping('ca', '10.5.2.2', '-M', 'do', '-s', '1445')).toThrow()
    // Without "do not fragment" the kernel cuts before us.
    expect(ping('ca', '10.5.2.2', '-M', 'dont', '-s', '4000')).toContain(' 0% packet loss')
  })

  it('counts and drops what may not pass', async () => {
    const hexOf = (packet: Uint8Array): string => Buffer.from(packet).toString('hex')
    const good = makePacket({ protocol: 'udp', source: '10.5.2.2', destination: '10.5.1.2' })
    const foreign = makePacket({ protocol: 'udp', source: '10.5.3.2', destination: '10.5.1.2' })
    const dying = makePacket({ protocol: 'udp', source: '10.5.2.2', destination: '10.5.1.2', timeToLive: 1 })
    const before = (await machine(0).counters()).drops
    const send = (from: string, ...packets: readonly Uint8Array[]): Promise<MachineAnswer> =>
      machine(1).ask({ do: 'datagrams', from, to: '10.78.0.1', port: 8285, hex: packets.map(hexOf) })
    await send('10.78.0.9', good)
    await send(
      '10.78.0.2',
      good.subarray(0, 19),
      good.subarray(0, 25),
      Uint8Array.of(0x60, ...good.subarray(1)),
      foreign,
      dying,
    )
    // The last word of the queue: when it came through, so did all before it.
    ping('b', '10.5.1.0')
    const { drops } = await machine(0).counters()
    expect({
      'unknown-sender': drops['unknown-sender'] - before['unknown-sender'],
      'foreign-source': drops['foreign-source'] - before['foreign-source'],
      truncated: drops.truncated - before.truncated,
      'ttl-expired': drops['ttl-expired'] - before['ttl-expired'],
    }).toEqual({ 'unknown-sender': 1, 'foreign-source': 1, truncated: 2, 'ttl-expired': 1 })
    expect(drops['not-ipv4']).toBeGreaterThan(before['not-ipv4'])
  })

  it('answers "net unreachable" to what no peer takes, not to pings', async () => {
    const before = (await machine(0).counters()).unreachableAnswers
    const packet = { from: '10.5.1.2', to: '10.5.77.1', port: 9, hex: ['00'] }
    await machine(2).ask({ do: 'datagrams', ...packet })
    expect(() => ping('ca', '10.5.77.1', '-w', '1')).toThrow()
    const { unreachableAnswers, drops } = await machine(0).counters()
    expect([unreachableAnswers - before, drops['no-route'] > 1]).toEqual([1, true])
  })

  it('uses a new table from the next packet on', async () => {
    await machine(0).ask({ do: 'peers', peers: [] })
    expect(() => ping('ca', '10.5.2.2', '-w', '1')).toThrow()
    await machine(0).ask({ do: 'peers', peers: [{ subnet: '10.5.2.0/24', publicIp: '10.78.0.2' }] })
    expect(ping('ca', '10.5.2.2')).toContain(' 0% packet loss')
  })

  it('refuses a port that is taken', async () => {
    const options = {
      address: '10.5.1.0',
      bind: { address: '10.78.0.1', port: 8285 },
      workerFile: built.file('worker'),
    }
    await expect(machine(2).ask({ do: 'open', options })).rejects.toMatchObject({ code: 'linux-net/udp-socket' })
  })

  it('says that it ended when its device is taken away', async () => {
    ip('a', 'link del flannel0')
    expect(await machine(0).ask({ do: 'end-reason' })).toEqual({ code: 'linux-net/tunnel-ended' })
    await machine(0).ask({ do: 'close' })
  })

  it('works with a proxy that knows nothing but one packet per datagram', async () => {
    await machine(1).ask({ do: 'close' })
    await open(0)
    await machine(1).ask({ do: 'answer-pings', address: '10.78.0.2', port: 8285 })
    expect(ping('ca', '10.5.2.2', '-s', '1000')).toContain(' 0% packet loss')
    expect(await machine(1).ask({ do: 'counters' })).toEqual({ sizes: [1028, 1028, 1028] })
  })
})
