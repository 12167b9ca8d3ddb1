/**
 * Each library as its user gets it: packed, put into an empty folder together with the tarballs it depends on and with
 * nothing else but the npm packages these declare, then imported, required and type-checked there. What npm itself
 * makes of the tarballs is seen once, with all of them, and once with the scheduler's alone.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, runToEnd } from './run-program.ts'
import { projectRoot } from './workspace-copy.ts'

type Manifest = {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
}

const manifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

const libraries = readdirSync(join(projectRoot, 'libs')).map((name) => {
  const folder = join(projectRoot, 'libs', name)
  return { folder, ...manifest(folder) }
})
const manifests = new Map<string, Manifest>(libraries.map((library) => [library.name, library]))

let work: string
/** Where npm has installed all tarballs and everything they need. */
let everything: string

const node = (args: readonly string[], cwd: string): Promise<string> => run(process.execPath, args, cwd)
const installed = (path: string): string => join(projectRoot, 'node_modules', path)

/** The library and everything of ours below it. */
function closure(name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const dependency of Object.keys(manifests.get(name)?.dependencies ?? {}))
    if (manifests.has(dependency)) closure(dependency, found)
  return found
}

const tarball = (name: string): string =>
  join(work, 'tarballs', `${name.replace('@', '').replace('/', '-')}-${manifests.get(name)?.version}.tgz`)

function emptyFolder(): string {
  const folder = mkdtempSync(join(work, 'user-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n')
  return folder
}

/** A folder into which npm has installed the tarballs. */
async function npmInstall(names: Iterable<string>): Promise<string> {
  const folder = emptyFolder()
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...[...names].map(tarball)], folder)
  return folder
}

/** A folder with the library's tarballs unpacked, and beside them only the npm packages that their manifests name. */
async function unpackFor(name: string): Promise<string> {
  const folder = emptyFolder()
  for (const each of closure(name)) {
    const target = join(folder, 'node_modules', each)
    mkdirSync(target, { recursive: true })
    await run('tar', ['-xzf', tarball(each), '--strip-components=1', '-C', target], folder)
    for (const dependency of Object.keys(manifest(target).dependencies ?? {})) {
      const link = join(folder, 'node_modules', dependency)
      if (manifests.has(dependency) || existsSync(link)) continue
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(everything, 'node_modules', dependency), link)
    }
  }
  return folder
}

const folders = new Map<string, string>()
const folderOf = (name: string): string => folders.get(name) ?? 'not unpacked'

const usesTypes = (name: string): string =>
  `import * as library from '${name}'
export const names: readonly string[] = Object.keys(library)
const missing: 'thisIsNotExported' extends keyof typeof library ? true : false = false
export { missing }
`

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'cluster-pack-'))
  mkdirSync(join(work, 'tarballs'))
  await node([installed('.bin/nx'), 'run-many', '-t', 'build', '--projects=libs/*'], projectRoot)
  for (const { folder } of libraries)
    await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', join(work, 'tarballs')], folder)
  everything = await npmInstall(manifests.keys())
  for (const { name } of libraries) folders.set(name, await unpackFor(name))
}, 600_000)
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe.each(libraries.map((library) => [library.name, library] as const))('%s', (name, library) => {
  it('can be imported, and says something', async () => {
    const program = `import * as library from '${name}'; console.log(Object.keys(library).length > 0)`
    expect(await node(['--input-type=module', '-e', program], folderOf(name))).toBe('true\n')
  })

  it('can be required, and gives the same', async () => {
    const program = `const required = require('${name}'); import('${name}').then((imported) => console.log(
      Object.keys(imported).every((key) => imported[key] === required[key])))`
    expect(await node(['--no-warnings', '--input-type=commonjs', '-e', program], folderOf(name))).toBe('true\n')
  })

  it('is a package that publint finds nothing in', async () => {
    const { messages } = await publint({ pkgDir: library.folder, strict: true })
    expect(messages).toEqual([])
  })

  it('resolves, with types, for everybody who uses ESM', async () => {
    const packed = createPackageFromTarballData(new Uint8Array(readFileSync(tarball(name))))
    const checked = await checkPackage(packed, { excludeEntrypoints: [/\/contract$/] })
    if (!checked.types) throw new Error(`${name} has no types`)
    const kinds = ['node16-esm', 'bundler'] as const
    const problems = checked.problems.filter((problem) =>
      kinds.some((kind) => problemAffectsResolutionKind(problem, kind, checked)),
    )
    expect(problems).toEqual([])
  }, 60_000)
})

it('every library brings its types to a strict user', async () => {
  const files = libraries.map(({ name }) => {
    const file = join(folderOf(name), 'use.ts')
    writeFileSync(file, usesTypes(name))
    return file
  })
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node']
  await node([installed('typescript/bin/tsc'), ...options, '--typeRoots', installed('@types'), ...files], work)
}, 120_000)

it('the twelve lines of the scheduler’s README print a plan and an explanation from the tarballs alone', async () => {
  const readme = readFileSync(join(projectRoot, 'libs/scheduler/README.md'), 'utf8')
  const [, program = '', printed = ''] = /```ts\n(.*?)```\n\nprints\n\n```\n(.*?)```/s.exec(readme) ?? []
  const lines = program.split('\n').filter((line) => line !== '')
  expect(lines.length).toBeLessThanOrEqual(12)
  expect(lines.flatMap((line) => /^import .* from '(.*)'/.exec(line)?.[1] ?? [])).toEqual([
    '@cluster/scheduler',
    '@cluster/unit-file',
  ])
  const folder = await npmInstall(closure('@cluster/scheduler'))
  writeFileSync(join(folder, 'twelve-lines.js'), program)
  expect(await node(['twelve-lines.js'], folder)).toBe(printed)
}, 120_000)

describe('the example programs, from the tarballs alone', () => {
  const examples = join(projectRoot, 'examples')
  const readme = (example: string): string => readFileSync(join(examples, example, 'README.md'), 'utf8')
  /** The arguments in its README, run in a copy of its folder among the scheduler's tarballs. */
  const runExample = (example: string) => {
    const folder = join(folderOf('@cluster/scheduler'), example)
    cpSync(join(examples, example), folder, { recursive: true })
    const [, args = ''] = /^node ([^>\n]*)/m.exec(readme(example)) ?? []
    return runToEnd(process.execPath, args.trim().split(' '), folder)
  }
  const printed = (example: string): string => /\nprints\n\n```text\n(.*?)```/s.exec(readme(example))?.[1] ?? 'nothing'

  it('ci-gate fails for units that would not fit, and says why', async () => {
    expect(await runExample('ci-gate')).toEqual({ code: 1, stdout: printed('ci-gate'), output: printed('ci-gate') })
  })

  it('capacity-report says how many more fit', async () => {
    const wanted = printed('capacity-report')
    expect(await runExample('capacity-report')).toEqual({ code: 0, stdout: wanted, output: wanted })
  })

  it('placement-svg draws the picture that its README shows', async () => {
    const drawn = readFileSync(join(examples, 'placement-svg/placement.svg'), 'utf8')
    expect(await runExample('placement-svg')).toEqual({ code: 0, stdout: drawn, output: drawn })
  })
})
