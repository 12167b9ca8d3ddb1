import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { vectors: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  clean: true,
  noExternal: [/./],
  esbuildOptions(options) {
    options.conditions = ['@cluster/source']
  },
})
