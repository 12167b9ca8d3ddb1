/** The grammar of a file: UF001 to UF020. */
import { byteLength, isCleanText } from '../byte-text.ts'
import { isRemovedOption, knownOption, knownOptions } from '../known-options.ts'
import { sectionsOf } from '../read-systemd.ts'
import type { AssignmentBlock, JunkBlock, UnitFileBlock } from '../source.ts'
import { unitTypes } from '../unit-name.ts'
import type { Complaint, LintContext, LintFix } from './finding.ts'
import { isNewerKey, keySince } from './keys-since.ts'
import type { LintedFile } from './linted-unit.ts'
import { nearestWord } from './nearest.ts'
import {
  insertBelow,
  keyRange,
  lineRange,
  rangeIn,
  removeBlock,
  replaceRange,
  replaceValue,
  startOfFile,
  textRange,
  valueRange,
} from './place.ts'
import type { LintRule } from './rule.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })
const isComment = (text: string): boolean => /^[ \t\n\r]*[#;]/.test(text)
const isBlank = (text: string): boolean => /^[ \t\n\r]*$/.test(text)

const allSections: ReadonlySet<string> = new Set(unitTypes.flatMap((type) => [...sectionsOf(type)]))

function* emptyFile({ text, role, unitName }: LintedFile): Iterable<Complaint> {
  if (text !== '' || role === 'drop-in') return
  yield {
    id: 'UF001',
    range: startOfFile,
    message: `the file has no bytes, which masks ${unitName}: it cannot be started`,
    remedy: 'write a unit into it, or delete the file; to mask on purpose, link it to /dev/null',
  }
}

function* headers({ source, type }: LintedFile): Iterable<Complaint> {
  const own = sectionsOf(type)
  for (const block of source.blocks) {
    if (block.kind === 'junk' && block.reason === 'broken-header') yield brokenHeader(block, own)
    if (block.kind !== 'header' || own.has(block.name) || block.name.startsWith('X-')) continue
    if (/[\0-\x1f"'\\\x7f]/.test(block.name)) {
      yield {
        id: 'UF002',
        range: textRange(block),
        message: `the section header ${block.text} holds quotes, backslashes or control characters`,
        remedy: 'write the name of a section between the brackets, such as [Service]',
      }
      continue
    }
    if (allSections.has(block.name)) {
      const ownName = [...own].join('], [')
      yield {
        id: 'UF007',
        range: textRange(block),
        message: `section [${block.name}] is ignored in a ${type} unit`,
        remedy: `move it to a .${block.name.toLowerCase()} unit; a ${type} unit has [${ownName}]`,
      }
      continue
    }
    const nearest = nearestWord(block.name.trim(), own)
    yield {
      id: 'UF006',
      range: textRange(block),
      message: `section [${block.name}] is not known, and all in it is ignored`,
      remedy:
        nearest === undefined
          ? `write one of [${[...own].join('], [')}], or [X-${block.name}] for what other programs read`
          : `write [${nearest}], or [X-${block.name}] for what other programs read`,
      fix:
        nearest === undefined ? undefined : fix(`write [${nearest}]`, replaceRange(textRange(block), `[${nearest}]`)),
    }
  }
}

function brokenHeader(block: JunkBlock, own: ReadonlySet<string>): Complaint {
  const [, closed, behind] = /^(\[[^[\]]+\])[ \t]*([#;].*)$/.exec(block.text) ?? []
  const name = /^\[([A-Za-z]+)$/.exec(block.text)?.[1]
  const whole =
    closed !== undefined && behind !== undefined
      ? fix('put the comment on a line of its own', replaceRange(textRange(block), `${behind}\n${closed}`))
      : name !== undefined && own.has(name)
        ? fix(`write [${name}]`, replaceRange(textRange(block), `[${name}]`))
        : undefined
  return {
    id: 'UF002',
    range: textRange(block),
    message: `“${block.text}” is no section header: it does not end in “]”, and the unit is refused`,
    remedy:
      closed === undefined ? 'close the header with “]”' : 'put what stands behind the header on a line of its own',
    fix: whole,
  }
}

function* unreadableLines({ source }: LintedFile): Iterable<Complaint> {
  for (const block of source.blocks) {
    if (block.kind === 'overlong') {
      yield {
        id: 'UF016',
        range: lineRange(block, 0),
        message: 'the line is longer than 1 MiB, and the unit is refused',
        remedy: 'wrap it with “\\” at line ends, or keep the data in a file of its own',
      }
      continue
    }
    if (block.kind !== 'comment' && block.kind !== 'blank' && !isCleanText(block.text)) {
      const from = Array.from(block.text).reduce(
        (state, character) =>
          state.found || !isCleanText(character)
            ? { at: state.at, found: true }
            : { at: state.at + character.length, found: false },
        { at: 0, found: false },
      ).at
      yield {
        id: 'UF003',
        range: rangeIn(block, from, from + 1),
        message: 'the line holds bytes that are not UTF-8: systemd stops reading here and refuses the unit',
        remedy: 'save the file as UTF-8',
      }
    }
    for (const [index, line] of block.lines.entries()) {
      const sizeBytes = line.text.length > 680 ? byteLength(line.text) : 0
      if (sizeBytes < 2048) continue
      yield {
        id: 'UF016',
        range: lineRange(block, index, 2047),
        message: `the line has ${sizeBytes} bytes; fleet may refuse lines of 2048 bytes and more`,
        remedy: 'wrap it with “\\” at line ends, or keep the data in a file (EnvironmentFile=)',
      }
    }
  }
}

function* strayLines({ source, type }: LintedFile): Iterable<Complaint> {
  const own = sectionsOf(type)
  for (const block of source.blocks) {
    if (block.kind !== 'assignment' && block.kind !== 'junk') continue
    if (block.kind === 'junk' && block.reason === 'broken-header') continue
    if (block.section === undefined) {
      yield {
        id: 'UF005',
        range: textRange(block),
        message: `“${shortened(block.text)}” stands before the first section and is ignored`,
        remedy: 'move it below a section header such as [Unit]',
      }
      continue
    }
    if (block.kind === 'assignment' || !own.has(block.section)) continue
    const [, key, value] = /^([A-Za-z]+)[ \t]*:[ \t]*(.*)$/s.exec(block.text) ?? []
    const isKnown = key !== undefined && knownOption(block.section, key) !== undefined
    yield {
      id: 'UF004',
      range: textRange(block),
      message:
        block.reason === 'no-key'
          ? `“${shortened(block.text)}” has no key before “=” and is ignored`
          : `“${shortened(block.text)}” has no “=” and is ignored`,
      remedy: isKnown ? `write ${key}=` : 'write Key=value, or make it a comment with “#”',
      fix: isKnown ? fix(`write ${key}=`, replaceRange(textRange(block), `${key}=${value ?? ''}`)) : undefined,
    }
  }
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

/** Looking for the word that was meant takes a while; of so many unknown keys in a file the others get no suggestion. */
const suggestionsMax = 500

function* unknownKeys(file: LintedFile, { systemdVersion = 252 }: LintContext): Iterable<Complaint> {
  let suggestions = 0
  const own = sectionsOf(file.type)
  for (const block of file.source.blocks) {
    if (block.kind !== 'assignment' || block.section === undefined || !own.has(block.section)) continue
    const { section, key } = block
    if (key.startsWith('X-')) continue
    const since = keySince(section, key)
    if (since !== undefined && since > systemdVersion) {
      yield {
        id: 'UF010',
        range: keyRange(block),
        message: `${key}= is known since systemd ${since}; ${systemdVersion} ignores it`,
        remedy: `leave it out, or run the unit only where systemd is at least ${since}`,
      }
      continue
    }
    if (isRemovedOption(section, key)) {
      yield {
        id: 'UF064',
        range: keyRange(block),
        message: `${key}= is gone from systemd and has no effect`,
        remedy: 'leave it out',
        fix: fix(`remove ${key}=`, removeBlock(block)),
      }
      continue
    }
    if (isNewerKey(section, key) || knownOption(section, key) !== undefined) continue
    const isSuggested = suggestions++ < suggestionsMax
    yield unknownKey(file, block, section, own, isSuggested ? (knownOptions.get(section)?.keys() ?? []) : [])
  }
}

function unknownKey(
  { source }: LintedFile,
  block: AssignmentBlock,
  section: string,
  own: ReadonlySet<string>,
  likely: Iterable<string>,
): Complaint {
  const { key } = block
  const home = [...own].find((other) => other !== section && knownOption(other, key) !== undefined)
  const range = keyRange(block)
  if (home !== undefined) {
    const header = source.blocks.findLast((other) => other.kind === 'header' && other.name === home)
    const lines = block.lines.map(({ text }) => text).join('\n')
    return {
      id: 'UF009',
      range,
      message: `${key}= is not known in [${section}] and is ignored there`,
      remedy: `move it to [${home}]`,
      fix:
        header === undefined || header.kind !== 'header'
          ? undefined
          : fix(`move it to [${home}]`, removeBlock(block), insertBelow(header, lines)),
    }
  }
  const foreign = [...knownOptions].filter(([, keys]) => keys.has(key)).map(([name]) => name)
  const nearest = foreign.length > 0 ? undefined : nearestWord(key, likely)
  return {
    id: 'UF008',
    range,
    message: `${key}= is not known in [${section}] and is ignored`,
    remedy:
      nearest !== undefined
        ? `write ${nearest}=`
        : foreign.length > 0
          ? `it belongs to [${foreign.join('] or [')}] of another type of unit; leave it out here`
          : `leave it out, or write X-${key}= for what other programs read`,
    fix: nearest === undefined ? undefined : fix(`write ${nearest}=`, replaceRange(range, nearest)),
  }
}

const endsEscaped = (text: string): boolean => (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1

function* continuations({ source }: LintedFile): Iterable<Complaint> {
  for (const [place, block] of source.blocks.entries()) {
    if (block.kind === 'comment') {
      const complaint = swallowingComment(block, source.blocks[place + 1])
      if (complaint !== undefined) yield complaint
    }
    if (block.kind !== 'assignment' && block.kind !== 'junk' && block.kind !== 'header') continue
    const last = block.lines.length - 1
    const text = block.lines[last]?.text ?? ''
    const spaced = /\\[ \t]+$/.exec(text)
    if (spaced !== null && endsEscaped(text.trimEnd())) {
      const range = lineRange(block, last, spaced.index)
      yield {
        id: 'UF011',
        range,
        message: 'a backslash before spaces does not continue the line: it stays in the value',
        remedy: 'remove the spaces behind it, or the backslash where nothing follows',
        fix: fix(
          'remove backslash and spaces',
          replaceRange(lineRange(block, last, text.slice(0, spaced.index).trimEnd().length), ''),
        ),
      }
    }
    if (block.lastLine > block.line + last && endsEscaped(text)) {
      yield {
        id: 'UF013',
        range: lineRange(block, last, text.length - 1),
        message: 'the file ends where a continued line should go on',
        remedy: 'remove the backslash at the end',
        fix: fix('remove the backslash', replaceRange(lineRange(block, last, text.slice(0, -1).trimEnd().length), '')),
      }
    }
    yield* insideContinuation(block)
  }
}

function* insideContinuation(
  block: AssignmentBlock | JunkBlock | Extract<UnitFileBlock, { kind: 'header' }>,
): Iterable<Complaint> {
  const comments = new Set<number>()
  for (const [index, { text }] of block.lines.entries()) if (index > 0 && isComment(text)) comments.add(index)
  for (const [index, { text }] of block.lines.entries()) {
    if (index === 0 || isComment(text)) continue
    const key = /^([A-Z][A-Za-z0-9]+)[ \t]*=/.exec(text)?.[1]
    const isHeader = /^[ \t]*\[[A-Z][A-Za-z-]*\][ \t]*$/.test(text)
    const isKey = key !== undefined && [...knownOptions.values()].some((keys) => keys.has(key))
    if (!isHeader && !isKey) continue
    const before = block.lines[index - 1]?.text ?? ''
    const cut = before.replace(/[ \t]*\\$/, '').length
    yield {
      id: 'UF012',
      range: lineRange(block, index),
      message: `“${shortened(text.trim())}” belongs to the value of the line above, which ends in a backslash`,
      remedy: 'remove the backslash at the end of the line above',
      fix:
        isComment(before) || !before.endsWith('\\')
          ? undefined
          : fix('remove the backslash', replaceRange(lineRange(block, index - 1, cut), '')),
    }
  }
  const [first] = comments
  if (first === undefined) return
  const kept = block.lines.filter((_, index) => !comments.has(index))
  const above = [...comments].map(
    (index) => `${(block.lines[index]?.text ?? '').trim().replace(/\\+$/, '').trimEnd()}\n`,
  )
  const end = { line: block.line + block.lines.length - 1, column: (block.lines.at(-1)?.text.length ?? 0) + 1 }
  // what stays must end as the value did: a comment may have been its last line
  const rest = kept.map(({ text }) => text).join('\n')
  yield {
    id: 'UF014',
    range: lineRange(block, first),
    message:
      'a comment stands inside of a continued value: systemd drops it, fleet takes it for a part or an end of it',
    remedy: 'move the comment above the assignment',
    fix: fix(
      'move the comment above the assignment',
      replaceRange({ start: { line: block.line, column: 1 }, end }, `${above.join('')}${rest}`),
    ),
  }
}

/** fleet continues comments; what it swallows does no harm as long as that is another comment. */
function swallowingComment(block: UnitFileBlock, next: UnitFileBlock | undefined): Complaint | undefined {
  const lines = [...block.lines, ...(next?.lines ?? [])]
  for (const [index, { text }] of block.lines.entries()) {
    if (!/\\ ?$/.test(text)) continue
    let swallowed = index + 1
    while (swallowed < lines.length && /\\ ?$/.test(lines[swallowed]?.text ?? '')) {
      if (!isHarmless(lines[swallowed]?.text)) break
      swallowed += 1
    }
    const lost = lines[swallowed]?.text
    if (lost === undefined || isHarmless(lost)) continue
    return {
      id: 'UF015',
      range: lineRange(block, index, text.lastIndexOf('\\')),
      message: `the comment ends in a backslash: fleet drops “${shortened(lost.trim())}” below it`,
      remedy: 'remove the backslash',
      fix: fix(
        'remove the backslash',
        replaceRange(lineRange(block, index, text.replace(/[ \t]*\\ ?$/, '').length), ''),
      ),
    }
  }
  return undefined
}

const isHarmless = (text = ''): boolean => isComment(text) || isBlank(text)

const strangeSpace = /^[\u000b\u000c\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+/
const strangeSpaceAtEnd = /[\u000b\u000c\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+$/

function* strangeCharacters({ source }: LintedFile): Iterable<Complaint> {
  for (const block of source.blocks) {
    for (const [index, { text, end }] of block.lines.entries()) {
      if (block.kind !== 'comment') {
        const start = /^[ \t]*/.exec(text)?.[0].length ?? 0
        const found = strangeSpace.exec(text.slice(start))?.[0]
        const at = { line: block.line + index, column: start + 1 }
        if (found !== undefined) {
          const range = { start: at, end: { line: at.line, column: at.column + found.length } }
          yield strange(
            range,
            `${nameOfSpace(found)} stands before the text`,
            fix('remove it', replaceRange(range, '')),
          )
        }
        const behind = /[ \t]*$/.exec(text)?.index ?? text.length
        const last = strangeSpaceAtEnd.exec(text.slice(0, behind))
        if (last !== null && last.index >= start + (found?.length ?? 0)) {
          const range = {
            start: { line: at.line, column: last.index + 1 },
            end: { line: at.line, column: last.index + last[0].length + 1 },
          }
          yield strange(
            range,
            `${nameOfSpace(last[0])} stands behind the text`,
            fix('remove it', replaceRange(range, '')),
          )
        }
      }
      const isCut = end.includes('\0') || end === '\r'
      if (!isCut) continue
      const column = text.length + 1
      const name = end.includes('\0') ? 'a zero byte' : 'a lone carriage return'
      yield strange(
        { start: { line: block.line + index, column }, end: { line: block.line + index, column } },
        `${name} ends the line here for systemd, and not for fleet`,
        undefined,
      )
    }
  }
}

const strange = (range: Complaint['range'], message: string, remedyFix: LintFix | undefined): Complaint => ({
  id: 'UF018',
  range,
  message,
  remedy: 'remove the character; only space and tab are white space',
  fix: remedyFix,
})

const nameOfSpace = (text: string): string =>
  text.startsWith('\ufeff')
    ? 'a byte order mark (U+FEFF)'
    : `U+${text.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`

function* valueStyle({ assignments }: LintedFile): Iterable<Complaint> {
  for (const { block, key, value, option } of assignments) {
    const comment = option.type === 'command' ? /[ \t]#(?=[ \t]|$)/ : /[ \t][#;](?=[ \t]|$)/
    const found = comment.exec(value.replace(/"[^"]*"|'[^']*'/g, (quoted) => '_'.repeat(quoted.length)))
    if (found !== null) {
      yield {
        id: 'UF017',
        range: valueRange(block, found.index + 1),
        message: `“${shortened(value.slice(found.index + 1))}” is part of the value of ${key}=`,
        remedy: 'put the comment on a line of its own',
      }
    }
    const isQuoted = option.split === 'line' && /^(?:"[^"]*"|'[^']*')$/.test(value)
    if (!isQuoted) continue
    yield {
      id: 'UF020',
      range: valueRange(block),
      message: `the quotes are part of the value of ${key}=`,
      remedy: 'leave the quotes out',
      fix: value.length < 3 ? undefined : fix('drop the quotes', replaceValue(block, value.slice(1, -1).trim())),
    }
  }
}

function* repeatedKeys({ assignments }: LintedFile): Iterable<Complaint> {
  const seen = new Map<string, LintedFile['assignments'][number]>()
  for (const assignment of assignments) {
    const { section, key, option, value, block } = assignment
    if (option.list) continue
    const name = `${section}.${key}`
    const before = seen.get(name)
    seen.set(name, assignment)
    if (before === undefined || value === '' || before.value === '') continue
    yield {
      id: 'UF019',
      range: keyRange(before.block),
      message: `${key}=${shortened(before.value)} has no effect: line ${block.line} sets ${key}= again`,
      remedy: 'keep the last one only',
      fix: fix('remove the earlier one', removeBlock(before.block)),
    }
  }
}

/** What is said of lines and blocks. */
export const syntaxRules: readonly LintRule[] = [
  { kind: 'file', ids: ['UF001'], check: emptyFile },
  { kind: 'file', ids: ['UF002', 'UF006', 'UF007'], check: headers },
  { kind: 'file', ids: ['UF003', 'UF016'], check: unreadableLines },
  { kind: 'file', ids: ['UF004', 'UF005'], check: strayLines },
  {
    kind: 'file',
    ids: ['UF008', 'UF009', 'UF010', 'UF064'],
    check: (file, _unit, context) => unknownKeys(file, context),
  },
  { kind: 'file', ids: ['UF011', 'UF012', 'UF013', 'UF014', 'UF015'], check: continuations },
  { kind: 'file', ids: ['UF017', 'UF020'], check: valueStyle },
  { kind: 'file', ids: ['UF018'], check: strangeCharacters },
  { kind: 'file', ids: ['UF019'], check: repeatedKeys },
]
