/** The libraries that promise to run in a browser, bundled for one. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { projectRoot } from './workspace-copy.ts'

/** Every import of each; what a package of ours needs comes from its sources. */
export const browserLibraries = {
  '@cluster/unit-file': ['@cluster/unit-file'],
  '@cluster/scheduler': ['@cluster/scheduler'],
  '@cluster/kv': ['@cluster/kv'],
  '@cluster/kv-store': ['@cluster/kv-store', '@cluster/kv-store/v2'],
  '@cluster/auth': ['@cluster/auth'],
} as const

export type BrowserLibrary = keyof typeof browserLibraries

/** All that a library exports, minified. Fails when anything in it cannot be had in a browser. */
export const bundleLibrary = (name: BrowserLibrary): Promise<string> =>
  bundle(browserLibraries[name].map((entry, index) => `export * as entry${index} from '${entry}'`).join('\n'))

/** One script; an import of `node:` or of a package that is not there is an error. */
export async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, loader: 'ts', resolveDir: join(projectRoot, 'tools/gates/test') },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'bundled',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    conditions: ['@cluster/source'],
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}
