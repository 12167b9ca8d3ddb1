/** Node starts no TypeScript: the tunnel's thread and its users, bundled into a folder that lives as long as a file's tests. */
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export type Built = AsyncDisposable & { readonly file: (name: string) => string }

/** Bundles entries given as name and path from this folder, and puts the native files of the calls into C beside them. */
export async function buildEntries(entries: Readonly<Record<string, string>>): Promise<Built> {
  const directory = await mkdtemp(join(tmpdir(), 'linux-net-'))
  const koffi = createRequire(import.meta.url).resolve('koffi')
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [name, fileURLToPath(new URL(path, import.meta.url))]),
    ),
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    conditions: ['@cluster/source'],
    alias: { koffi },
    logLevel: 'silent',
  })
  const native = join(dirname(koffi), `../@koromix/koffi-linux-${process.arch}`)
  for (const folder of existsSync(native) ? readdirSync(native) : []) {
    if (existsSync(join(native, folder, 'koffi.node')))
      cpSync(join(native, folder), join(directory, folder), { recursive: true })
  }
  return {
    file: (name) => join(directory, `${name}.cjs`),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}
