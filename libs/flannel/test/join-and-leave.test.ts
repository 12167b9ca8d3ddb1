import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTestNetwork, overlayRoutes, prefix, subnetOf, type TestNetwork, vxlanConfig } from './test-overlay.ts'

let network: TestNetwork
beforeEach(async () => {
  network = createTestNetwork()
  await network.setConfig(vxlanConfig)
})
afterEach(() => network.stopAll())

it('a machine gets a subnet, a device and a subnet file', async () => {
  const machine = network.start('10.78.0.11')
  await network.clock.advance(100)
  expect(machine.end()).toBeUndefined()
  expect(machine.flannel.status()).toMatchObject({ phase: 'running', ready: true, mtu: 1450, device: 'flannel.1' })
  const subnet = subnetOf(machine)
  const mac = machine.kernel.state().links.find(({ name }) => name === 'flannel.1')?.mac
  expect(await network.leases()).toEqual({
    [subnet.replace('/', '-')]: { PublicIP: '10.78.0.11', BackendType: 'vxlan', BackendData: { VtepMAC: mac } },
  })
  expect(machine.file.text()).toBe(
    `FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=${subnet.replace('.0/', '.1/')}\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n`,
  )
  expect(machine.kernel.state().addresses).toContainEqual({
    device: 'flannel.1',
    address: subnet.replace('/24', '/32'),
  })
})

it('two machines reach each other by neighbour, forwarding entry and route', async () => {
  const one = network.start('10.78.0.11')
  const two = network.start('10.78.0.12')
  await network.clock.advance(100)
  const there = subnetOf(two)
  const gateway = there.replace('/24', '')
  const mac = two.kernel.state().links.find(({ name }) => name === 'flannel.1')?.mac
  expect(overlayRoutes(one.kernel)).toEqual([{ destination: there, gateway, device: 'flannel.1', onlink: true }])
  expect(one.kernel.state().neighbours).toMatchObject([{ device: 'flannel.1', ip: gateway, mac }])
  expect(one.kernel.state().forwarding).toEqual([{ device: 'flannel.1', mac, remote: '10.78.0.12' }])
})

it('a deleted lease takes its routes along', async () => {
  const one = network.start('10.78.0.11')
  const peer = { PublicIP: '10.78.0.40', BackendType: 'vxlan', BackendData: { VtepMAC: '02:00:00:00:00:40' } }
  await network.kv.put(`${prefix}/subnets/10.5.240.0-24`, JSON.stringify(peer))
  await network.clock.advance(100)
  expect(overlayRoutes(one.kernel)).toHaveLength(1)
  await network.kv.delete(`${prefix}/subnets/10.5.240.0-24`)
  await network.clock.advance(0)
  expect(overlayRoutes(one.kernel)).toEqual([])
  expect(one.kernel.state().neighbours).toEqual([])
  expect(one.kernel.state().forwarding).toEqual([])
})
