/** Which known words may the person have meant? */
import { editDistance } from '@cluster/prelude'

/**
 * The known words within two edits of `word`, or that begin with it; in the order given, letter case aside.
 *
 * @param distanceMax how many letters may be inserted, removed or changed
 */
export function nearestWords(word: string, known: readonly string[], distanceMax = 2): readonly string[] {
  const wanted = word.toLowerCase()
  return known.filter((candidate) => {
    const other = candidate.toLowerCase()
    return (
      (wanted !== '' && other.startsWith(wanted)) || editDistance(wanted, other, { atMost: distanceMax }) <= distanceMax
    )
  })
}
