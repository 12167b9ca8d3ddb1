/** What a program can be told, declared once; file keys, variables, flags and help come from it. */
import type { Option } from './options.ts'

/** Options by name in camel case: `agentTtl` is `agent_ttl` in the file, `FLEET_AGENT_TTL` and `--agent-ttl`. */
export type OptionSet = Readonly<Record<string, Option<unknown>>>

/** The values of a set of options, by the same names. */
export type ConfigValues<Options extends OptionSet> = {
  readonly [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never
}

export type ConfigDeclaration<Options extends OptionSet = OptionSet> = {
  /** Name of the program, for help and messages. */
  readonly name: string
  readonly version: string
  /** One sentence: what the program does. */
  readonly summary: string
  /** Such as `FLEET_`. */
  readonly environmentPrefix: string
  /** Read when `--config` names no other, and when it is there. */
  readonly defaultFile: string
  readonly options: Options
  /** What to say to words on the command line that are not flags. */
  readonly argumentHint?: string
}

/** `agentTtl` → `agent_ttl`. */
export const snakeCase = (optionName: string): string =>
  optionName.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** `agent_ttl` → `--agent-ttl`. */
export const flagOf = (key: string): string => `--${key.replaceAll('_', '-')}`
