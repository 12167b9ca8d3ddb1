import { defineConfig } from 'tsup'

/** CommonJS files: they start a few milliseconds faster and need nothing beside them. By the second name it is etcdctl. */
export default defineConfig({
  entry: { kvctl: 'src/main.ts', etcdctl: 'src/main.ts' },
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
