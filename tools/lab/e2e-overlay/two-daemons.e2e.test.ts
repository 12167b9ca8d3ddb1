/** Several overlays on one machine: two daemons with a prefix and a file each, and one daemon with several networks. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  addressOf,
  type OverlayLab,
  overlayStoreUrl,
  ping,
  type RunningProgram,
  startProgram,
} from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, openLab, programs } from './open-lab.ts'

const subnetOf = (file: string): string => /^FLANNEL_SUBNET=(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? ''

/** A daemon beside that of the lab; gives the running program once its files are there. */
async function startBeside(
  lab: OverlayLab,
  number: 1 | 2,
  files: readonly string[],
  flags: readonly string[],
): Promise<RunningProgram> {
  const command = [process.execPath, programs.flanneld, `--etcd-endpoints=${overlayStoreUrl}`, ...flags]
  const program = startProgram(lab.host(number).network.inside(command), `${lab.folder}/beside${number}.log`)
  await until(() => files.every((file) => existsSync(file)), {
    what: `the files are written: ${program.log()}`,
    timeoutMs: 15_000,
    is: (is) => is,
  })
  return program
}

/** Gives the first address of each subnet to a bridge of its own, as a container's would stand for it. */
const holdAddress = (lab: OverlayLab, number: 1 | 2, device: string, subnet: string): Promise<void> =>
  lab
    .host(number)
    .network.ip([
      `link add ${device} type bridge`,
      `addr add ${subnet.replace(/\/\d+$/, '/32')} dev ${device}`,
      `link set ${device} up`,
    ])

const isReached = (lab: OverlayLab, from: 1 | 2, to: string): Promise<unknown> =>
  until(() => ping(lab.host(from).network, to), { what: `${to} answers`, timeoutMs: 10_000, is: ({ ok }) => ok })

describeOverlay('several overlays on one machine', () => {
  it('lives beside another flanneld of another network, each with what is its own', async () => {
    await using lab = await openLab([1, 2], { Network: '10.5.0.0/16', Backend: { Type: 'vxlan' } })
    await lab.store.put('/other/config', '{"Network":"10.6.0.0/16","Backend":{"Type":"host-gw"}}')
    await Promise.all([lab.host(1).start(['--ip-masq']), lab.host(2).start(['--ip-masq'])])
    const file = (number: number): string => `${lab.folder}/other${number}.env`
    const beside = await Promise.all(
      ([1, 2] as const).map((number) =>
        startBeside(
          lab,
          number,
          [file(number)],
          ['--etcd-prefix=/other', `--subnet-file=${file(number)}`, '--ip-masq'],
        ),
      ),
    )
    try {
      const subnet = subnetOf(file(2))
      await holdAddress(lab, 2, 'other0', subnet)
      await isReached(lab, 1, subnet.replace(/\/\d+$/, ''))
      await isReached(lab, 1, lab.host(2).containerAddress())
      // What one daemon takes away is only its own.
      await lab.host(1).stop()
      expect((await lab.host(1).command(['cleanup'])).code).toBe(0)
      await isReached(lab, 1, subnet.replace(/\/\d+$/, ''))
    } finally {
      await Promise.all(beside.map((program) => program.stop('SIGKILL')))
    }
  })

  it('runs several networks in one daemon', async () => {
    await using lab = await openLab([1, 2])
    await lab.store.put('/nets/blue/config', '{"Network":"10.7.0.0/16","Backend":{"Type":"host-gw"}}')
    await lab.store.put('/nets/green/config', '{"Network":"10.8.0.0/16","Backend":{"Type":"vxlan","VNI":7}}')
    const folder = (number: number): string => `${lab.folder}/nets${number}`
    const files = (number: number): readonly string[] =>
      ['blue', 'green'].map((name) => `${folder(number)}/${name}.env`)
    const flags = ['--etcd-prefix=/nets', '--networks=blue,green']
    const daemons = await Promise.all(
      ([1, 2] as const).map((number) =>
        startBeside(lab, number, files(number), [...flags, `--subnet-dir=${folder(number)}`]),
      ),
    )
    try {
      for (const [index, file] of files(2).entries()) {
        await holdAddress(lab, 2, `net${index}`, subnetOf(file))
        await isReached(lab, 1, subnetOf(file).replace(/\/\d+$/, ''))
      }
      expect((await lab.store.list('/nets/green/subnets')).map(({ value }) => value).join()).toContain(addressOf(2))
      expect(await Promise.all(daemons.map((daemon) => daemon.stop()))).toEqual([0, 0])
    } finally {
      await Promise.all(daemons.map((daemon) => daemon.stop('SIGKILL')))
    }
  })
})
