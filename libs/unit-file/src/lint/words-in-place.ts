/** The words of a value with their places: as they mean, and as they are written. */
import type { AssignmentBlock } from '../source.ts'
import { firstWord, relaxedWords, type WordSyntax } from '../words.ts'
import type { LintRange } from './finding.ts'
import { valueRange } from './place.ts'

/** A word of a value. */
export type PlacedWord = {
  /** Quotes and escapes undone. */
  readonly word: string
  /** As written. */
  readonly raw: string
  /** Where `raw` stands in the value. */
  readonly from: number
  readonly to: number
  readonly block: AssignmentBlock
}

/** Where a word stands in its file. */
export const wordRange = ({ block, from, to }: PlacedWord): LintRange => valueRange(block, from, to)

/** The words up to the end or the first one that cannot be read. */
export function placedWords(block: AssignmentBlock, syntax: WordSyntax, start = 0): readonly PlacedWord[] {
  const { value } = block
  const words: PlacedWord[] = []
  for (let from = behindBlanks(value, start); ; ) {
    const next = firstWord(value, from, syntax)
    if (!next.ok || next.value === undefined) return words
    let to = next.value.rest
    while (to > from && ' \t\n\r'.includes(value[to - 1] ?? '')) to -= 1
    words.push({ word: next.value.word, raw: value.slice(from, to), from, to, block })
    from = next.value.rest
  }
}

function behindBlanks(text: string, start: number): number {
  let index = start
  while (index < text.length && ' \t\n\r'.includes(text[index] ?? '')) index += 1
  return index
}

/** One command of an `Exec…=` value. */
export type PlacedCommand = {
  /** The first word without its prefixes. */
  readonly program: string
  /** Characters before it: `-`, `@`, `:`, `+`, `!`. */
  readonly prefixes: string
  /** The first word. */
  readonly first: PlacedWord
  /** Those behind it, without an own zeroth one. */
  readonly args: readonly PlacedWord[]
}

/** The commands of a value, separated by a lone `;`. */
export function placedCommands(block: AssignmentBlock): readonly PlacedCommand[] {
  const commands: PlacedCommand[] = []
  let words: PlacedWord[] = []
  const close = (): void => {
    const [first, ...rest] = words
    words = []
    if (first === undefined) return
    const prefixes = /^[-@:+!]*/.exec(first.word)?.[0] ?? ''
    const args = prefixes.includes('@') ? rest.slice(1) : rest
    commands.push({ program: first.word.slice(prefixes.length), prefixes, first, args })
  }
  for (const word of placedWords(block, relaxedWords)) {
    if (word.raw === ';') close()
    else words.push(word)
  }
  close()
  return commands
}
