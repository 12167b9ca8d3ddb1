/** flanneld as a process: exit codes, its log, what it says to systemd, health. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { expect, it } from 'vitest'
import type { OverlayHost } from '../src/overlay/index.ts'
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

  it.each([
    [['--no-such-flag'], 2, 'flag provided but not defined: -no-such-flag'],
    [['--kube-subnet-mgr'], 2, '--etcd-endpoints'],
    [['--subnet-lease-renew-margin=1440'], 1, 'Invalid subnet-lease-renew-margin option, out of acceptable range'],
    [['--iface=none9', '--iface-wait=0'], 1, 'none9'],
    [['--etcd-cafile=/none.pem'], 1, '/none.pem'],
    [['--etcd-username=u', '--etcd-password-file=/none'], 1, '/none'],
    [['--healthz-port=2379', '--healthz-ip=10.78.0.99'], 1, '10.78.0.99'],
  ])('ends on %j with %d', async (flags, code, said) => {
    await using lab = await openLab([1], networkOf({ Type: 'vxlan' }))
    lab.host(1).launch(flags)
    expect([await lab.host(1).ended(), lab.host(1).log()]).toEqual([code, expect.stringContaining(said)])
    expect(await lab.store.list(`${prefix}/subnets`)).toEqual([])
  })

  it('refuses a backend by name, and says what it has', async () => {
    await using lab = await openLab([1], networkOf({ Type: 'aws-vpc' }))
    lab.host(1).launch()
    expect(await lab.host(1).ended()).toBe(1)
    expect(lab.host(1).log()).toContain('aws-vpc')
  })
})
