/** Which known word was meant? The nearest one by typing errors, if it is near enough and alone there. */

/** Insertions, deletions, replacements and swapped neighbours between two words. */
function typingErrors(one: string, other: string): number {
  let before: number[] = []
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1]
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    before = previous
    previous = current
  }
  return previous[other.length] ?? 0
}

/** The known word that a text was probably meant to be: one or two errors away, or all but its end. */
export function nearestWord(text: string, known: Iterable<string>): string | undefined {
  const lower = text.toLowerCase()
  const limit = text.length < 4 ? 1 : text.length < 8 ? 2 : 3
  let best: { readonly word: string; readonly errors: number } | undefined
  let isAlone = true
  for (const word of known) {
    if (Math.abs(word.length - text.length) > limit && !word.toLowerCase().startsWith(lower)) continue
    const isBeginning = text.length >= 4 && word.toLowerCase().startsWith(lower)
    const errors = isBeginning ? 1 : typingErrors(lower, word.toLowerCase())
    if (errors > limit || (best !== undefined && errors > best.errors)) continue
    isAlone = best === undefined || errors < best.errors || word === best.word
    best = { word, errors }
  }
  return isAlone ? best?.word : undefined
}
