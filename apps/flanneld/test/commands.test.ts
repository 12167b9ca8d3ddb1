/** The commands that need no daemon, as they are typed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryIo, runCommandLine } from '@cluster/cli'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commandNames } from '../src/command-names.ts'
import { commandLine, contextOf, spelledOut } from '../src/flanneld.ts'

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

it('says that nobody runs, and where it asked', async () => {
  for (const words of [['status'], ['plan'], ['check', '10.1.2.3']]) {
    const { code, stderr } = await run('--subnet-file', subnetFile, ...words)
    expect([code, stderr]).toEqual([1, expect.stringContaining(join(folder, 'subnet.sock'))])
  }
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
