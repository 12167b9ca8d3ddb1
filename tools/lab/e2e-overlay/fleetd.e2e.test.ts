/** The overlay inside fleetd: one machine keeps the store itself, the other asks it; both are in one network. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type OverlayHost, type OverlayLab, type RunningProgram, startProgram } from '../src/overlay/index.ts'
import { programs as labPrograms } from '../src/repository.ts'
import { until } from '../src/until.ts'
import { describeOverlay, openLab } from './open-lab.ts'

const ownStore = 'http://10.78.0.11:2379'

function startFleetd(lab: OverlayLab, number: 1 | 2, overlay: string, more: readonly string[]): RunningProgram {
  const folder = `${lab.folder}/fleetd${number}`
  mkdirSync(folder)
  const flags = [
    '--unit-manager=process',
    `--process-dir=${folder}/process`,
    `--state-dir=${folder}/state`,
    `--listen=unix://${folder}/fleet.sock`,
    `--overlay=${overlay}`,
    '--overlay-network=10.6.0.0/16',
    ...more,
  ]
  const script = 'mount -t tmpfs tmpfs /run; mount -t sysfs sysfs /sys; exec "$@"'
  const command = ['unshare', '--mount', 'sh', '-c', script, 'sh', process.execPath, labPrograms.fleetd, ...flags]
  return startProgram(lab.host(number).network.inside(command), `${folder}/log`)
}

/** Waits for the file in the /run of that fleetd, and sets the bridge up by it. */
async function join(host: OverlayHost, fleetd: RunningProgram): Promise<void> {
  const path = `/proc/${fleetd.pid}/root/run/flannel/subnet.env`
  await until(() => existsSync(path), { what: `a subnet:\n${fleetd.log()}`, timeoutMs: 20_000, is: (is) => is })
  writeFileSync(host.subnetFile, readFileSync(path))
  await host.bridgeUp()
}

describeOverlay('fleetd --overlay', () => {
  it.each([
    ['vxlan', 62],
    ['udp', 60],
  ])('%s makes the network, and packets pass between machines', async (overlay, ttl) => {
    await using lab = await openLab([1, 2])
    const [one, two] = [lab.host(1), lab.host(2)]
    const first = startFleetd(lab, 1, overlay, [
      `--store-dir=${lab.folder}/embedded`,
      `--store-listen=${new URL(ownStore).host}`,
      '--insecure-allow-network',
    ])
    const second = startFleetd(lab, 2, overlay, [`--etcd-servers=${ownStore}`])
    try {
      await Promise.all([join(one, first), join(two, second)])
      expect(one.variable('FLANNEL_NETWORK')).toBe('10.6.0.0/16')
      await until(() => one.ping(two.containerAddress()), {
        what: 'packets pass',
        timeoutMs: 15_000,
        is: ({ ok }) => ok,
      })
      expect(await two.ping(one.containerAddress())).toEqual({ ok: true, ttl })
      await Promise.all([first.stop(), second.stop()])
      // What was made stays when fleetd ends, but for the tunnel that is inside it.
      expect(await two.ping(one.containerAddress())).toMatchObject({ ok: overlay !== 'udp' })
    } finally {
      await Promise.all([first.stop('SIGKILL'), second.stop('SIGKILL')])
    }
  })
})
