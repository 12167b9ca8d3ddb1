/** Node starts no TypeScript worker: the store's worker, bundled into a folder that lives as long as the tests of a file. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export type Built = AsyncDisposable & { readonly directory: string; readonly file: (name: string) => string }

/** Bundles entries of `src` or `test`, given as name and path from this folder. */
export async function buildEntries(entries: Readonly<Record<string, string>>): Promise<Built> {
  const directory = await mkdtemp(join(tmpdir(), 'kv-server-'))
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [name, fileURLToPath(new URL(path, import.meta.url))]),
    ),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@cluster/source'],
    logLevel: 'silent',
  })
  return {
    directory,
    file: (name) => join(directory, `${name}.mjs`),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** The worker alone. */
export const buildWorker = (): Promise<Built> => buildEntries({ worker: '../src/worker.ts' })
