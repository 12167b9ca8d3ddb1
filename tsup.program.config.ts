import { cpSync, existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
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

/**
 * As `appFiles`, for apps one of whose files is the thread that moves the udp tunnel's packets. Only that calls into C; the
 * native files that it loads for it lie in folders beside it, named as the library names them.
 */
export const appFilesWithTunnel = (entry: Readonly<Record<string, string>>): Options => {
  const base = appFiles(entry)
  const { resolve } = createRequire(new URL('./libs/linux-net/package.json', import.meta.url))
  return {
    ...base,
    esbuildOptions(options, context) {
      base.esbuildOptions?.(options, context)
      // The form of the library for ESM asks for its own URL, which a CommonJS file has not.
      options.alias = { koffi: resolve('koffi') }
    },
    onSuccess: async () => {
      for (const folder of nativeFolders(resolve('koffi')))
        cpSync(folder, join('dist', folder.slice(dirname(folder).length)), { recursive: true })
      cpSync(join(dirname(resolve('koffi')), 'LICENSE.txt'), 'dist/koffi-license.txt')
    },
  }
}

/** The folders of native files of the library for calls into C, one per machine type and C library that is installed. */
function nativeFolders(library: string): readonly string[] {
  const packages = join(dirname(library), '../@koromix')
  return readdirSync(packages)
    .filter((name) => /^koffi-linux-(x64|arm64)$/.test(name))
    .flatMap((name) => readdirSync(join(packages, name)).map((folder) => join(packages, name, folder)))
    .filter((folder) => existsSync(join(folder, 'koffi.node')))
}

/** How every tool is built: ESM files with all that they need inside; CommonJS among that asks for `require`. */
export const toolFiles = (entry: Readonly<Record<string, string>>): Options => ({
  ...program,
  entry: { ...entry },
  format: 'esm',
  noExternal: [/^(?!(x11|usocket)$)/],
  external: ['x11', 'usocket'],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
})
