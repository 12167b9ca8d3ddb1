/** What only our own store promises: a full disk is survived, and systemd can run it as a unit. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storeRequest } from '../src/store.ts'
import { unitOn } from '../src/unit-on-machine.ts'
import { until } from '../src/until.ts'
import {
  everyMachineListed,
  fleetctl,
  fleetctlDone,
  freshCluster,
  livesOf,
  presenceTtlMs,
  service,
  stayTheSame,
  theLab,
  untilPlaces,
} from './scenario.ts'

beforeEach(freshCluster)

describe('kvd with a full disk', () => {
  const files = { 'plain.service': service(), 'every.service': service('[X-Fleet]\nGlobal=true\n') }
  const units = ['plain.service', 'every.service']

  it('stops no unit, has fleetctl say what is wrong, and takes orders again when there is room', async () => {
    await fleetctlDone(`start ${units.join(' ')}`, { files })
    await untilPlaces(units, 'all units up', (places) => {
      return places['plain.service']?.length === 1 && places['every.service']?.length === 3
    })
    const before = await livesOf(units)
    const put = () => storeRequest(theLab().names, 'PUT', '/v2/keys/one-more', { value: 'x' })
    const daemons = await livesOf(['fleetd.service'])

    await theLab().fillStoreDisk()
    const refusal = await until(put, { what: 'a write refused', timeoutMs: 30_000, is: ({ status }) => status >= 400 })
    expect(refusal.text).toContain('no space')
    // What is there can be read, and given up.
    expect((await storeRequest(theLab().names, 'GET', '/v2/keys/one-more')).status).toBe(200)
    expect((await storeRequest(theLab().names, 'DELETE', '/v2/keys/one-more')).status).toBe(200)
    await stayTheSame(units, before, presenceTtlMs * 3)
    const refused = await fleetctl('start late.service', { files: { 'late.service': service() } })
    expect(refused.code).toBe(1)
    expect(`${refused.stderr}${refused.stdout}`).toContain('no space')

    await theLab().freeStoreDisk()
    await everyMachineListed()
    await fleetctlDone('start late.service', { files: { 'late.service': service() } })
    await untilPlaces(['late.service'], 'the late order obeyed', (places) => places['late.service']?.length === 1)
    await stayTheSame(units, before, presenceTtlMs * 2)
    expect(await livesOf(['fleetd.service'])).toEqual(daemons)
  })
})

describe('kvd as a unit of systemd', () => {
  const unitFile = `[Unit]
Description=kvd: the store
After=lab-network.service

[Service]
Type=notify
NotifyAccess=all
DynamicUser=yes
StateDirectory=kvd
StateDirectoryMode=0700
RuntimeDirectory=kvd
ExecStart=/usr/local/bin/node /opt/cluster/kvd.cjs --name=unit --data-dir=/var/lib/kvd/data \\
  --listen-client-urls=http://127.0.0.1:4379,unix:///run/kvd/kvd.sock --advertise-client-urls=http://127.0.0.1:4379
Restart=on-failure
RestartSec=200ms
LimitNOFILE=9000
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=yes
ProtectSystem=strict
`
  const place = '/run/systemd/system/kvd.service'
  const run = (...words: readonly string[]): Promise<string> => theLab().run('m2', words)

  beforeEach(async () => {
    await theLab().run('m2', ['sh', '-c', `cat > ${place}`], { input: unitFile })
    await run('systemctl', 'daemon-reload')
    await run('systemctl', 'start', 'kvd')
  })
  afterEach(async () => {
    await theLab().exec('m2', ['systemctl', 'stop', 'kvd'])
    await run('rm', '-rf', place, '/var/lib/private/kvd', '/var/lib/kvd')
    await run('systemctl', 'daemon-reload')
  })

  /** One request, asked inside the machine of the address or of the socket. */
  async function ask(method: string, path: string, socketPath?: string): Promise<string> {
    const at = socketPath === undefined ? { host: '127.0.0.1', port: 4379 } : { socketPath }
    const options = JSON.stringify({ method, path, ...at })
    const script = `require('node:http').request(${options}, (answer) => answer.pipe(process.stdout)).end()`
    return run('node', '-e', script)
  }
  const property = async (name: string): Promise<string> =>
    (await run('systemctl', 'show', `--property=${name}`, '--value', 'kvd')).trim()

  it('is ready when it answers, on its address and its socket, with the limits of the unit', async () => {
    expect(await property('ActiveState')).toBe('active')
    expect(await ask('GET', '/health')).toContain('true')
    expect(await ask('GET', '/version', '/run/kvd/kvd.sock')).toContain('etcdserver')
    expect(await ask('GET', '/metrics')).toMatch(/^process_max_fds 9000$/m)
    expect((await run('stat', '-c', '%a', '/var/lib/private/kvd/data')).trim()).toBe('700')
    // systemd's range for users that live as long as their unit.
    const { mainPid } = await unitOn(theLab(), 'm2', 'kvd')
    expect(Number(await run('stat', '-c', '%u', `/proc/${mainPid}`))).toBeGreaterThanOrEqual(61_184)
  })

  it('ends in order when it is stopped, and has its keys when it is started again', async () => {
    await ask('PUT', '/v2/keys/kept?value=yes')
    await run('systemctl', 'stop', 'kvd')
    expect([await property('ActiveState'), await property('Result')]).toEqual(['inactive', 'success'])
    await run('systemctl', 'start', 'kvd')
    expect(await ask('GET', '/v2/keys/kept')).toContain('"value":"yes"')
  })

  it('killed with -9 is started again by systemd, with every key that it had answered', async () => {
    await ask('PUT', '/v2/keys/kept?value=yes')
    const before = await unitOn(theLab(), 'm2', 'kvd')
    await run('systemctl', 'kill', '-s', 'KILL', 'kvd')
    await until(() => unitOn(theLab(), 'm2', 'kvd'), {
      what: 'another kvd',
      timeoutMs: 20_000,
      is: ({ activeState, mainPid }) => activeState === 'active' && mainPid !== before.mainPid,
    })
    expect(await ask('GET', '/v2/keys/kept')).toContain('"value":"yes"')
  })

  it('asked to open what is no store fails to start, and its journal says why', async () => {
    await run('systemctl', 'stop', 'kvd')
    await run('sh', '-c', 'rm -rf /var/lib/private/kvd/data && echo mine > /var/lib/private/kvd/data')
    const { code } = await theLab().exec('m2', ['systemctl', 'start', 'kvd'])
    expect(code).not.toBe(0)
    expect(await run('journalctl', '--unit=kvd', '--output=cat', '--lines=20')).toContain('/var/lib/kvd/data')
    await run('systemctl', 'stop', 'kvd')
  })
})
