import { inspect } from 'node:util'

const hidden = '[secret]'

/** A text that no log, message or dump shows: it prints as `[secret]`. Only `reveal()` gives it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the one call that needs it. */
  reveal(): string {
    return this.#text
  }

  /** Whether there is nothing to hide. */
  get isEmpty(): boolean {
    return this.#text === ''
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [inspect.custom](): string {
    return hidden
  }
}
