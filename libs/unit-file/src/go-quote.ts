/** Go's `%q`, in which fleet's messages show names: texts in double quotes, single characters in single ones. */

const namedEscapes: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
])

/** The text as Go's `strconv.Quote` writes it: printable characters as they are, the others escaped. */
export const goQuote = (text: string): string => `"${Array.from(text, (char) => goEscape(char, '"')).join('')}"`

/** One character as Go's `strconv.QuoteRune` writes it; to Go a byte that is no UTF-8 is the character U+FFFD. */
export const goQuoteRune = (char: string): string => `'${goEscape(/\p{Cs}/u.test(char) ? '\ufffd' : char, "'")}'`

function goEscape(char: string, quote: string): string {
  const code = char.codePointAt(0) ?? 0
  if (char === quote) return `\\${quote}`
  const named = namedEscapes.get(code)
  if (named !== undefined) return named
  // Go's IsPrint: letters, marks, numbers, punctuation, symbols, and of all blanks only the ASCII one.
  if (char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return char
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
  // A byte that is no UTF-8, kept as a lone surrogate by `readAsFleet`.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')
