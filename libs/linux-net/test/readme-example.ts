import { commandText, createModelKernel, diff, emptyState, type NetworkState } from '@cluster/linux-net/state'

const ownership = {
  devices: [{ name: 'flannel.1', kind: 'vxlan' }],
  networks: ['10.5.0.0/16'],
  routeProtocol: '156',
} as const

// what this machine's network should look like: one device, and one other machine behind it
const vxlan = { vni: 1, underlay: 'eth0', local: '10.78.0.2', port: 8472, learning: false, gbp: false }
const desired: NetworkState = {
  links: [{ name: 'flannel.1', kind: 'vxlan', mtu: 1450, up: true, vxlan }],
  addresses: [{ device: 'flannel.1', address: '10.5.34.0/32' }],
  routes: [{ destination: '10.5.71.0/24', gateway: '10.5.71.0', device: 'flannel.1', onlink: true }],
  neighbours: [{ device: 'flannel.1', ip: '10.5.71.0', mac: '02:42:0a:05:47:00' }],
  forwarding: [{ device: 'flannel.1', mac: '02:42:0a:05:47:00', remote: '10.78.0.3' }],
}

// a kernel in memory; on a machine: await openKernel({ clock }) of @cluster/linux-net
const eth0 = { name: 'eth0', kind: '', mtu: 1500, up: true }
const kernel = createModelKernel({ initial: { ...emptyState, links: [eth0] } })
const plan = diff(desired, await kernel.observe(ownership), ownership)
for (const command of plan.commands) console.log(commandText(command))

const failures = await kernel.apply(plan.commands)
console.log('failed:', failures.length)

// the other machine got a new card
const moved: NetworkState = {
  ...desired,
  neighbours: [{ device: 'flannel.1', ip: '10.5.71.0', mac: '02:42:0a:05:47:99' }],
  forwarding: [{ device: 'flannel.1', mac: '02:42:0a:05:47:99', remote: '10.78.0.3' }],
}
const change = diff(moved, kernel.known() ?? (await kernel.observe(ownership)), ownership)
for (const command of change.commands) console.log(commandText(command))
