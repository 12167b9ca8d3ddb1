/**
 * Changing a unit file as its author would: only the lines that must change, everything else byte for byte. Works on
 * the source text; systemd's reading of the result is the old one with just that change. Rules: spec/unit-files.md §13.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { byteLength } from './byte-text.ts'
import { knownOption } from './known-options.ts'
import { parseUnitFile, type UnitFile, type UnitFileBlock } from './source.ts'
import { firstWord, quoteWord, relaxedWords } from './words.ts'

/** Why an edit is not made: a name or value that would not read back as given, or nothing there to edit. */
export type EditError = {
  readonly kind: 'bad-section' | 'bad-key' | 'bad-value' | 'cannot-reset' | 'not-found'
  readonly message: string
}

/** A setting to write: `Key=value` in a section. */
export type Assignment = { readonly section: string; readonly key: string; readonly value: string }

type Edited = Result<UnitFile, EditError>

/**
 * The file with this value as the one that counts.
 *
 * A plain key: its last assignment is changed. A list: the first one behind its last reset takes the value, the rest of
 * the list goes. A key that is not there comes behind the last assignment of the last section of that name, a section
 * that is not there to the end, but before `[Install]` and closing `X-` sections. Comments inside a continued value move
 * above it.
 */
export function setValue(file: UnitFile, assignment: Assignment): Edited {
  const error = assignmentError(assignment)
  if (error !== undefined) return err(error)
  const { section, key, value } = assignment
  const all = indexesOf(file, section, key)
  if (all.length === 0) return ok(insertIntoSection(file, assignment))
  if (!isList(section, key)) return ok(withBlocks(file, new Map([[all.at(-1) ?? -1, replaced(value)]])))
  const reset = resets(section, key) ? all.findLast((index) => valueAt(file, index) === '') : undefined
  const [first, ...others] = all.filter((index) => reset === undefined || index > reset)
  if (first === undefined) return ok(insertAfter(file, reset ?? -1, assignment))
  return ok(withBlocks(file, new Map([[first, replaced(value)], ...others.map((index) => [index, removed] as const)])))
}

/** The file with one more assignment of a list: below the last one of the same key, as far in. */
export function appendValue(file: UnitFile, assignment: Assignment): Edited {
  const error = assignmentError(assignment)
  if (error !== undefined) return err(error)
  const last = indexesOf(file, assignment.section, assignment.key).at(-1)
  return ok(last === undefined ? insertIntoSection(file, assignment) : insertAfter(file, last, assignment))
}

/** Which assignments go, and whether their comments go with them. */
export type Removal = {
  readonly section: string
  readonly key: string
  /** Only assignments of exactly this value; all of the key unless given. */
  readonly value?: string
  /** `removed`: comments directly above go too. */
  readonly comments?: 'kept' | 'removed'
}

/** The file without these assignments. An empty section stays; two runs of blank lines that meet become one. */
export function removeAssignments(file: UnitFile, { section, key, value, comments = 'kept' }: Removal): Edited {
  const found = indexesOf(file, section, key).filter((index) => value === undefined || valueAt(file, index) === value)
  if (found.length === 0) {
    const what = value === undefined ? `${key}=` : `${key}=${value}`
    return err({ kind: 'not-found', message: `there is no ${what} in section [${section}]` })
  }
  const changes = new Map<number, Change>(found.map((index) => [index, removed]))
  if (comments === 'removed') {
    for (const index of found) if (file.blocks[index - 1]?.kind === 'comment') changes.set(index - 1, removed)
  }
  return ok(withBlocks(file, changes))
}

/**
 * The drop-in with `Key=`, which takes back what lower files give. Refused where an empty value does not do that: for
 * dependencies, and for keys that take no empty value.
 */
