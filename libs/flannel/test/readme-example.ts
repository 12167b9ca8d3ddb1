import { createFlannel, createVolatileSubnetFile } from '@cluster/flannel'
import { createManualClock, createModelKv } from '@cluster/kv'
import { createModelKernel, emptyState } from '@cluster/linux-net/state'
import { seededRandom, silentLogger, silentMeter } from '@cluster/prelude'

// Store, kernel and clock in memory. In a daemon: connectEtcd2 of @cluster/kv-client, openKernel of @cluster/linux-net.
const clock = createManualClock()
const kv = createModelKv({ clock })
await kv.put('/coreos.com/network/config', '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}')

const eth0 = { name: 'eth0', kind: '', mtu: 1500, up: true }
const kernel = createModelKernel({ initial: { ...emptyState, links: [eth0] } })
const subnetFile = createVolatileSubnetFile('FLANNEL_SUBNET=10.5.34.1/24\n')
const flannel = createFlannel({
  kv,
  kernel,
  subnetFile,
  findExternal: async () => ({ device: 'eth0', mtu: 1500, interfaceAddress: '10.78.0.11', publicIp: '10.78.0.11' }),
  config: { masquerade: true },
  clock,
  random: seededRandom(1),
  log: silentLogger,
  meter: silentMeter,
})
const stop = new AbortController()
const running = flannel.run(stop.signal)
await clock.advance(1000)
console.log(subnetFile.text())

// Another machine joins: the original flanneld, as it happens.
const lease = '{"PublicIP":"10.78.0.12","BackendType":"vxlan","BackendData":{"VtepMAC":"02:00:00:00:00:12"}}'
await kv.put('/coreos.com/network/subnets/10.5.71.0-24', lease, { ttlSeconds: 86_400 })
await clock.advance(0)
for (const line of kernel.applied.slice(-3)) console.log(line)

// Somebody deletes the neighbour. What is broken on the way there? A second later: nothing any more.
kernel.disturb({
  kind: 'delete-neighbour',
  neighbour: { device: 'flannel.1', ip: '10.5.71.0', mac: '02:00:00:00:00:12' },
})
const { hops } = await flannel.check('10.5.71.9')
console.log(hops.map(({ name, state }) => `${name} ${state}`).join(', '))
await clock.advance(1000)
console.log('broken after a second:', (await flannel.check('10.5.71.9')).broken ?? 'nothing')

// The machine ends its service. Packets go on: only cleanup takes anything away.
stop.abort()
console.log(await running, '- routes left:', kernel.state().routes.length)
await kv[Symbol.asyncDispose]()
