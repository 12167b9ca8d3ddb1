import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { deviations } from '../src/deviations.ts'
import { openFolder } from '../src/folder.ts'
import { openInstalledUnits } from '../src/installed-units.ts'
import { builtPrograms } from '../src/programs.ts'
import { resultLines } from '../src/report.ts'
import { runCases } from '../src/run-set.ts'
import { installedUnits } from '../src/sets/installed-units.ts'
import { vectorSets } from '../src/sets.ts'
import type { VectorFolder, VectorSet } from '../src/vector-set.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** A script of commands starts a process for each of fifty. */
const scriptLimitMs = 240_000

const programs = builtPrograms(path('../../../'))

const recordedBeside = (name: string): string => path(`../../../../shared/vectors/${name}`)

type Opened = { readonly name: string; readonly set: VectorSet; readonly folder: VectorFolder }

/** As the command opens them without DIR. */
function openSet(set: VectorSet): Opened {
  const { name } = set
  if (name !== 'corpus') return { name, set, folder: openFolder(path(`../sets/${name}`), [recordedBeside(name)]) }
  if (existsSync(recordedBeside(name))) return { name, set, folder: openFolder(recordedBeside(name)) }
  return { name, set: installedUnits, folder: openInstalledUnits() }
}

// Sets with a lab of their own are run by `npm run vectors -- SET`, and as a part of the end-to-end tests.
const plainSets = vectorSets.filter(({ obstacles }) => obstacles === undefined)

describe.each(plainSets.map(openSet))('$name', ({ set, folder }) => {
  const known = deviations.filter((deviation) => deviation.set === set.name)
  it.concurrent.each([...set.cases(folder, programs)])('$name', { timeout: scriptLimitMs }, async (vectorCase) => {
    const results = await runCases([vectorCase], known)
    expect(results.flatMap(resultLines)).toEqual([])
  })
})

describe('installed units', () => {
  const folder = openInstalledUnits()
  it.each([...installedUnits.cases(folder, programs)])('$name', async ({ run }) => expect(await run()).toEqual([]))

  it('are found where systemd looks for them, or there are none', () => {
    expect(folder.files.every((file) => /^\/(lib|etc)\/systemd\/system\//.test(file))).toBe(true)
  })
})
