/** Which known word did the person mean? */

export type EditCosts = {
  /** What two neighbours in the wrong order cost: 1 as a typing error of its own, 2 (the default) as two replacements. */
  readonly swap?: 1 | 2
  /** Distances above this need not be exact; looking ends as soon as it is certain. */
  readonly atMost?: number
}

/** How many characters must be inserted, removed or replaced to make one text the other, letter case included. */
export function editDistance(one: string, other: string, { swap = 2, atMost = Infinity }: EditCosts = {}): number {
  if (Math.abs(one.length - other.length) > atMost) return Math.abs(one.length - other.length)
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    let least = row
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1]
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
      )
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (isSwapped) cost = Math.min(cost, (before[column - 2] ?? 0) + swap)
      current.push(cost)
      if (cost < least) least = cost
    }
    // A swap reaches back two rows, and adds at least one to what stands there.
    if (least > atMost + 1) return least
    before = above
    above = current
  }
  return above[other.length] ?? 0
}

/** The known word that a mistyped one most likely means, the first of equals; none when more than a third differs. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const candidate of known) {
    const atMost = Math.min(Math.max(2, candidate.length / 3), (best?.distance ?? Infinity) - 1)
    const distance = editDistance(word, candidate, { atMost })
    if (distance <= atMost) best = { word: candidate, distance }
  }
  return best?.word
}
