/**
 * go-systemd's parser on Go's `bufio.Reader`, step by step and slow: what read-fleet.ts must agree with on every input.
 * Works on bytes; texts in results are Latin-1 (one character per byte), names with U+FFFD written as in UTF-8.
 */

class BufferedReader {
  readonly #source: Uint8Array
  readonly #buffer = new Uint8Array(4096)
  #taken = 0
  #read = 0
  #written = 0
  #ended = false

  constructor(source: Uint8Array) {
    this.#source = source
  }

  get buffered(): number {
    return this.#written - this.#read
  }

  peek(count: number): Uint8Array {
    return this.#buffer.slice(this.#read, this.#read + count)
  }

  #fill(): void {
    this.#buffer.copyWithin(0, this.#read, this.#written)
    this.#written -= this.#read
    this.#read = 0
    const next = this.#source.subarray(this.#taken, this.#taken + this.#buffer.length - this.#written)
    if (next.length === 0) this.#ended = true
    this.#buffer.set(next, this.#written)
    this.#written += next.length
    this.#taken += next.length
  }

  /** The bytes of the next rune; a byte that starts none stands alone. Empty at the end. */
  readRune(): Uint8Array {
    while (this.buffered < 4 && !this.#ended && !isFull(this.peek(this.buffered))) this.#fill()
    const length = runeLength(this.peek(4))
    const rune = this.peek(Math.min(length, this.buffered))
    this.#read += rune.length
    return rune
  }

  unread(rune: Uint8Array): void {
    this.#read -= rune.length
  }

  /** Bytes up to and including `delimiter`, or what is left, with `found` false. */
  readBytes(delimiter: number): { readonly bytes: readonly number[]; readonly found: boolean } {
    const bytes: number[] = []
    for (;;) {
      const at = this.#buffer.subarray(this.#read, this.#written).indexOf(delimiter)
      if (at !== -1) {
        bytes.push(...this.peek(at + 1))
        this.#read += at + 1
        return { bytes, found: true }
      }
      if (this.#ended || this.buffered >= this.#buffer.length) {
        bytes.push(...this.peek(this.buffered))
        this.#read = this.#written
        if (this.#ended) return { bytes, found: false }
      }
      this.#fill()
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isValid(bytes: Uint8Array): boolean {
  try {
    return [...decoder.decode(bytes)].length === 1
  } catch {
    return false
  }
}

function runeLength(bytes: Uint8Array): number {
  for (const length of [1, 2, 3, 4]) if (bytes.length >= length && isValid(bytes.slice(0, length))) return length
  return 1
}

/** A whole rune, or bytes that can no longer become one. */
function isFull(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false
  if (isValid(bytes.slice(0, runeLength(bytes)))) return true
  // some continuation makes it valid: it may still become a rune
  const tails = [0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf]
  const canGrow = (start: readonly number[]): boolean =>
    start.length < 4 && tails.some((tail) => isValid(Uint8Array.from([...start, tail])) || canGrow([...start, tail]))
  return !canGrow([...bytes])
}

const isSpace = (rune: Uint8Array): boolean =>
  isValid(rune) && /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/.test(decoder.decode(rune))

/** Bytes as text, one character per byte. */
export const latin1 = (bytes: Iterable<number>): string => [...bytes].map((byte) => String.fromCharCode(byte)).join('')

function trim(bytes: readonly number[]): readonly number[] {
  let rest = Uint8Array.from(bytes)
  for (let length = runeLength(rest); rest.length > 0 && isSpace(rest.slice(0, length)); length = runeLength(rest)) {
    rest = rest.slice(length)
  }
  for (let cut = true; cut; ) {
    const length = [1, 2, 3].find((size) => rest.length >= size && isSpace(rest.slice(-size)))
    cut = length !== undefined
    if (length !== undefined) rest = rest.slice(0, -length)
  }
  return [...rest]
}

export type ModelOption = readonly [section: string, name: string, value: string]
export type ModelResult = { readonly options: readonly ModelOption[]; readonly error?: string }

/** The model's reading of a file. */
export function readLikeGo(source: Uint8Array): ModelResult {
  const reader = new BufferedReader(source)
  const options: ModelOption[] = []
  let error: string | undefined
  type Step = () => Step | undefined

  const fail = (message: string): undefined => {
    error = message
    return undefined
  }
  const toLineEnd = (): { readonly line: readonly number[]; readonly found: boolean } => {
    const { bytes, found } = reader.readBytes(0x0a)
    const withoutReturn = bytes.at(-1) === 0x0d ? bytes.slice(0, -1) : bytes
    return { line: withoutReturn.at(-1) === 0x0a ? withoutReturn.slice(0, -1) : withoutReturn, found }
  }
  const ignoreLine =
    (next: Step): Step =>
    () => {
      for (;;) {
        const { line, found } = toLineEnd()
        const cut = line.at(-1) === 0x20 ? line.slice(0, -1) : line
        if (cut.at(-1) !== 0x5c || (!found && line.length === 0)) return next
      }
    }
  const sectionName: Step = () => {
    const { bytes, found } = reader.readBytes(0x5d)
    return found ? sectionSuffix(latin1(bytes.slice(0, -1))) : fail('unable to find end of section')
  }
  const sectionSuffix =
    (section: string): Step =>
    () => {
      const garbage = trim(toLineEnd().line)
      return garbage.length > 0 ? fail(`found garbage after section name : [${garbage.join(' ')}]`) : body(section)
    }
  const nextSection: Step = () => {
    const rune = reader.readRune()
    if (rune.length === 0) return undefined
    if (rune[0] === 0x5b) return sectionName
    return rune[0] === 0x23 || rune[0] === 0x3b ? ignoreLine(nextSection) : nextSection
  }
  const body = (section: string): Step => {
    const step: Step = () => {
      const rune = reader.readRune()
      if (rune.length === 0) return undefined
      if (isSpace(rune)) return step
      if (rune[0] === 0x5b) return sectionName
      if (rune[0] === 0x23 || rune[0] === 0x3b) return ignoreLine(step)
      reader.unread(rune)
      return optionName(section)
    }
    return step
  }
  const optionName =
    (section: string): Step =>
    () => {
      const name: number[] = []
      for (;;) {
        const rune = reader.readRune()
        if (rune.length === 0) return fail('EOF')
        if (rune[0] === 0x0a || rune[0] === 0x0d) {
          return fail('unexpected newline encountered while parsing option name')
        }
        if (rune[0] === 0x3d) return optionValue(section, latin1(trim(name)), [])
        name.push(...(isValid(rune) ? rune : [0xef, 0xbf, 0xbd]))
      }
    }
  const optionValue =
    (section: string, name: string, partial: readonly number[]): Step =>
    () => {
      const { line, found } = toLineEnd()
      const isBlank = trim(line).length === 0
      const value = isBlank ? partial : [...partial, ...line]
      if (!isBlank && line.at(-1) === 0x5c) return optionValue(section, name, found ? [...value, 0x0a] : value)
      options.push([section, name, latin1(trim(value)) + (value.at(-1) === 0x0a ? '\n' : '')])
      return body(section)
    }

  for (let next: Step | undefined = nextSection; next !== undefined; next = next()) {
    const start = reader.buffered >= 2048 ? reader.peek(2048) : undefined
    if (start !== undefined && !start.includes(0x0a) && !start.includes(0x0d)) {
      return { options, error: 'line too long (max 2048 bytes)' }
    }
  }
  return error === undefined ? { options } : { options, error }
}
