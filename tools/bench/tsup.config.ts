import { defineConfig } from 'tsup'

/** A program that needs nothing beside it. */
export default defineConfig({
  entry: { bench: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  clean: true,
  noExternal: [/.*/],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  esbuildOptions(options) {
    options.conditions = ['@cluster/source']
  },
})