export function addReset(dropIn: UnitFile, section: string, key: string): Edited {
  const option = knownOption(section, key)
  if (option !== undefined && !option.reset) {
    const reason = option.list
      ? 'dependencies only add up; change the file that has it'
      : 'an empty value is ignored; set the value that it shall have'
    return err({
      kind: 'cannot-reset',
      message: `${key}= of a lower file cannot be taken back by a drop-in: ${reason}`,
    })
  }
  return appendValue(dropIn, { section, key, value: '' })
}

/**
 * The text as a value that means exactly this text: quoted where the key undoes quotes, `%` doubled where it expands
 * specifiers. For keys that are not known it is taken as it is.
 */
export function literalValue(section: string, key: string, text: string): string {
  const option = knownOption(section, key)
  const undone = option?.specifiers ? text.replaceAll('%', '%%') : text
  return option?.split?.startsWith('escaped') ? quoteWord(undone) : undone
}

/**
 * `setValue` for an `Exec…=` key, the command over several lines where it is long: ` \`, line end, four spaces, between
 * words only. The words stay the same; the blanks between them become more.
 *
 * @param columns longest line wished for; a single longer word stays whole
 */
export function setCommand(file: UnitFile, assignment: Assignment, columns = 100): Edited {
  const { section, key, value } = assignment
  if (knownOption(section, key)?.type !== 'command') {
    return err({ kind: 'bad-key', message: `${key}= in section [${section}] takes no command` })
  }
  const set = setValue(file, assignment)
  if (!set.ok) return set
  const last = indexesOf(set.value, section, key).findLast((index) => valueAt(set.value, index) === value)
  const [first = '', ...rest] = wrapCommand(`${key}=${value}`, columns)
  const lines = [first.slice(key.length + 1), ...rest].join(lineEndOf(file))
  return last === undefined ? set : ok(withBlocks(set.value, new Map([[last, replaced(lines)]])))
}

/** A line of words as lines that join to the same words. A word that would make its line a comment begins none. */
export function wrapCommand(command: string, columns = 100): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (let start = 0; start < command.length; ) {
    const word = firstWord(command, start, relaxedWords)
    const end = word.ok && word.value !== undefined ? word.value.rest : command.length
    const text = trimWord(command.slice(start, end))
    start = end
    const isTooLong = line.length + 1 + text.length + ' \\'.length > columns
    if (line !== '' && isTooLong && !/^[#;]/.test(text)) {
      lines.push(`${line} \\`)
      line = `    ${text}`
    } else line = line === '' ? text : `${line} ${text}`
  }
  return line === '' ? lines : [...lines, line]
}

/** Without the blanks around it, but for one that a backslash makes part of the word. */
function trimWord(text: string): string {
  const word = text.trim()
  const isEscaped = (/\\*$/.exec(word)?.[0].length ?? 0) % 2 === 1 && /\s$/.test(text)
  return isEscaped ? `${word} ` : word
}

