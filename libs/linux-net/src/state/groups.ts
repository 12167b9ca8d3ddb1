/**
 * The values by key, each group in the given order. Made for thousands of values with a key each: what the first of a key
 * needs is one entry of a map, no array.
 */
export class Groups<Value> {
  readonly #first = new Map<string, Value>()
  readonly #more = new Map<string, Value[]>()

  constructor(values: readonly Value[], keyOf: (value: Value) => string) {
    for (const value of values) {
      const key = keyOf(value)
      if (!this.#first.has(key)) this.#first.set(key, value)
      else if (this.#more.get(key)?.push(value) === undefined) this.#more.set(key, [value])
    }
  }

  /** The first value of a key. */
  first(key: string): Value | undefined {
    return this.#first.get(key)
  }

  /** The values of a key after the first. */
  more(key: string): readonly Value[] {
    return this.#more.get(key) ?? none
  }
}

const none: readonly never[] = []
