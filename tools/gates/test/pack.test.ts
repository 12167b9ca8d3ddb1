/**
 * Each library as its user gets it: packed, installed into an empty folder together with the tarballs it depends on,
 * then imported, required and type-checked there.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectRoot } from './workspace-copy.ts'

type Manifest = {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
}

const manifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

const libraries = readdirSync(join(projectRoot, 'libs')).map((name) => ({
  folder: join(projectRoot, 'libs', name),
  manifest: manifest(join(projectRoot, 'libs', name)),
}))
const manifests = new Map(libraries.map((library) => [library.manifest.name, library.manifest]))

let work: string

const run = (program: string, args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false', NODE_OPTIONS: '' },
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} in ${cwd} ended with ${status}\n${stdout}\n${stderr}`)
  return stdout
}
const node = (args: readonly string[], cwd: string): string => run(process.execPath, args, cwd)
const installed = (path: string): string => join(projectRoot, 'node_modules', path)

/** The library and everything of ours below it. */
function closure(name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const dependency of Object.keys(manifests.get(name)?.dependencies ?? {}))
    if (manifests.has(dependency)) closure(dependency, found)
  return found
}

const tarball = ({ name, version }: Manifest): string =>
  join(work, 'tarballs', `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)

/** An empty folder with the tarballs of `name` and of what it needs installed. */
function installPacked(name: string, alsoTopLevel: readonly string[] = []): string {
  const folder = mkdtempSync(join(work, 'user-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n')
  const wanted = new Set([...closure(name), ...alsoTopLevel.flatMap((other) => [...closure(other)])])
  const tarballs = [...wanted].map((each) => tarball(manifests.get(each) ?? { name: each, version: '', exports: {} }))
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs], folder)
  return folder
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'cluster-pack-'))
  mkdirSync(join(work, 'tarballs'))
  node([installed('nx/dist/bin/nx.js'), 'run-many', '-t', 'build', '--projects=libs/*'], projectRoot)
  for (const { folder } of libraries)
    run('npm', ['pack', '--silent', '--pack-destination', join(work, 'tarballs')], folder)
}, 300_000)
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe.each(libraries.map((library) => [library.manifest.name, library] as const))('%s', (name, library) => {
  let folder: string
  beforeAll(() => {
    folder = installPacked(name)
  }, 120_000)

  it('can be imported, and says something', () => {
    const program = `import * as library from '${name}'; console.log(Object.keys(library).length > 0)`
    expect(node(['--input-type=module', '-e', program], folder)).toBe('true\n')
  })

  it('can be required, and gives the same', () => {
    const program = `const required = require('${name}'); import('${name}').then((imported) => console.log(
      Object.keys(imported).every((key) => imported[key] === required[key])))`
    expect(node(['--no-warnings', '--input-type=commonjs', '-e', program], folder)).toBe('true\n')
  })

  it('brings its types', () => {
    writeFileSync(
      join(folder, 'use.ts'),
      `import * as library from '${name}'\nexport const names: readonly string[] = Object.keys(library)\n// @ts-expect-error what is not exported is not typed as anything\nexport const missing = library.thisIsNotExported\n`,
    )
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--typeRoots']
    const types = installed('@types')
    node([installed('typescript/bin/tsc'), ...options, types, '--types', 'node', 'use.ts'], folder)
  }, 60_000)

  it('is a package that publint finds nothing in', () => {
    expect(() => node([installed('publint/src/cli.js'), '--strict', library.folder], projectRoot)).not.toThrow()
  })

  it('resolves for every ESM user, as attw sees it', () => {
    const left = Object.keys(library.manifest.exports).filter((entry) => entry.endsWith('/contract'))
    const args = [tarball(library.manifest), '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']
    const exclude = left.length === 0 ? [] : ['--exclude-entrypoints', ...left]
    expect(() => node([installed('@arethetypeswrong/cli/dist/index.js'), ...args, ...exclude], folder)).not.toThrow()
  }, 60_000)
})
