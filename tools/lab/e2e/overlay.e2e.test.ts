/** The overlay from nothing: flanneld by a unit file, a container's network on each machine, two units that talk over it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteKey, readValues } from '../src/store.ts'
import { until } from '../src/until.ts'
import { eachOnOne, fleetctl, fleetctlDone, freshCluster, machineNames, theLab, untilPlaces } from './scenario.ts'

const units = ['flanneld.service', 'container-network.service', 'answer.service', 'ask.service'] as const
const fileOf = (unit: string): string => `/opt/cluster/examples/overlay/${unit}`
const networkKey = '/coreos.com/network'

const empty = async (): Promise<void> => {
  await freshCluster()
  for (const key of [networkKey, '/services/overlay']) await deleteKey(theLab().names, key)
}

const run = (machine: string, ...command: readonly string[]): Promise<string> => theLab().run(machine, command)

const everywhere = <Value>(look: (machine: string) => Promise<Value>): Promise<readonly Value[]> =>
  Promise.all(machineNames.map(look))

const onEveryMachine = (unit: string) =>
  untilPlaces([unit], `${unit} on every machine`, (places) => places[unit]?.length === machineNames.length)

describe('the overlay of examples/overlay', () => {
  beforeAll(empty)
  afterAll(empty)

  it('has unit files to which neither lint nor systemd has anything to say', async () => {
    const { code, stdout, stderr } = await fleetctl(`lint ${units.map(fileOf).join(' ')}`)
    expect([code, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('0 errors, 0 warnings in 4 files')])
    const verified = await theLab().exec('m1', ['systemd-analyze', 'verify', '--man=no', ...units.map(fileOf)])
    expect(verified).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('comes up on every machine by its unit file, in a store that knew nothing of it', async () => {
    await fleetctlDone(`start ${fileOf('flanneld.service')}`)
    await onEveryMachine('flanneld.service')
    const keys = await readValues(theLab().names, networkKey)
    expect([...keys.keys()].filter((key) => key.startsWith(`${networkKey}/subnets/`))).toHaveLength(machineNames.length)
    // Ready means that the way to everybody known was there; who came later follows at once.
    await everywhere((machine) =>
      until(() => run(machine, 'flanneld', 'status', '--output', 'json'), {
        what: `${machine} knows the other two`,
        timeoutMs: 10_000,
        is: (status) => (status.match(/"path": "tunnel"/g) ?? []).length === machineNames.length - 1,
      }),
    )
  })

  it('carries what a unit on one machine says to a unit on another, by address, and each sees the other as it is', async () => {
    await fleetctlDone(`start ${fileOf('container-network.service')}`)
    await onEveryMachine('container-network.service')
    await fleetctlDone(`start ${fileOf('answer.service')} ${fileOf('ask.service')}`)
    const both = ['answer.service', 'ask.service']
    const places = await untilPlaces(both, 'both units run', eachOnOne)
    const [answers = '', asks = ''] = both.map((unit) => places[unit]?.[0])
    expect(answers).not.toBe(asks)
    const heard = await until(() => run(asks, 'journalctl', '--unit=ask', '--output=cat', '--lines=1'), {
      what: 'ask.service hears answer.service',
      timeoutMs: 15_000,
      everyMs: 250,
      is: (line) => line.includes(' hears '),
    })
    const [there, here] = await Promise.all([answers, asks].map(addressOfBox))
    expect(heard.trim()).toBe(
      `${await hostname(asks)} hears http://${there}:8080: ${await hostname(answers)} to ${here}`,
    )
    expect(await run(asks, 'flanneld', 'check', there ?? '')).not.toContain('broken')
  })

  it('goes on while flanneld is stopped, and is gone after its units and a cleanup', async () => {
    const places = await untilPlaces(['ask.service'], 'it asks', eachOnOne)
    const [asks = ''] = places['ask.service'] ?? []
    await fleetctlDone('stop flanneld.service')
    await untilPlaces(['flanneld.service'], 'no flanneld', (now) => now['flanneld.service']?.length === 0)
    const since = (await run(asks, 'date', '+%s')).trim()
    await until(() => run(asks, 'journalctl', '--unit=ask', '--output=cat', `--since=@${since}`), {
      what: 'ask.service still hears',
      timeoutMs: 10_000,
      is: (lines) => lines.split('\n').filter((line) => line.includes(' hears ')).length >= 2,
    })
    await fleetctlDone(`destroy ${[...units].reverse().join(' ')}`)
    await untilPlaces(units, 'none of them anywhere', (now) => Object.values(now).every((on) => on.length === 0))
    const store = 'set -a; . /etc/cluster.env'
    const cleanup = 'flanneld cleanup --etcd-endpoints "$CLUSTER_STORE" --release-lease --public-ip "$CLUSTER_ADDRESS"'
    await everywhere((machine) => run(machine, 'sh', '-ec', `${store}; ${cleanup}`))
    const left = await everywhere((machine) => run(machine, 'sh', '-c', 'ip -o link; ip route; nft list tables'))
    expect(left.join('\n')).not.toMatch(/flannel|overlay|10\.5\./)
    expect([...(await readValues(theLab().names, `${networkKey}/subnets`)).keys()].filter(isLease)).toEqual([])
  })
})

const isLease = (key: string): boolean => /\d+-\d+$/.test(key)

const hostname = async (machine: string): Promise<string> => (await run(machine, 'hostname')).trim()

const addressOfBox = async (machine: string): Promise<string> => {
  const line = await run(machine, 'ip', '-n', 'box', '-o', '-4', 'address', 'show', 'dev', 'eth0')
  return /inet ([\d.]+)/.exec(line)?.[1] ?? ''
}
