/** The commands as they are typed, where no daemon runs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryIo, runCommandLine } from '@cluster/cli'
import { createManualClock, createModelKv, type ModelKv } from '@cluster/kv'
import { createModelKernel, emptyState, type ModelKernel } from '@cluster/linux-net/state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commandNames } from '../src/command-names.ts'
import { commandLine, contextOf, spelledOut } from '../src/flanneld.ts'
import type { MachinePorts } from '../src/machine-ports.ts'

let folder = ''
let subnetFile = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flanneld-'))
  subnetFile = join(folder, 'subnet.env')
  writeFileSync(
    subnetFile,
    'FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=false\n',
  )
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function run(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = memoryIo()
  const { signal } = new AbortController()
  const code = await runCommandLine(commandLine, spelledOut(words), io, (flags) => contextOf(io, flags, signal))
  return { code, ...io.written }
}

const [bip, masquerade, mtu] = [
  'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
  'DOCKER_OPT_IPMASQ="--ip-masq=true"',
  'DOCKER_OPT_MTU="--mtu=1472"',
]
const all = '" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472"'

it("prints docker's options as mk-docker-opts.sh writes them", async () => {
  expect(await run('docker-opts', '-f', subnetFile)).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'DOCKER_OPT_BIP="--bip=10.1.74.1/24"',
      'DOCKER_OPT_IPMASQ="--ip-masq=true"',
      'DOCKER_OPT_MTU="--mtu=1472"',
      'DOCKER_OPTS=" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472"',
      '',
    ].join('\n'),
  })
  const target = join(folder, 'docker.env')
  expect(await run('docker-opts', '-f', subnetFile, '-d', target, '-c', '-m', '-k', 'OPTS')).toMatchObject({
    stdout: '',
  })
  expect(readFileSync(target, 'utf8')).toBe('OPTS=" --bip=10.1.74.1/24 --mtu=1472"\n')
})

it.each([
  [['-i'], [bip, masquerade, mtu]],
  [['-c'], [`DOCKER_OPTS=${all}`]],
  [
    ['-i', '-c'],
    [bip, masquerade, mtu, `DOCKER_OPTS=${all}`],
  ],
  [
    ['-k', 'CUSTOM_KEY'],
    [bip, masquerade, mtu, `CUSTOM_KEY=${all}`],
  ],
  [['-c', '-k', 'CUSTOM_KEY'], [`CUSTOM_KEY=${all}`]],
  [['-m'], [bip, mtu, 'DOCKER_OPTS=" --bip=10.1.74.1/24 --mtu=1472"']],
])('writes with %j what mk-docker-opts.sh does, to standard output and to a file', async (words, lines) => {
  const wanted = `${lines.join('\n')}\n`
  expect(await run('docker-opts', '-f', subnetFile, ...words)).toEqual({ code: 0, stderr: '', stdout: wanted })
  const target = join(folder, 'docker.env')
  expect(await run('docker-opts', '-f', subnetFile, '-d', target, ...words)).toEqual({
    code: 0,
    stderr: '',
    stdout: '',
  })
  expect(readFileSync(target, 'utf8')).toBe(wanted)
})

it('refuses an option that mk-docker-opts.sh has not, with its exit code', async () => {
  expect(await run('docker-opts', '-x')).toMatchObject({ code: 1, stderr: expect.stringContaining('-x') })
})

it('finds the subnet file by the flag of the daemon, too, and prints JSON', async () => {
  const { stdout } = await run('--subnet-file', subnetFile, 'docker-opts', '-i', '--output', 'json')
  expect(JSON.parse(stdout)).toMatchObject({ DOCKER_OPT_MTU: '--mtu=1472' })
})

it('prints no options where there is no file, as the helper does, but no network of podman', async () => {
  expect(await run('docker-opts', '-f', join(folder, 'none'))).toMatchObject({ code: 0, stdout: 'DOCKER_OPTS=""\n' })
  const { code, stderr } = await run('podman-opts', '-f', join(folder, 'none'))
  expect([code, stderr]).toEqual([1, expect.stringContaining('is not there')])
})

it('prints what podman and systemd-nspawn need, and writes files below a folder', async () => {
  expect((await run('podman-opts', '-f', subnetFile)).stdout).toContain('--subnet=10.1.74.0/24')
  expect((await run('nspawn-opts', '-f', subnetFile)).stdout).toContain('Address=10.1.74.1/24')
  expect(await run('nspawn-opts', '-f', subnetFile, '-d', folder)).toMatchObject({ code: 0, stdout: '' })
  expect(readFileSync(join(folder, 'run/systemd/network/70-overlay0.network'), 'utf8')).toContain('10.1.74.1/24')
})

describe('where no daemon runs', () => {
  const prefix = '/coreos.com/network'
  const peer = { PublicIP: '10.78.0.12', BackendType: 'host-gw' }
  const own = { PublicIP: '10.78.0.11', BackendType: 'host-gw' }
  let kv: ModelKv
  let kernel: ModelKernel
  let found: readonly string[] = []
  beforeEach(async () => {
    kv = createModelKv({ clock: createManualClock() })
    kernel = createModelKernel({
      initial: { ...emptyState, links: [{ name: 'eth0', kind: '', mtu: 1500, up: true }] },
    })
    await kv.put(`${prefix}/config`, '{"Network":"10.1.0.0/16","Backend":{"Type":"host-gw"}}')
    await kv.put(`${prefix}/subnets/10.1.9.0-24`, JSON.stringify(peer))
  })
  afterEach(() => kv[Symbol.asyncDispose]())

  /** The commands on a machine in memory. */
  async function runHere(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const io = memoryIo()
    const machine: MachinePorts = {
      openStore: async () => kv.connect(),
      openKernel: async () => kernel,
      findExternal:
        ({ external }) =>
        async () => {
          found = [...external.names, ...external.patterns]
          return { device: 'eth0', mtu: 1500, interfaceAddress: '10.78.0.11', publicIp: '10.78.0.11' }
        },
    }
    const { signal } = new AbortController()
    const code = await runCommandLine(commandLine, ['--subnet-file', subnetFile, ...words], io, (flags) => ({
      ...contextOf(io, flags, signal),
      machine,
    }))
    return { code, ...io.written }
  }
  const said = (): string =>
    `no flanneld answers at ${join(folder, 'subnet.sock')}: this is what the store and the kernel say`

  it('plans the first start and takes nothing', async () => {
    const { code, stdout, stderr } = await runHere(
      'plan',
      '--ip-masq',
      '--iface=eth0',
      '--iface',
      'eth1',
      '--iface-regex=a{1,2}',
    )
    expect(stderr.trimEnd().split('\n')).toEqual([
      said(),
      '10.78.0.11 has no lease; a start would ask for 10.1.74.0/24, that of the last run',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('ip route replace 10.1.9.0/24 via 10.78.0.12 dev eth0')
    expect(stdout).toContain('masquerade')
    expect(found).toEqual(['eth0', 'eth1', 'a{1,2}'])
    expect((await kv.range(`${prefix}/subnets`)).entries).toHaveLength(1)
    expect(kernel.applied).toEqual([])
  })

  it('masquerades in its plan when the last run did', async () => {
    expect((await runHere('plan')).stdout).not.toContain('masquerade')
    writeFileSync(subnetFile, 'FLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_IPMASQ=true\n')
    expect((await runHere('plan')).stdout).toContain('masquerade')
    expect((await runHere('plan', '--ip-masq=false')).stdout).not.toContain('masquerade')
  })

  it('tells status and the way to a peer', async () => {
    await kv.put(`${prefix}/subnets/10.1.74.0-24`, JSON.stringify(own), { ttlSeconds: 600 })
    const status = await runHere('status')
    expect([status.code, status.stderr.trimEnd()]).toEqual([1, said()])
    expect(status.stdout).toContain('overlay     10.1.0.0/16 by host-gw, not ready (stopped)')
    expect(status.stdout).toContain('subnet      10.1.74.0/24, ends in 10m0s')
    expect(status.stdout).toMatch(/10\.1\.9\.0\/24\s+10\.78\.0\.12\s+host-gw\s+direct/)
    const check = await runHere('check', '10.1.9.7', '--output', 'json')
    expect([check.code, JSON.parse(check.stdout)]).toMatchObject([1, { subnet: '10.1.9.0/24', broken: 'route' }])
    expect(await runHere('check', '10.1.8.7')).toMatchObject({ code: 1, stderr: expect.stringContaining('10.1.8.7') })
  })

  it('says that no lease is there to check from, and which flag cannot be', async () => {
    expect((await runHere('check', '10.1.9.7')).stderr).toContain('no lease belongs to 10.78.0.11')
    const { code, stderr } = await runHere('plan', '--filter=pf')
    expect([code, stderr]).toEqual([1, expect.stringContaining('expected one of auto, nft, iptables')])
  })
})

it('wants one peer, and an address for the lease to give back', async () => {
  expect(await run('check')).toMatchObject({ code: 2 })
  expect(await run('check', 'a', 'b')).toMatchObject({ code: 2 })
  expect(await run('cleanup', '--release-lease')).toMatchObject({ code: 2 })
})

it('completes in a shell', async () => {
  expect((await run('completion', 'bash')).stdout).toContain('docker-opts')
  expect(await run('completion', 'csh')).toMatchObject({ code: 2 })
})

it('knows the same commands as the daemon that hands over to it', () => {
  expect([...commandLine.commands.map(({ name }) => name), 'help'].sort()).toEqual([...commandNames].sort())
})
