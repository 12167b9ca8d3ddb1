/** Kinds of configuration options: how a text becomes a value, and what to say when it cannot. */
import { err, ok, type Result } from '@cluster/prelude'
import { parseDuration, renderDuration } from './duration.ts'
import { Secret } from './secret.ts'

/** One option: its kind, default and help. Made by the functions of this file. */
export type Option<T> = {
  readonly help: string
  readonly default: T
  /** What stands for the value in the help: `DURATION`. */
  readonly placeholder: string
  /** A value, or what is wrong with the text. */
  readonly parse: (text: string) => Result<T, string>
  /** The default as one would write it; a secret stays hidden. */
  readonly defaultText: string
  readonly isSecret: boolean
  /** What naming the option without a value means; undefined when a value is needed. */
  readonly whenBare: T | undefined
}

type Common<T> = {
  readonly help: string
  readonly default: T
  readonly placeholder?: string
  /** What is wrong with a value, or undefined. Also asked of the default. */
  readonly validate?: (value: T) => string | undefined
}

function option<T>(
  { help, default: initial, placeholder, validate = () => undefined }: Common<T>,
  kind: {
    readonly placeholder: string
    readonly parse: (text: string) => Result<T, string>
    readonly render: (value: T) => string
    readonly whenBare?: T
  },
): Option<T> {
  return {
    help,
    default: initial,
    placeholder: placeholder ?? kind.placeholder,
    parse: (text) => {
      const value = kind.parse(text)
      if (!value.ok) return value
      const problem = validate(value.value)
      return problem === undefined ? value : err(problem)
    },
    defaultText: kind.render(initial),
    isSecret: initial instanceof Secret,
    whenBare: kind.whenBare,
  }
}

/** Any text. */
export const stringOption = (common: Common<string>): Option<string> =>
  option(common, { placeholder: 'TEXT', parse: ok, render: (value) => value })

/** One of a few words. */
export function choiceOption<Choice extends string>(
  common: Common<Choice> & { readonly choices: readonly Choice[] },
): Option<Choice> {
  const parse = (text: string): Result<Choice, string> => {
    const choice = common.choices.find((one) => one === text)
    return choice === undefined ? err(`expected one of ${common.choices.join(', ')}`) : ok(choice)
  }
  return option(common, { placeholder: common.choices.join('|'), parse, render: (value) => value })
}

/** A path on this machine; the empty text means none. */
export const pathOption = (common: Common<string>): Option<string> =>
  option(common, {
    placeholder: 'PATH',
    parse: (text) => (text.includes('\0') ? err('a path has no NUL') : ok(text)),
    render: (value) => value,
  })

/** A text that is not shown anywhere. */
export const secretOption = (common: Omit<Common<Secret>, 'default'>): Option<Secret> =>
  option(
    { ...common, default: new Secret('') },
    {
      placeholder: 'SECRET',
      parse: (text) => ok(new Secret(text)),
      render: (value) => (value.isEmpty ? '' : String(value)),
    },
  )

/** Yes or no, in the words of Go's strconv.ParseBool. Named without a value it means yes. */
export const booleanOption = (common: Common<boolean>): Option<boolean> =>
  option(common, {
    placeholder: 'BOOLEAN',
    parse: (text) => {
      if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return ok(true)
      if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return ok(false)
      return err('expected true or false')
    },
    render: String,
    whenBare: true,
  })

type Bounds = { readonly min?: number; readonly max?: number }

/** A decimal number; `integer` refuses fractions. Bounds are inclusive. */
export function numberOption({
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
  integer = false,
  ...common
}: Common<number> & Bounds & { readonly integer?: boolean }): Option<number> {
  const parse = (text: string): Result<number, string> => {
    const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isFinite(value)) return err('expected a number')
    if (integer && !Number.isSafeInteger(value)) return err('expected a whole number')
    if (value < min || value > max) return err(`expected ${describeBounds(String(min), min, String(max), max)}`)
    return ok(value)
  }
  return option(common, { placeholder: 'NUMBER', parse, render: String })
}

/** A span of time, in milliseconds; written as Go does: `45s`, `1m30s`. Bounds are inclusive. */
export function durationOption({
  min = 0,
  max = Number.POSITIVE_INFINITY,
  ...common
}: Common<number> & Bounds): Option<number> {
  const parse = (text: string): Result<number, string> => {
    const value = parseDuration(text)
    if (!value.ok) return value
    if (value.value >= min && value.value <= max) return value
    return err(`expected ${describeBounds(renderDuration(min), min, renderDuration(max), max)}`)
  }
  return option(common, { placeholder: 'DURATION', parse, render: renderDuration })
}

/** Items between commas, each without the blanks, brackets and double quotes around it; empty ones are left out. */
export const listOption = (common: Common<readonly string[]>): Option<readonly string[]> =>
  option(common, {
    placeholder: 'A,B,…',
    parse: (text) =>
      ok(
        text
          .split(',')
          .map((item) => item.replace(/^[\s[\]"]+/, '').replace(/[\s[\]"]+$/, ''))
          .filter((item) => item !== ''),
      ),
    render: (value) => value.join(','),
  })

/** `key=value` between commas, white space around each cut off; of equal keys the last one counts. */
export const mapOption = (common: Common<ReadonlyMap<string, string>>): Option<ReadonlyMap<string, string>> =>
  option(common, {
    placeholder: 'KEY=VALUE,…',
    parse: (text) => {
      const map = new Map<string, string>()
      for (const item of text.split(',').map((one) => one.trim())) {
        if (item === '') continue
        const at = item.indexOf('=')
        if (at <= 0) return err(`expected key=value, found ${JSON.stringify(item)}`)
        map.set(item.slice(0, at).trim(), item.slice(at + 1).trim())
      }
      return ok(map)
    },
    render: (value) => [...value].map(([key, item]) => `${key}=${item}`).join(','),
  })

function describeBounds(minText: string, min: number, maxText: string, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return `at least ${minText}`
  return min === Number.NEGATIVE_INFINITY ? `at most ${maxText}` : `${minText} to ${maxText}`
}
