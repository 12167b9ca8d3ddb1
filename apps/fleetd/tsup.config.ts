import { defineConfig } from 'tsup'
import { appFiles } from '../../tsup.program.config.ts'

/**
 * `fleetd.cjs` alone is enough with systemd and a store elsewhere; the process manager and the embedded store are files
 * of their own beside it, because they run on their own.
 */
export default defineConfig(
  appFiles({
    fleetd: 'src/main.ts',
    'fleetd-supervisor': 'src/supervisor.ts',
    'fleetd-store-worker': 'src/store-worker.ts',
  }),
)
