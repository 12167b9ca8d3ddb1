/** What the repository may hold, and what its documents must name. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectRoot } from './workspace-copy.ts'

const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(projectRoot, path)))
const recorded = (path: string): boolean => path.startsWith('tools/vectors/sets/')
const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8')
const packages = ['libs', 'apps', 'tools'].flatMap((group) =>
  readdirSync(join(projectRoot, group))
    .filter((name) => existsSync(join(projectRoot, group, name, 'package.json')))
    .map((name) => ({ group, name, folder: `${group}/${name}` })),
)

describe('the repository', () => {
  it('has a lock file that names no registry', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/)
  })

  it('holds nothing generated and nothing binary', () => {
    const generated = /(^|\/)(node_modules|dist|\.nx|coverage)\/|\.tgz$|\.tsbuildinfo$/
    expect(tracked.filter((path) => generated.test(path))).toEqual([])
    const binary = tracked.filter((path) => !recorded(path) && readFileSync(join(projectRoot, path)).includes(0))
    expect(binary.filter((path) => !/\.(png|svg)$/.test(path))).toEqual([])
  })

  it('names no path of one machine', () => {
    const machinePath = new RegExp(`(^|[^.\\w])/(${['work', 'farm', 'home/[a-z]'].join('|')})/`, 'm')
    expect(tracked.filter((path) => !recorded(path) && machinePath.test(read(path)))).toEqual([])
  })

  it('keeps no copy of other people’s unit files', () => {
    expect(tracked.filter((path) => path.startsWith('tools/vectors/sets/corpus'))).toEqual([])
  })

  it('pins every package to the same version, and every package of ours to it', () => {
    const manifests = packages.map(({ folder }) => JSON.parse(read(`${folder}/package.json`)))
    expect(new Set(manifests.map(({ version }) => version)).size).toBe(1)
    for (const { name, version, dependencies = {} } of manifests)
      for (const [dependency, wanted] of Object.entries(dependencies))
        if (dependency.startsWith('@cluster/')) expect(`${name} → ${dependency}@${wanted}`).toContain(`@${version}`)
  })
})

describe.each(packages.filter(({ group }) => group === 'libs'))('$folder', ({ folder }) => {
  it('has a README with an example that a test runs, and says which Node it needs', () => {
    expect(read(`${folder}/README.md`)).toMatch(/```(js|ts)\n/)
    expect(existsSync(join(projectRoot, folder, 'test/readme.test.ts'))).toBe(true)
    expect(JSON.parse(read(`${folder}/package.json`))).toMatchObject({ type: 'module', engines: { node: '>=20.19' } })
  })

  it('has an index that re-exports names, never everything, and begins with a paragraph', () => {
    const index = read(`${folder}/src/index.ts`)
    expect(index.startsWith('/**')).toBe(true)
    expect(index).not.toContain('export *')
  })
})

describe('the documents', () => {
  it.each(packages)('ARCHITECTURE.md has $folder on its map', ({ folder }) => {
    expect(read('ARCHITECTURE.md')).toContain(`\`${folder}\``)
  })

  it('README.md opens with the two commands', () => {
    const opening = read('README.md').split('\n').slice(0, 30).join('\n')
    expect(opening).toContain('npm start')
    expect(opening).toContain('npm test')
  })
})
