/** Which known word was meant? The nearest one by typing errors, if it is near enough and alone there. */
import { editDistance } from '@cluster/prelude'

/** The known word that a text was probably meant to be: one or two errors away, or all but its end. */
export function nearestWord(text: string, known: Iterable<string>): string | undefined {
  const lower = text.toLowerCase()
  const limit = text.length < 4 ? 1 : text.length < 8 ? 2 : 3
  let best: { readonly word: string; readonly errors: number } | undefined
  let isAlone = true
  for (const word of known) {
    if (Math.abs(word.length - text.length) > limit && !word.toLowerCase().startsWith(lower)) continue
    const isBeginning = text.length >= 4 && word.toLowerCase().startsWith(lower)
    const errors = isBeginning ? 1 : editDistance(lower, word.toLowerCase(), { swap: 1, atMost: limit })
    if (errors > limit || (best !== undefined && errors > best.errors)) continue
    isAlone = best === undefined || errors < best.errors || word === best.word
    best = { word, errors }
  }
  return isAlone ? best?.word : undefined
}
