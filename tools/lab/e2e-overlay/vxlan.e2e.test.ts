import { testDataPlane } from './data-plane.ts'

testDataPlane({ name: 'vxlan', backend: { Type: 'vxlan' }, mtu: 1450, ttl: 62, outlivesDaemon: true })
