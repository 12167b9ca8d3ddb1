import { defineConfig } from 'tsup'

/** Programs that need nothing beside them. commander is CommonJS inside and asks for `require`. */
export default defineConfig({
  entry: { lab: 'src/main.ts', demo: 'src/demo-main.ts', 'local-demo': 'src/local-demo-main.ts' },
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
