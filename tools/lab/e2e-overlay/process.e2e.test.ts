/** flanneld as a process: exit codes, its log, what it says to systemd, health. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OverlayHost, OverlayLab } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, networkOf, openLab, prefix } from './open-lab.ts'

/** What an HTTP server inside a host's namespace answers. */
async function ask(host: OverlayHost, url: string): Promise<string> {
  const script = `fetch(process.argv[1]).then(async (answer) => console.log(answer.status, await answer.text()))`
  return (await host.network.run([process.execPath, '-e', script, url])).stdout.trimEnd()
}

describeOverlay('flanneld as a process', () => {
  it('is healthy before it is ready, and tells systemd when packets can travel, not before', async () => {
    await using lab = await openLab([1])
    const host = lab.host(1)
    const said = `${lab.folder}/said`
    // systemd-notify is what speaks to systemd; this one keeps what it is told.
    writeFileSync(`${lab.folder}/systemd-notify`, `#!/bin/sh\necho "$@" >> ${said}\n`)
    chmodSync(`${lab.folder}/systemd-notify`, 0o755)
    const path = `${lab.folder}${delimiter}${process.env['PATH'] ?? ''}`
    host.launch(['--healthz-port=8181', '--healthz-ip=127.0.0.1'], { PATH: path, NOTIFY_SOCKET: '/run/none' })
    const health = 'http://127.0.0.1:8181'
    await until(() => ask(host, `${health}/healthz`), {
      what: 'it lives',
      timeoutMs: 15_000,
      is: (answer) => answer === '200 flanneld is running',
    })
    expect(await ask(host, `${health}/readyz`)).toBe('503 flanneld is not ready yet')
    expect(existsSync(said)).toBe(false)
    await lab.store.put(`${prefix}/config`, JSON.stringify(networkOf({ Type: 'vxlan' })))
    await host.settle()
    expect(await ask(host, `${health}/readyz`)).toBe('200 flanneld is ready')
    expect(await ask(host, `${health}/metrics`)).toContain('flannel_ready{network=""} 1')
    await until(() => existsSync(said) && readFileSync(said, 'utf8').startsWith('READY=1'), {
      what: 'systemd is told',
      timeoutMs: 5000,
      is: (is) => is,
    })
    expect(await host.stop()).toBe(0)
    expect(readFileSync(said, 'utf8')).toContain('STOPPING=1')
  })

  it("says in flannel's words what scripts look for, in their order", async () => {
    await using lab = await openLab([1], networkOf({ Type: 'vxlan' }))
    await lab.host(1).start()
    await lab.host(1).stop()
    const lines = lab.host(1).log().trimEnd().split('\n')
    for (const line of lines) expect(line).toMatch(/^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ [\w.]+:\d+\] \S/)
    const wanted = [
      'Created subnet manager: Etcd Local Manager with Previous Subnet: 0.0.0.0/0',
      'Installing signal handlers',
      'Found network config - Backend type: vxlan',
      'Wrote subnet file to',
      'shutdownHandler sent cancel signal...',
      'Exiting cleanly...',
    ]
    const found = wanted.map((text) => lines.findIndex((line) => line.includes(`] ${text}`)))
    expect(found).toEqual([...found].sort((one, other) => one - other))
    expect(found).not.toContain(-1)
  })

  describe('that cannot start', () => {
    let lab: OverlayLab
    beforeAll(async () => {
      lab = await openLab([1], networkOf({ Type: 'vxlan' }))
    })
    afterAll(async () => lab?.[Symbol.asyncDispose]())

    it.each([
      [['--no-such-flag'], 2, 'flag provided but not defined: -no-such-flag'],
      [['--kube-subnet-mgr'], 2, '--etcd-endpoints'],
      [['--subnet-lease-renew-margin=1440'], 1, 'Invalid subnet-lease-renew-margin option, out of acceptable range'],
      [['--iface=none9', '--iface-wait=0'], 1, 'none9'],
      [['--etcd-cafile=/none.pem'], 1, '/none.pem'],
      [['--etcd-username=u', '--etcd-password-file=/none'], 1, '/none'],
      [['--healthz-port=2379', '--healthz-ip=10.78.0.99'], 1, '10.78.0.99'],
    ])('ends on %j with %d', async (flags, code, said) => {
      lab.host(1).launch(flags)
      expect([await lab.host(1).ended(), lab.host(1).log()]).toEqual([code, expect.stringContaining(said)])
      expect(await lab.store.list(`${prefix}/subnets`)).toEqual([])
    })
  })

  it('is planned before it is started, and answers for itself while it is stopped', async () => {
    await using lab = await openLab([1, 2], networkOf({ Type: 'vxlan' }))
    const [one, two] = [lab.host(1), lab.host(2)]
    await two.start()
    const before = await one.command(['plan', '--ip-masq'])
    expect([before.code, before.stderr]).toEqual([0, expect.stringContaining('10.78.0.11 has no lease')])
    expect(before.stdout).toContain('ip link add flannel.1')
    expect(before.stdout).toContain('masquerade')
    expect(await one.look(['ip', '-json', 'link', 'show', 'type', 'vxlan'])).toEqual([])
    expect(await lab.store.list(`${prefix}/subnets`)).toHaveLength(1)
    await one.start(['--ip-masq'])
    await one.stop()
    const after = await one.command(['plan'])
    expect([after.code, after.stdout, after.stderr]).toEqual([0, '', expect.stringContaining('no flanneld answers')])
    const status = await one.command(['status', '--output', 'json'])
    expect([status.code, JSON.parse(status.stdout)]).toMatchObject([
      1,
      { networks: [{ phase: 'stopped', peers: [{ publicIp: '10.78.0.12' }], problems: [] }] },
    ])
    expect(await one.command(['check', two.containerAddress()])).toMatchObject({ code: 0 })
    await one.network.ip(['link set flannel.1 down'])
    expect(await one.command(['check', two.containerAddress()])).toMatchObject({ code: 1 })
  })

  it('refuses a backend by name, and says what it has', async () => {
    await using lab = await openLab([1], networkOf({ Type: 'aws-vpc' }))
    lab.host(1).launch()
    expect(await lab.host(1).ended()).toBe(1)
    expect(lab.host(1).log()).toContain('aws-vpc')
  })
})
