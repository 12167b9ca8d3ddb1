/** Reads the unit files of a manager's folder, with their drop-ins, as systemd's daemon-reload would. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  createUnitTree,
  decodeBytes,
  loadUnit,
  mapUnitFiles,
  type SpecifierContext,
  type UnitSearchPath,
  type UnitTreeEntry,
} from '@cluster/unit-file'
import { accountProblem } from './accounts.ts'
import { readDefinition, type UnitDefinition } from './definition.ts'
import { judgeSupport } from './supported-options.ts'

/** What a unit's files add up to. */
export type ReadUnit =
  | { readonly loadState: 'loaded'; readonly definition: UnitDefinition }
  | { readonly loadState: string; readonly problem: string; readonly definition?: undefined }

/** All of them, by name. */
export function readUnits(
  folder: string,
  names: readonly string[],
  context: SpecifierContext,
): ReadonlyMap<string, ReadUnit> {
  const tree = createUnitTree(readFolder(folder))
  const searchPath: UnitSearchPath = {
    directories: [folder],
    configDirectory: folder,
    runtimeDirectory: folder,
    runtimeDirectories: [folder],
    generatorDirectories: [],
    transientDirectory: folder,
  }
  const files = mapUnitFiles(tree, searchPath)
  const textAt = (path: string): string => {
    const node = tree.follow(path)
    if (node?.kind !== 'file') return ''
    return typeof node.content === 'string' ? node.content : decodeBytes(node.content)
  }

  function read(name: string): ReadUnit {
    const loaded = loadUnit(tree, name, { context, searchPath, files })
    if (!loaded.ok) return { loadState: 'bad-setting', problem: loaded.error.message }
    const { evaluation, messages, fragment, dropIns, loadState } = loaded.value
    if (evaluation === undefined || loadState !== 'loaded') {
      const said = messages.filter(({ priority }) => priority === 'error' || priority === 'notice')
      const why = evaluation?.loadError ?? `Unit ${name} not found.`
      return { loadState, problem: [why, ...said.map(({ text }) => text)].join(' ') }
    }
    const texts = [fragment, ...dropIns].filter((path) => path !== undefined).map(textAt)
    const refusals = texts.flatMap((text) => judgeSupport(name, text, accountProblem).refusals)
    if (refusals.length > 0) return { loadState: 'bad-setting', problem: `${name}: ${refusals.join('; ')}` }
    return { loadState: 'loaded', definition: readDefinition(evaluation, texts[0] ?? '', context) }
  }

  return new Map(names.map((name) => [name, read(name)]))
}

/** The files of the folder and of the folders of drop-ins in it. */
function readFolder(folder: string): readonly UnitTreeEntry[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (name.endsWith('.d') && statSync(path).isDirectory()) {
      return readdirSync(path).flatMap((inner) => readEntry(join(path, inner)))
    }
    return readEntry(path)
  })
}

function readEntry(path: string): readonly UnitTreeEntry[] {
  try {
    return [{ path, content: readFileSync(path) }]
  } catch {
    // went away, or is no file: as if it were not there
    return []
  }
}
