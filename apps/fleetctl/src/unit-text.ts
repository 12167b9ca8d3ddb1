/** The options of a unit's text, and what a person should know about that text. */
import { err, ok, type Result } from '@cluster/prelude'
import { clusterDialect, readAsFleet, type UnitOption } from '@cluster/unit-file'

export type UnitText = {
  readonly options: readonly UnitOption[]
  /** Parts that were read otherwise than they look (trap 29), each with its line. */
  readonly remarks: readonly string[]
}

export type BadUnitText = {
  /** fleet's own words where it has some. */
  readonly why: string
  /** Where and what to do; absent where fleet's words are the recorded ones and a script may compare them. */
  readonly remedy?: string
  /** The same for a person in front of a terminal. */
  readonly place: string
}

/** Reads the text of a unit file. A text of comments only has no options; the daemon refuses it. */
export function readUnitText(text: string): Result<UnitText, BadUnitText> {
  const nul = text.indexOf('\0')
  if (nul !== -1) {
    const place = `line ${lineOf(text, nul)}`
    return err({ why: `${place} holds a NUL character`, remedy: 'a unit file is plain text: remove it', place })
  }
  const options = readAsFleet(text, clusterDialect)
  if (!options.ok) return err({ why: options.error.message, place: `line ${options.error.line}` })
  const stray = strayLine(text)
  if (options.value.length === 0 && stray !== undefined) {
    const place = `line ${stray}`
    return err({
      why: `it has no section: ${place} stands under none`,
      remedy: 'put a line such as [Service] ahead of it',
      place,
    })
  }
  const remarks: string[] = []
  if (stray !== undefined) remarks.push(`line ${stray} stands ahead of the first section and is ignored`)
  if (text.includes('\r\n')) remarks.push('its lines end in CR LF, which is read as LF')
  return ok({ options: options.value, remarks })
}

/** The first line with content ahead of any section, from 1. */
function strayLine(text: string): number | undefined {
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim()
    if (content.startsWith('[')) return undefined
    if (content !== '' && !content.startsWith('#') && !content.startsWith(';')) return index + 1
  }
  return undefined
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length
