import { testDataPlane } from './data-plane.ts'

testDataPlane({ name: 'udp', backend: { Type: 'udp' }, mtu: 1472, ttl: 60, outlivesDaemon: false })
