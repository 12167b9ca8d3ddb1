/** What a command is, and what it is given. */
import type { Io } from '@cluster/cli'
import type { Clock, Random } from '@cluster/prelude'
import type { Flag, FlagValues } from './go-flags.ts'

/** By which name the program was called: as `etcdctl` it is exactly that, as `kvctl` it knows more. */
export type ProgramName = 'etcdctl' | 'kvctl'

/** What became of a program that was to be started. */
export type Started = { readonly kind: 'started' } | { readonly kind: 'failed'; readonly reason: string }

/** The world around the program. */
export type Surroundings = {
  readonly program: ProgramName
  readonly io: Io
  readonly clock: Clock
  readonly random: Random
  /** Fires at the first interrupt. */
  readonly signal: AbortSignal
  /** Asks on stdout; what is typed is not shown. Without a terminal: the first line of stdin. */
  readonly readPassword: (prompt: string) => Promise<string>
  /** Starts a program that writes where we write. It is not waited for. */
  readonly start: (argv: readonly string[], env: Readonly<Record<string, string>>) => Promise<Started>
  /** Hosts and ports of a DNS service, in the order to ask; none when there is no such service. */
  readonly resolveService: (name: string) => Promise<readonly { readonly host: string; readonly port: number }[]>
}

export type Context = Surroundings & {
  /** The global flags. */
  readonly globals: FlagValues
}

export type Invocation = { readonly flags: FlagValues; readonly args: readonly string[] }

/** Gives the exit code. */
export type Run = (context: Context, invocation: Invocation) => Promise<number>

type Named = {
  readonly name: string
  readonly summary: string
  /** Known only to `kvctl`. */
  readonly isOurs?: boolean
}

export type Command =
  | (Named & {
      readonly kind: 'command'
      /** The words after the name, as help shows them. */
      readonly usage: string
      readonly description?: string
      readonly flags: readonly Flag[]
      readonly load: () => Promise<Run>
    })
  | (Named & { readonly kind: 'group'; readonly commands: readonly Command[] })

/** Exit codes of etcdctl (spec/etcd-v2.md §7.2). */
export const exitCode = {
  done: 0,
  badArgument: 1,
  badConnection: 2,
  serverError: 4,
  unhealthy: 5,
  interrupted: 130,
} as const
