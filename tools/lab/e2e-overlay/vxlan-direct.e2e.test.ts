import { testDataPlane } from './data-plane.ts'

testDataPlane({
  name: 'vxlan-direct',
  backend: { Type: 'vxlan', DirectRouting: true },
  mtu: 1450,
  ttl: 62,
  outlivesDaemon: true,
})
