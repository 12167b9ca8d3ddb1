import { defineConfig } from 'tsup'

/** How every library is built: one ESM file per entry, with its types. */
export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'node20',
  dts: true,
  sourcemap: true,
  clean: true,
})
