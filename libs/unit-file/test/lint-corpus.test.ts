import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type LintFile, lintUnits } from '../src/index.ts'
import { knownFindings } from './lint-known-findings.ts'

const corpus = fileURLToPath(new URL('../../../../shared/vectors/corpus/', import.meta.url))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** The real units beside the project, under the paths that they are installed at. */
function recordedUnits(): readonly LintFile[] {
  const manifest: unknown = JSON.parse(readFileSync(`${corpus}MANIFEST.json`, 'utf8'))
  const entries: unknown = isRecord(manifest) ? manifest['files'] : undefined
  return (Array.isArray(entries) ? entries : []).filter(isRecord).map((entry) => ({
    path: `${String(entry['package'])}${String(entry['path'])}`,
    text: readFileSync(`${corpus}files/${String(entry['file'])}`),
  }))
}

/** The units of this machine, for where the corpus is not. */
function installedUnits(): readonly LintFile[] {
  const folder = '/usr/lib/systemd/system'
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /\.(?:service|socket|timer|path|mount|target)$/.test(name))
    .map((name) => `${folder}/${name}`)
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => ({ path, text: readFileSync(path) }))
    .filter(({ text }) => text.length > 0)
}

const isRecorded = existsSync(corpus)
const files = isRecorded ? recordedUnits() : installedUnits()
const findings = lintUnits(files, { unitExists: () => true }).filter(({ severity }) => severity !== 'info')
const placed = findings.map(({ id, path }) => ({ id, unit: path.replace(/^.*\/system\//, '') }))
const textOf = ({ id, unit }: { readonly id: string; readonly unit: string }): string => `${id} ${unit}`
const known = new Set(knownFindings.map(textOf))

describe(isRecorded ? 'the corpus of real units' : 'the units of this machine', () => {
  it('has no error', () => expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]))

  it(isRecorded ? 'has the listed warnings, each of them, and no others' : 'has few warnings', () => {
    const found = placed.map(textOf)
    if (isRecorded) expect([...new Set(found)].sort()).toEqual([...known].sort())
    else expect(found.filter((text) => !known.has(text)).length).toBeLessThan(Math.max(5, files.length / 5))
  })
})
