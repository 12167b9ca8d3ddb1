/** A copy of the workspace's sources in a temporary folder, with the installed packages beside it, to plant faults in. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..')

export type WorkspaceCopy = Disposable & {
  readonly root: string
  /** Writes a file into the copy. */
  readonly plant: (path: string, text: string) => void
  readonly remove: (path: string) => void
}

const leftOut = new Set(['node_modules', 'dist', '.nx', '.git', 'coverage'])
const recordings = join(projectRoot, 'tools/vectors/sets')

export function copyWorkspace(): WorkspaceCopy {
  const root = mkdtempSync(join(tmpdir(), 'cluster-gates-'))
  for (const name of ['libs', 'apps', 'tools', 'test-support'])
    cpSync(join(projectRoot, name), join(root, name), {
      recursive: true,
      filter: (source) => !leftOut.has(basename(source)) && source !== recordings,
    })
  for (const name of [
    'biome.json',
    '.dependency-cruiser.cjs',
    'package.json',
    'tsconfig.base.json',
    'tsup.config.ts',
    'tsup.program.config.ts',
    'vitest.config.ts',
    '.gitignore',
  ])
    cpSync(join(projectRoot, name), join(root, name))
  linkPackages(root)
  return {
    root,
    plant: (path, text) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    },
    remove: (path) => rmSync(join(root, path), { recursive: true, force: true }),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Installed packages by link, our own ones from the copy. */
function linkPackages(root: string): void {
  const installed = join(projectRoot, 'node_modules')
  mkdirSync(join(root, 'node_modules/@cluster'), { recursive: true })
  for (const name of readdirSync(installed))
    if (name !== '@cluster') symlinkSync(join(installed, name), join(root, 'node_modules', name))
  for (const group of ['libs', 'apps', 'tools'])
    for (const name of readdirSync(join(root, group))) {
      symlinkSync(join(root, group, name), join(root, 'node_modules/@cluster', name))
      // What npm could not share stands beside its package.
      const own = join(projectRoot, group, name, 'node_modules')
      if (existsSync(own)) symlinkSync(own, join(root, group, name, 'node_modules'))
    }
}
