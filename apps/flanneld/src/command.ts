/** What the commands for people are given. */
import type { Command, FlagValues, Io } from '@cluster/cli'
import type { NetworkFile, StoreConfig } from './config.ts'
import type { MachinePorts } from './machine-ports.ts'

export type Context = {
  readonly io: Io
  /** From the flags that the commands share with the daemon, and their variables. */
  readonly networks: readonly NetworkFile[]
  readonly store: StoreConfig
  /** What is asked where no daemon runs. */
  readonly machine: MachinePorts
  /** Fires at the first interrupt. */
  readonly signal: AbortSignal
}

/** A command of this program. */
export type FlanneldCommand = Command<Context>

/** What runs when a command is called; gives the exit code. */
export type Run = (
  context: Context,
  invocation: { readonly flags: FlagValues; readonly args: readonly string[] },
) => Promise<number>
