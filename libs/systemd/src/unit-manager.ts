/**
 * The port through which an agent runs units on its machine. Named after what an agent needs:
 * it manages the units it loaded itself and sees no others.
 */

export type UnitRuntime = {
  /** systemd's LoadState: `loaded`, `not-found`, `bad-setting`, `error`, `masked`. */
  readonly loadState: string
  /** systemd's ActiveState: `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`. */
  readonly activeState: string
  /** systemd's SubState, such as `running`, `dead`, `exited`, `waiting`. */
  readonly subState: string
  /** Hash of the text that was loaded (fleet's unit hash, 40 hex digits); undefined when the file cannot be read. */
  readonly hash: string | undefined
  /** systemd's Result of the last run where the unit type has one: `success`, `exit-code`, `signal`, … */
  readonly result?: string
  /** What systemd (or the adapter) says is wrong with the unit, if anything. */
  readonly problem?: string
  /** Process ID of a service's main process while it runs. */
  readonly mainPid?: number
  /** systemd's InvocationID, 32 hex digits: a new one for every start, absent for a unit that never ran. */
  readonly invocationId?: string
}

/** A file as it is written to the machine. */
export type LoadableUnit = {
  /** The text systemd reads. */
  readonly text: string
  /** fleet's unit hash of it. */
  readonly hash: string
  /** Whether it has an [Install] section, so that it is enabled at load (runtime) as fleet does. */
  readonly hasInstall: boolean
}

export interface UnitManager extends AsyncDisposable {
  /**
   * Every unit this manager loaded, also in earlier lives of the process, with what systemd says of it now.
   * A file that is not a unit is left out and reported through the logger, never a failure of the whole list.
   *
   * @throws SystemdError `systemd/unavailable`, `systemd/timeout`, `systemd/directory`
   */
  list(): Promise<ReadonlyMap<string, UnitRuntime>>
  /**
   * Writes the file atomically and links it (runtime). Needs `reload()` before `start()`. Fails whole: a file that
   * systemd refuses is removed again.
   *
   * @throws SystemdError `systemd/invalid-name`, `systemd/refused`, `systemd/directory`, `systemd/unavailable`
   */
  load(name: string, unit: LoadableUnit): Promise<void>
  /**
   * Stops the unit, waits until it has ended (bounded), then removes link and file. Not there: nothing happens.
   *
   * @throws SystemdError `systemd/timeout` when it is still stopping at the deadline: link and file stay, so that the
   *   rest of the stop finds its definition; call again later
   */
  unload(name: string): Promise<void>
  /** Makes systemd read the files again (daemon-reload). */
  reload(): Promise<void>
  /**
   * Asks for a start; returns once systemd has taken the job, not once it is done. Running already: nothing happens.
   *
   * @throws SystemdError `systemd/refused` for a unit that was not loaded or that systemd will not start
   */
  start(name: string): Promise<void>
  /** Asks for a stop; returns once systemd has taken the job. Not running, or not loaded: nothing happens. */
  stop(name: string): Promise<void>
  /**
   * Names to look at again, not states; coalesced. Also yields after a reconnection to systemd.
   * Ends (returns) when the signal fires.
   */
  changes(signal: AbortSignal): AsyncIterable<ReadonlySet<string>>
}
