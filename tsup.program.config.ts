import type { Options } from 'tsup'

const program = {
  target: 'node20',
  platform: 'node',
  clean: true,
  esbuildOptions(options) {
    options.conditions = ['@cluster/source']
  },
} satisfies Options

/**
 * How every app is built: CommonJS files, which start a few milliseconds faster, with all that they need inside.
 * x11 and usocket are optional parts of dbus-next that nothing here reaches.
 */
export const appFiles = (entry: Readonly<Record<string, string>>): Options => ({
  ...program,
  entry: { ...entry },
  format: 'cjs',
  noExternal: [/^(?!(x11|usocket)$)/],
  external: ['x11', 'usocket'],
  banner: { js: '#!/usr/bin/env node' },
})

/** How every tool is built: ESM files with all that they need inside; CommonJS among that asks for `require`. */
export const toolFiles = (entry: Readonly<Record<string, string>>): Options => ({
  ...program,
  entry: { ...entry },
  format: 'esm',
  noExternal: [/.*/],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
})