/** Why an assignment cannot be written; absent when it can. */
function assignmentError({ section, key, value }: Assignment): EditError | undefined {
  if (section === '' || /[\0-\x1f"'\\\]\x7f\ud800-\udfff]/u.test(section)) {
    return {
      kind: 'bad-section',
      message: `[${section}] is no section name: no quotes, backslashes, brackets or line ends`,
    }
  }
  if (key === '' || /[\0\r\n=\ud800-\udfff\ufeff]|\\$|^[[#;\s]|\s$/u.test(key)) {
    return { kind: 'bad-key', message: `“${key}” is no key: no “=”, no line end, no blank around it` }
  }
  const reason = valueProblem(value)
  if (reason === undefined && byteLength(`${key}=${value}`) <= lineBytesMax) return undefined
  return {
    kind: 'bad-value',
    message: `the value of ${key}= cannot be written: it ${reason ?? 'is longer than 1 MiB'}`,
  }
}

const lineBytesMax = 1_000_000

function valueProblem(value: string): string | undefined {
  if (/[\0\r\n]/.test(value))
    return 'holds a line end or a zero byte; write it as an escape where the key undoes escapes'
  if (/^[ \t]|[ \t]$/.test(value)) return 'begins or ends with a blank; quote it where the key undoes quotes'
  if (value.endsWith('\\')) return 'ends in a backslash, which would join the next line'
  if (/[\ud800-\udfff]/u.test(value)) return 'is not UTF-8'
  return undefined
}

/** Keys of [X-Fleet] are lists for fleet, but for the last one of `Global=`. */
const isList = (section: string, key: string): boolean =>
  section === 'X-Fleet' ? key !== 'Global' : (knownOption(section, key)?.list ?? false)

const resets = (section: string, key: string): boolean => knownOption(section, key)?.reset ?? false

const indexesOf = ({ blocks }: UnitFile, section: string, key: string): readonly number[] =>
  blocks.flatMap((block, index) =>
    block.kind === 'assignment' && block.section === section && block.key === key ? [index] : [],
  )

function valueAt({ blocks }: UnitFile, index: number): string | undefined {
  const block = blocks[index]
  return block?.kind === 'assignment' ? block.value : undefined
}

const textOf = (block: UnitFileBlock): string => block.lines.map(({ text, end }) => text + end).join('')

/** The new text of a block. `hasMark`: the file's byte order mark stands in it. */
type Change = (block: UnitFileBlock, hasMark: boolean) => string

const byteOrderMark = '\ufeff'

/** A mark that was taken off stays as an otherwise empty line: systemd takes off only one, and it would be the next. */
const removed: Change = (block, hasMark) => (hasMark ? `${byteOrderMark}${block.lines[0]?.end || '\n'}` : '')

const replaced =
  (value: string): Change =>
  (block, hasMark) => {
    if (block.kind !== 'assignment') return textOf(block)
    const [first, ...rest] = block.lines
    const comments = rest.filter(({ text }) => /^[ \t]*[#;]/.test(text))
    const indent = /^\ufeff?([ \t]*)/.exec(first?.text ?? '')?.[1] ?? ''
    const head = block.text.slice(0, block.text.length - block.value.length)
    // “Key =” has lost the blank behind it with its value.
    const gap = block.value === '' && / =$/.test(head) && value !== '' ? ' ' : ''
    const end = block.lines.at(-1)?.end ?? ''
    const line = `${indent}${head}${gap}${value}`.trimEnd() + end
    const above = comments.map(({ text, end: commentEnd }) => text + (commentEnd || '\n')).join('')
    return `${hasMark ? `${byteOrderMark}${above === '' ? '' : '\n'}` : ''}${above}${line}`
  }

/** The block with the mark that systemd takes off: that of the first line which begins with one. -1: there is none. */
const markedBlock = (blocks: readonly UnitFileBlock[]): number =>
  blocks.findIndex((block) => block.lines.some(({ text }) => text.startsWith(byteOrderMark)))

/** The file with some blocks changed; blank runs that meet where a block has gone become one. */
function withBlocks({ blocks }: UnitFile, changes: ReadonlyMap<number, Change>): UnitFile {
  let text = ''
  let previous: UnitFileBlock | undefined
  let hasGone = false
  const marked = markedBlock(blocks)
  for (const [index, block] of blocks.entries()) {
    const change = changes.get(index)
    const changed = change === undefined ? textOf(block) : change(block, index === marked)
    if (change !== undefined && changed === '') {
      hasGone = true
      continue
    }
    const meetsBlank = block.kind === 'blank' && (previous === undefined || previous.kind === 'blank')
    if (hasGone && meetsBlank && index !== marked) continue
    text += changed
    previous = block
    hasGone = false
  }
  return parseUnitFile(text)
}

/** Puts the assignment below block `index`, as far in as that one. */
function insertAfter(file: UnitFile, index: number, { key, value }: Assignment): UnitFile {
  const neighbour = file.blocks[index]
  const indent =
    neighbour?.kind === 'assignment' ? (/^\ufeff?([ \t]*)/.exec(neighbour.lines[0]?.text ?? '')?.[1] ?? '') : ''
  return insertText(file, index + 1, `${indent}${key}${equalsOf(file)}${value}`.trimEnd() + lineEndOf(file))
}

function insertIntoSection(file: UnitFile, assignment: Assignment): UnitFile {
  const { blocks } = file
  const header = blocks.findLastIndex((block) => block.kind === 'header' && block.name === assignment.section)
  if (header === -1) return insertSection(file, assignment)
  const next = blocks.findIndex((block, index) => index > header && block.kind === 'header')
  const end = next === -1 ? blocks.length : next
  const last = blocks.findLastIndex((block, index) => index > header && index < end && block.kind === 'assignment')
  return insertAfter(file, last === -1 ? header : last, assignment)
}

function insertSection(file: UnitFile, { section, key, value }: Assignment): UnitFile {
  const { blocks } = file
  const at = newSectionIndex(blocks, section)
  const end = lineEndOf(file)
  const before = blocks[at - 1]
  const blankBefore = before === undefined || before.kind === 'blank' ? '' : end
  const blankAfter = at < blocks.length ? end : ''
  return insertText(
    file,
    at,
    `${blankBefore}[${section}]${end}${`${key}${equalsOf(file)}${value}`.trimEnd()}${end}${blankAfter}`,
  )
}

/** Before [Install] and the X- sections at the end, and before the comments directly above those. */
function newSectionIndex(blocks: readonly UnitFileBlock[], section: string): number {
  if (section.startsWith('X-')) return blocks.length
  const isLater = (block: UnitFileBlock): boolean =>
    block.kind === 'header' && (block.name.startsWith('X-') || (block.name === 'Install' && section !== 'Install'))
  const lastOther = blocks.findLastIndex((block) => block.kind === 'header' && !isLater(block))
  const install =
    section === 'Install' ? -1 : blocks.findIndex((block) => block.kind === 'header' && block.name === 'Install')
  const closing = blocks.findIndex((block, index) => index > lastOther && isLater(block))
  const at = [install, closing].filter((index) => index !== -1).sort((one, other) => one - other)[0] ?? blocks.length
  return at > 1 && blocks[at]?.kind === 'header' && blocks[at - 1]?.kind === 'comment' ? at - 1 : at
}

function insertText(file: UnitFile, at: number, text: string): UnitFile {
  const { blocks } = file
  const before = blocks.slice(0, at).map(textOf).join('')
  const after = blocks.slice(at).map(textOf).join('')
  return parseUnitFile(`${before}${missingEnd(blocks[at - 1], lineEndOf(file))}${text}${after}`)
}

/** What must come first where a file ends without a line end, or in the middle of a continued line. */
function missingEnd(block: UnitFileBlock | undefined, lineEnd: string): string {
  const last = block?.lines.at(-1)
  if (block === undefined || last === undefined) return ''
  const isContinued =
    'lastLine' in block
      ? block.lastLine > block.line + block.lines.length - 1
      : block.kind === 'blank' && /\\$/.test(last.text)
  if (last.end === '') return isContinued ? lineEnd + lineEnd : lineEnd
  // The blank keeps the two line ends from being read as one.
  return isContinued ? ` ${lineEnd}` : ''
}

/** The file's most frequent line end. */
function lineEndOf({ blocks }: UnitFile): string {
  const ends = blocks.flatMap((block) => block.lines.map(({ end }) => end))
  return mostFrequent(ends.filter((end) => end !== '' && !end.includes('\0'))) ?? '\n'
}

/** The file's most frequent spacing around `=`. */
function equalsOf({ blocks }: UnitFile): string {
  const spacings = blocks.flatMap((block) => {
    if (block.kind !== 'assignment' || block.value === '') return []
    return [/^[^=]*?([ \t]*=[ \t]*)/.exec(block.text)?.[1] ?? '=']
  })
  return mostFrequent(spacings) ?? '='
}

function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0]
}
