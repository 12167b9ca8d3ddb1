import { defineConfig } from 'tsup'

/** One CommonJS file: it starts a few milliseconds faster and needs nothing beside it. */
export default defineConfig({
  entry: { kvd: 'src/main.ts', 'kvd-worker': 'src/worker.ts' },
  format: 'cjs',
  target: 'node20',
  platform: 'node',
  clean: true,
  noExternal: [/.*/],
  banner: { js: '#!/usr/bin/env node' },
  esbuildOptions(options) {
    options.conditions = ['@cluster/source']
  },
})
