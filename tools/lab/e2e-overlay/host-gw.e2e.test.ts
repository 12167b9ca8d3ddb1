import { testDataPlane } from './data-plane.ts'

testDataPlane({ name: 'host-gw', backend: { Type: 'host-gw' }, mtu: 1500, ttl: 62, outlivesDaemon: true })
