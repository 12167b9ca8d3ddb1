/** Where the lines of a unit are: in a file here, if it says the same, else in what `fleetctl cat` prints. */
import type { FleetUnit } from '@cluster/fleet-api'
import { type RuleLine, ruleLine, type Verdict } from '@cluster/scheduler'
import { hashOptions, renderOptions } from '@cluster/unit-file'
import type { LocalFile } from './local-files.ts'
import { besides, type UnitArgument } from './names.ts'
import { templateOf } from './submission.ts'
import { readUnitText } from './unit-text.ts'

/** A line of a unit's text. */
export type FileLine = {
  /** Path of the file here, or the unit's name where the line is that of `fleetctl cat`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** The words of the file, continued lines joined. */
  readonly text: string
}

/** The text of a unit, and what to call it. */
export type UnitSource = { readonly file: string; readonly text: string }

/** The source of a unit with these options. */
export function sourceOf(
  { name, options }: Pick<FleetUnit, 'name' | 'options'>,
  { path }: Pick<UnitArgument, 'path'>,
  local: ReadonlyMap<string, LocalFile>,
): UnitSource {
  const template = templateOf(name)
  const hash = hashOptions(options)
  for (const file of [path, ...(template === undefined ? [] : [besides(path, template)])]) {
    const found = local.get(file)
    if (found?.kind !== 'text') continue
    const read = readUnitText(found.text)
    if (read.ok && hashOptions(read.value.options) === hash) return { file, text: found.text }
  }
  return { file: name, text: renderOptions(options) }
}

/** Finds the line that decides a verdict. @param sourceFor of the unit in question, and of those it cannot be beside */
export function fileLine(
  unit: string,
  verdict: Verdict,
  sourceFor: (unit: string) => UnitSource | undefined,
): FileLine | undefined {
  const found: RuleLine | undefined = ruleLine(unit, verdict, (name) => sourceFor(name)?.text)
  const file = found && sourceFor(found.unit)?.file
  return found === undefined || file === undefined ? undefined : { file, line: found.line, text: found.text }
}

/** `units/web.service:7: Conflicts=web@*.service`. */
export const fileLineText = ({ file, line, text }: FileLine): string => `${file}:${line}: ${text}`
