import { defineConfig } from 'tsup'
import { appFilesWithTunnel } from '../../tsup.program.config.ts'

/**
 * `fleetd.cjs` alone is enough with systemd and a store elsewhere; the process manager, the embedded store and the packets
 * of an overlay over udp are files of their own beside it, because they run on their own.
 */
export default defineConfig(
  appFilesWithTunnel({
    fleetd: 'src/main.ts',
    'fleetd-supervisor': 'src/supervisor.ts',
    'fleetd-store-worker': 'src/store-worker.ts',
    'fleetd-udp-worker': 'src/udp-worker.ts',
  }),
)
