import { defineConfig } from 'tsup'

/**
 * CommonJS: it starts a few milliseconds faster. `fleetd.cjs` alone is enough with systemd and a store elsewhere; the
 * process manager and the embedded store are files of their own beside it, because they run on their own.
 */
export default defineConfig({
  entry: {
    fleetd: 'src/main.ts',
    'fleetd-supervisor': 'src/supervisor.ts',
    'fleetd-store-worker': 'src/store-worker.ts',
  },
  format: 'cjs',
  target: 'node20',
  platform: 'node',
  clean: true,
  noExternal: [/^(?!(x11|usocket)$)/],
  external: ['x11', 'usocket'],
  banner: { js: '#!/usr/bin/env node' },
  esbuildOptions(options) {
    options.conditions = ['@cluster/source']
  },
})
