import { defineConfig } from 'tsup'

/** One CommonJS file: it starts a few milliseconds faster and needs nothing beside it. */
export default defineConfig({
  entry: { fleetd: 'src/main.ts' },
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
