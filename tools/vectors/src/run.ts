/** The command `vectors SET [DIR]`. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeError, isClusterError, nearestWord } from '@cluster/prelude'
import { type Deviation, deviations } from './deviations.ts'
import { VectorsError } from './errors.ts'
import { openFolder } from './folder.ts'
import { installedUnitFolders, openInstalledUnits } from './installed-units.ts'
import { builtPrograms } from './programs.ts'
import { deviationLines, resultLines } from './report.ts'
import { isPassed, runCases } from './run-set.ts'
import { installedUnits } from './sets/installed-units.ts'
import { vectorSets } from './sets.ts'
import type { VectorFolder, VectorSet } from './vector-set.ts'

export type VectorsIo = {
  /** One line, without its end. */
  readonly print: (line: string) => void
  readonly printError: (line: string) => void
  /** Where a relative DIR is looked for, first to last. */
  readonly directories: readonly string[]
  /** The root of the project. */
  readonly projectRoot: string
  readonly deviations?: readonly Deviation[]
}

const usage = `usage: vectors SET [DIR]
       vectors --list

Runs the recorded cases of SET against our code: the project's own copy, or the files of DIR in the same form.
Prints every failing case with the places that differ, and 'N passed, N failed'; exit status 1 if any failed.`

/**
 * Runs one command line.
 *
 * @returns the exit status: 1 for a failed case, an unknown set, and a folder that cannot be read or holds no case
 */
export async function run(args: readonly string[], io: VectorsIo): Promise<number> {
  try {
    return await runCommand(args, io)
  } catch (error) {
    if (!isClusterError(error)) throw error
    for (const line of describeError(error)) io.printError(line)
    return 1
  }
}

async function runCommand(args: readonly string[], io: VectorsIo): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    for (const line of [usage, '', ...listLines()]) io.print(line)
    return 0
  }
  if (args.length === 1 && args[0] === '--list') {
    for (const { name } of vectorSets) io.print(name)
    return 0
  }
  const [name, directory, ...more] = args
  const option = args.find((arg) => arg.startsWith('-'))
  if (name === undefined || more.length > 0 || option !== undefined) {
    const found = name === undefined ? 'no set is named' : `${option ?? more[0]} is one argument too many`
    throw new VectorsError('vectors/usage', found, { hint: [usage, '', ...listLines()].join('\n') })
  }
  return await runSet(setNamed(name), directory, io)
}

const listLines = (): readonly string[] => ['sets:', ...vectorSets.map(({ name }) => `  ${name}`)]

function setNamed(name: string): VectorSet {
  const found = vectorSets.find((set) => set.name === name)
  if (found !== undefined) return found
  const names = vectorSets.map((set) => set.name)
  const nearest = nearestWord(name, names)
  throw new VectorsError('vectors/unknown-set', `there is no set ${JSON.stringify(name)}`, {
    hint: `${nearest === undefined ? '' : `did you mean ${nearest}? `}known sets: ${names.join(', ')}`,
  })
}

async function runSet(requested: VectorSet, directory: string | undefined, io: VectorsIo): Promise<number> {
  const { set, folder, path } = open(requested, directory, io)
  const obstacles = set.obstacles?.() ?? []
  if (obstacles.length > 0) {
    throw new VectorsError('vectors/obstacles', `the set ${set.name} cannot run on this host`, {
      hint: obstacles.join('; '),
    })
  }
  const cases = set.cases(folder, builtPrograms(io.projectRoot))
  if (cases.length === 0) {
    throw new VectorsError('vectors/no-cases', `${path} holds no case of the set ${requested.name}`, {
      hint: `it has ${folder.files.length} files; the form of a case is described in tools/vectors/README.md`,
    })
  }
  const known = (io.deviations ?? deviations).filter((deviation) => deviation.set === set.name)
  const results = await runCases(cases, known)
  for (const line of results.flatMap(resultLines)) io.print(line)
  for (const note of [...(set.notes?.(folder) ?? []), ...unusedFiles(folder, results)]) io.print(`note: ${note}`)
  for (const line of known.flatMap(deviationLines)) io.print(line)
  if (known.length === 0) io.print('no deviations')
  const unknownCases = directory === undefined ? deviationsWithoutCase(known, results) : []
  for (const line of unknownCases) io.print(line)
  const passed = results.filter(isPassed).length
  const failed = results.length - passed + unknownCases.length
  io.print(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

type Opened = { readonly set: VectorSet; readonly folder: VectorFolder; readonly path: string }

function open(set: VectorSet, directory: string | undefined, io: VectorsIo): Opened {
  const recorded = join(io.projectRoot, '../shared/vectors', set.name)
  const own = join(io.projectRoot, 'tools/vectors/sets', set.name)
  if (directory !== undefined) {
    const places = io.directories.map((base) => resolve(base, directory))
    const path = places.find((place) => existsSync(place)) ?? resolve(directory)
    return { set, path, folder: openFolder(path, [own, recorded]) }
  }
  if (set.name !== 'corpus') return { set, path: own, folder: openFolder(own, [recorded]) }
  // The corpus is not copied into the project, for the sake of its many licences.
  if (existsSync(recorded)) return { set, path: recorded, folder: openFolder(recorded) }
  return { set: installedUnits, path: installedUnitFolders.join(' and '), folder: openInstalledUnits() }
}

/** JSON files of which no case was made: seen, so that nobody takes them for passed. */
function unusedFiles({ files }: VectorFolder, results: readonly { readonly name: string }[]): readonly string[] {
  const used = new Set(results.map(({ name }) => name.slice(0, name.indexOf(': '))))
  if (!files.some((file) => used.has(file))) return []
  return files
    .filter((file) => file.endsWith('.json') && !used.has(file))
    .map((file) => `${file} holds no case of this set`)
}

function deviationsWithoutCase(
  known: readonly Deviation[],
  results: readonly { readonly name: string }[],
): readonly string[] {
  const names = new Set(results.map(({ name }) => name))
  return known
    .filter((deviation) => !names.has(deviation.case))
    .map((deviation) => `FAIL ${deviation.case}: a deviation is listed, but there is no such case`)
}
