/** Which known word did the person mean? */

/**
 * The known words within two edits of `word`, or that begin with it; in the order given, letter case aside.
 *
 * @param distanceMax how many letters may be inserted, removed or changed
 */
export function nearestWords(word: string, known: readonly string[], distanceMax = 2): readonly string[] {
  const wanted = word.toLowerCase()
  return known.filter((candidate) => {
    const other = candidate.toLowerCase()
    return (wanted !== '' && other.startsWith(wanted)) || editDistance(wanted, other) <= distanceMax
  })
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const change = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
