/** From what a person types to units: spec/fleet.md §10.2. */
import { defaultFleetSuffix, hasFleetUnitType } from '@cluster/unit-file'
import type { LocalFiles } from './local-files.ts'

export type UnitArgument = {
  /** The argument with its suffix; where its file would be. */
  readonly path: string
  /** Its last path element. */
  readonly name: string
}

/** `apache@1` → `apache@1.service`; a unit given twice counts once (trap 59), at its first place. */
export function unitArguments(args: readonly string[]): readonly UnitArgument[] {
  const byName = new Map<string, UnitArgument>()
  for (const arg of args) {
    const path = defaultFleetSuffix(arg)
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (!byName.has(name)) byName.set(name, { path, name })
  }
  return [...byName.values()]
}

/** The names alone. */
export const unitNames = (args: readonly string[]): readonly string[] => unitArguments(args).map(({ name }) => name)

/** The path of `file` in the folder that `path` is in. */
export const besides = (path: string, file: string): string => path.slice(0, path.lastIndexOf('/') + 1) + file

/**
 * Patterns that no shell has expanded, such as `units/*.service`, replaced by the unit files they match, in order of
 * name. An argument that names a file, or matches none, stays as it is.
 */
export async function expandPatterns(args: readonly string[], files: LocalFiles): Promise<readonly string[]> {
  const expanded = await Promise.all(
    args.map(async (arg) => {
      if (!/[*?[{]/.test(arg) || (await files.exists(arg))) return [arg]
      const matches = (await files.glob(arg)).filter(hasFleetUnitType)
      return matches.length === 0 ? [arg] : [...matches].sort()
    }),
  )
  return expanded.flat()
}
