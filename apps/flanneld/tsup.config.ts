import { cpSync, existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig } from 'tsup'
import { appFiles } from '../../tsup.program.config.ts'

const { resolve } = createRequire(new URL('../../libs/linux-net/package.json', import.meta.url))

/** The folders of native files of the library for calls into C, one per machine type and C library that is installed. */
const nativeFolders = (): readonly string[] => {
  const packages = join(dirname(resolve('koffi')), '../@koromix')
  return readdirSync(packages)
    .filter((name) => /^koffi-linux-(x64|arm64)$/.test(name))
    .flatMap((name) => readdirSync(join(packages, name)).map((folder) => join(packages, name, folder)))
    .filter((folder) => existsSync(join(folder, 'koffi.node')))
}

const base = appFiles({ flanneld: 'src/main.ts', 'flanneld-udp-worker': 'src/udp-worker.ts' })

/**
 * The program, and the thread that moves the udp backend's packets. Only the thread calls into C; the native files that it
 * loads for that lie in folders beside it, named as the library names them.
 */
export default defineConfig({
  ...base,
  esbuildOptions(options, context) {
    base.esbuildOptions?.(options, context)
    // The form of the library for ESM asks for its own URL, which a CommonJS file has not.
    options.alias = { koffi: resolve('koffi') }
  },
  onSuccess: async () => {
    for (const folder of nativeFolders())
      cpSync(folder, join('dist', folder.slice(dirname(folder).length)), { recursive: true })
    cpSync(join(dirname(resolve('koffi')), 'LICENSE.txt'), 'dist/koffi-license.txt')
  },
})
