/** What commands are given: streams, time, files, programs, the daemon. `main.ts` gives the real ones, tests their own. */
import type { FlagValues, Invocation, Io } from '@cluster/cli'
import type { FleetClient } from '@cluster/fleet-api'
import type { Clock } from '@cluster/prelude'
import type { JournalEntry, ProcessJournalQuery } from '@cluster/systemd'
import type { LocalFiles } from './local-files.ts'

/** The computer that fleetctl runs on. */
export type Host = {
  /** Text of /etc/machine-id; `undefined` when there is none. */
  readonly machineId: () => Promise<string | undefined>
  /** Home folder of the person. */
  readonly homeFolder: string
  /** Of folders of process managers, each machine's ID with its folder. What is none, or is not ours to read, is left out. */
  readonly processMachines: (folders: readonly string[]) => Promise<ReadonlyMap<string, string>>
  /** The log that a process manager keeps of a unit. @throws SystemdError `systemd/journal` */
  readonly readProcessLog: (query: ProcessJournalQuery) => AsyncIterable<JournalEntry>
}

/**
 * Runs a program with our own stdin, stdout and stderr and gives its exit code; `undefined` when there is no such
 * program on this computer. Ended by the signal.
 */
export type RunProgram = (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<number | undefined>

export type Context = {
  readonly io: Io
  /** Values of the global flags. */
  readonly settings: FlagValues
  readonly clock: Clock
  readonly files: LocalFiles
  readonly host: Host
  readonly runProgram: RunProgram
  /**
   * Asks the person on stderr and gives the line that comes on stdin; `''` when there is none.
   *
   * @throws the interruption, when the person interrupts instead
   */
  readonly ask: (question: string) => Promise<string>
  /** Fires when the person interrupts. */
  readonly signal: AbortSignal
  /** @throws FleetApiError, SettingsError for settings that no client can be made of */
  readonly openFleet: (settings: FlagValues) => Promise<FleetClient & AsyncDisposable>
}

/** The context of a command that talks to the daemon. */
export type FleetContext = Context & { readonly fleet: FleetClient }

export type RunCommand = (context: FleetContext, invocation: Invocation) => Promise<number>
