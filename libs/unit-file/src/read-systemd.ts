/**
 * One file as systemd 252 reads it: assignments by section, and what PID 1 says about the lines in between.
 * What the assignments mean is the business of evaluate-unit.ts. Rules: spec/unit-files.md §1.
 */
import { isCleanText, showText } from './byte-text.ts'
import { isRemovedOption, knownOption } from './known-options.ts'
import { type Position, parseUnitFile, type UnitFileBlock } from './source.ts'
import type { UnitMessage } from './unit-message.ts'
import type { UnitType } from './unit-name.ts'

/** A file of a unit, main file or drop-in. */
export type SystemdFile = {
  /** Named in messages. */
  readonly path?: string
  /** Bytes, or text in which U+DC80…U+DCFF stand for bytes that are not UTF-8. */
  readonly text: string | Uint8Array
}

/** An assignment to a key that systemd knows in that section. */
export type SystemdAssignment = {
  readonly section: string
  readonly key: string
  /** Joined and stripped; not unquoted, not expanded. */
  readonly value: string
  /** The line that messages name: the last one of the assignment. */
  readonly line: number
  readonly keyAt: Position
  readonly valueAt: Position
  readonly file?: string
}

/** What a file holds, in file order. */
export type SystemdEvent =
  | { readonly kind: 'assignment'; readonly assignment: SystemdAssignment }
  | { readonly kind: 'message'; readonly message: UnitMessage }

/** Why reading ended before the end of the file, as the system names it. */
export type ReadingStop = 'Invalid argument' | 'Bad message' | 'No buffer space available'

/** What was read, in order; `stop`: why nothing after it was. */
export type SectionedReading = { readonly events: readonly SystemdEvent[]; readonly stop?: ReadingStop }

/** Sections that a unit of a type may have; those of targets and devices have no keys. */
export function sectionsOf(type: UnitType): ReadonlySet<string> {
  const own = `${type.charAt(0).toUpperCase()}${type.slice(1)}`
  return new Set(['Unit', own, 'Install'])
}

/** The assignments of one file, with messages for all that is not one. A file starts outside of any section. */
export function readSections(file: SystemdFile, type: UnitType): SectionedReading {
  const known = sectionsOf(type)
  const events: SystemdEvent[] = []
  const origin = file.path === undefined ? {} : { file: file.path }
  const say = (priority: UnitMessage['priority'], line: number, text: string): void => {
    events.push({ kind: 'message', message: { priority, line, text, ...origin } })
  }
  let section: string | undefined
  let skipping = false
  for (const block of parseUnitFile(file.text).blocks) {
    if (block.kind === 'comment' || block.kind === 'blank') continue
    if (block.kind === 'overlong') return { events, stop: 'No buffer space available' }
    if (!isCleanText(block.text)) {
      say('warning', block.lastLine, `String is not UTF-8 clean, ignoring assignment: ${showText(block.text)}`)
      return { events, stop: 'Invalid argument' }
    }
    if (block.kind === 'junk' && block.reason === 'broken-header') {
      say('error', block.lastLine, `Invalid section header '${block.text}'`)
      return { events, stop: 'Bad message' }
    }
    if (block.kind === 'header') {
      if (/[\0-\x1f"'\\\x7f]/.test(block.name)) {
        say('error', block.lastLine, `Bad characters in section header '${block.text}'`)
        return { events, stop: 'Bad message' }
      }
      section = known.has(block.name) ? block.name : undefined
      skipping = section === undefined
      if (skipping && !block.name.startsWith('X-')) {
        say('warning', block.lastLine, `Unknown section '${block.name}'. Ignoring.`)
      }
      continue
    }
    if (section === undefined) {
      if (!skipping) say('warning', block.lastLine, 'Assignment outside of section. Ignoring.')
      continue
    }
    if (block.kind === 'assignment' && isRemovedOption(section, block.key)) {
      say('info', block.lastLine, `Support for option ${block.key}= has been removed and it is ignored`)
      continue
    }
    const complaint = lineComplaint(block, section)
    if (complaint !== undefined) say('warning', block.lastLine, complaint)
    if (block.kind !== 'assignment' || knownOption(section, block.key) === undefined) continue
    const { key, value, lastLine: line, at: keyAt, valueAt } = block
    events.push({ kind: 'assignment', assignment: { section, key, value, line, keyAt, valueAt, ...origin } })
  }
  return { events }
}

function lineComplaint(block: UnitFileBlock, section: string): string | undefined {
  if (block.kind === 'junk') {
    return block.reason === 'no-key' ? "Missing key name before '=', ignoring line." : "Missing '=', ignoring line."
  }
  if (block.kind !== 'assignment' || block.key.startsWith('X-')) return undefined
  if (knownOption(section, block.key) !== undefined) return undefined
  return `Unknown key '${block.key}' in section [${section}], ignoring.`
}
