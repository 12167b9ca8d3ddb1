/** What flags there are and which values they have. Spelling: `--name value`, `--name=value`, `--switch`, `--switch=false`. */
import { assert } from '@cluster/prelude'

type FlagBase = {
  /** One line for the help page. */
  readonly summary: string
  /** Accepted, but not shown in help and completion. */
  readonly hidden?: boolean
}

export type Flag =
  | (FlagBase & { readonly kind: 'boolean'; readonly default: boolean; readonly short?: string })
  | (FlagBase & {
      readonly kind: 'string'
      readonly default: string
      readonly choices?: readonly string[]
      /** May be given more than once; the values are joined by commas. Of any other flag the last one counts. */
      readonly repeats?: boolean
    })
  | (FlagBase & { readonly kind: 'int' | 'float'; readonly default: number })

/** Flags by their name without dashes. */
export type Flags = Readonly<Record<string, Flag>>

/** The values of a command's own and the global flags; asking for a flag that was not declared is a bug. */
export type FlagValues = {
  readonly boolean: (name: string) => boolean
  readonly text: (name: string) => string
  readonly number: (name: string) => number
  /** Whether the value comes from the command line or the environment, not from the default. */
  readonly given: (name: string) => boolean
}

export type FlagValue = boolean | string | number

/** Values to read by name. @param given what was set; all others have their defaults */
export function flagValues(flags: Flags, given: ReadonlyMap<string, FlagValue>): FlagValues {
  const read = (name: string): FlagValue => {
    const flag = flags[name]
    assert(flag !== undefined, `flag --${name} is declared`)
    return given.get(name) ?? flag.default
  }
  return {
    boolean: (name) => {
      const value = read(name)
      assert(typeof value === 'boolean', `--${name} is a switch`)
      return value
    },
    text: (name) => {
      const value = read(name)
      assert(typeof value === 'string', `--${name} takes a text`)
      return value
    },
    number: (name) => {
      const value = read(name)
      assert(typeof value === 'number', `--${name} takes a number`)
      return value
    },
    given: (name) => given.has(name),
  }
}

/** The environment variable of a global flag: `FLEETCTL_` + `ssh-timeout` → `FLEETCTL_SSH_TIMEOUT`. */
export const variableOf = (prefix: string, flag: string): string =>
  prefix + flag.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
