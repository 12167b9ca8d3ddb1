/**
 * What each browser library adds to a page: everything it exports and needs, minified, as brotli sends it. The limits
 * leave a tenth above what was measured; whoever raises one says in the commit what the bytes buy.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import filePlugin from '@size-limit/file'
import sizeLimit from 'size-limit'
import { expect, it } from 'vitest'
import { type BrowserLibrary, bundleLibrary } from './browser-bundle.ts'

const limits: readonly (readonly [BrowserLibrary, number])[] = [
  ['@cluster/unit-file', 78_000],
  ['@cluster/scheduler', 26_000],
  ['@cluster/kv', 4_800],
  ['@cluster/kv-store', 15_200],
  ['@cluster/auth', 1_900],
]

it.each(limits)('%s is at most %i bytes', async (name, bytesMax) => {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-size-'))
  try {
    const file = join(folder, 'bundle.js')
    writeFileSync(file, await bundleLibrary(name))
    const [measured]: readonly { readonly size: number }[] = Object.values(await sizeLimit([filePlugin], [file]))
    expect(measured?.size).toBeLessThanOrEqual(bytesMax)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
