/**
 * The UnitManager for hosts whose init is not systemd, or not ours to use: unit files in a folder, processes under a
 * supervisor that goes on when the agent ends. This side only asks; see supervisor.ts for what is done.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join, resolve as resolvePath } from 'node:path'
import type { Clock, Logger } from '@cluster/prelude'
import { SystemdError, type SystemdErrorCode } from '../errors.ts'
import { requireManageable } from '../manageable-name.ts'
import { createChangeHub } from '../signals.ts'
import type { UnitManager } from '../unit-manager.ts'
import type { HostIdentity } from './host-specifiers.ts'
import { openSocketPath, readLines, writeLine } from './line-socket.ts'
import { isAlive } from './process-table.ts'
import { holderOf } from './supervisor-lock.ts'
import {
  parseAnswer,
  protocolVersion,
  type Reply,
  type RequestBody,
  type SupervisorSettings,
  type WireError,
} from './wire.ts'

export type ProcessUnitManagerOptions = {
  /** The manager's own: unit files, state, logs and the supervisor's socket. Made private to this user. */
  readonly directory: string
  /**
   * Program and arguments that run `runProcessSupervisor(DIRECTORY)`; the directory is appended. A bundled program names
   * its own file; from the package it is `[process.execPath, '…/process-supervisor.js']`.
   */
  readonly supervisorCommand: readonly [program: string, ...args: readonly string[]]
  readonly log: Logger
  readonly clock: Clock
  /** What `%H` and `%m` say, for several managers on one machine. Default: the machine's own. */
  readonly identity?: HostIdentity
  /** Variables for every process, beside what systemd gives. */
  readonly environment?: Readonly<Record<string, string>>
  /** How long `unload` waits for a unit to end. Default 100 s: more than the default of 90 s for one stop. */
  readonly stopTimeoutMs?: number
}

/** A UnitManager that can also run `ExecReload=`. */
export interface ProcessUnitManager extends UnitManager {
  /**
   * Runs the unit's `ExecReload=`; returns once it was started.
   *
   * @throws SystemdError `systemd/refused` for a unit that has none, or that does not run
   */
  reloadUnit(name: string): Promise<void>
}

/** How long a supervisor may take until it answers. */
const supervisorTimeoutMs = 10_000

/** Size at which the supervisor's own log is begun anew. */
const logBytesMax = 1024 * 1024

/**
 * Connects to the supervisor of the directory; starts it when there is none. When it goes away later, calls fail with
 * `systemd/unavailable` until there is another, which is seen to for as long as the manager is open.
 *
 * @throws SystemdError `systemd/unavailable`, also on hosts without /proc; `systemd/directory`
 */
export async function createProcessUnitManager({
  directory: givenDirectory,
  supervisorCommand,
  log,
  clock,
  identity = {},
  environment = {},
  stopTimeoutMs = 100_000,
}: ProcessUnitManagerOptions): Promise<ProcessUnitManager> {
  const directory = resolvePath(givenDirectory)
  prepareDirectory(directory)
  const settings: SupervisorSettings = { ...identity, environment }
  const hub = createChangeHub()
  const closing = new AbortController()
  const known = new Set<string>()
  let connection: Connection | undefined

  /** A supervisor that was about to end when we came is followed by another. */
  async function connect(attemptsLeft = 3): Promise<void> {
    let isLost = false
    const opened = await openConnection({
      directory,
      supervisorCommand,
      clock,
      signal: closing.signal,
      onChanged: (names) => {
        for (const name of names) known.add(name)
        hub.announce(names)
      },
      onClosed: (closed) => {
        isLost = true
        if (connection !== closed) return
        connection = undefined
        if (closing.signal.aborted) return
        log.warn('connection to the supervisor of processes lost', { directory })
        void reconnect()
      },
    })
    try {
      await opened.ask({ method: 'hello', version: protocolVersion, settings })
      for (const [name] of (await opened.ask({ method: 'list' })).units ?? []) known.add(name)
    } catch (error) {
      if (isLost && attemptsLeft > 1) return connect(attemptsLeft - 1)
      opened.close()
      throw error
    }
    if (closing.signal.aborted) return opened.close()
    connection = opened
  }

  async function reconnect(): Promise<void> {
    for (let waitMs = 50; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, 2000)) {
      try {
        await connect()
        if (closing.signal.aborted) return
        log.info('connected to the supervisor of processes again', { directory })
        return hub.announce(known)
      } catch (error) {
        log.debug('no connection to the supervisor of processes yet', { error })
      }
      await clock.sleep(waitMs, closing.signal)
    }
  }

  async function ask(body: RequestBody): Promise<Reply> {
    if (connection !== undefined) return connection.ask(body)
    const why = closing.signal.aborted ? 'this unit manager was closed' : 'the connection to the supervisor is lost'
    throw new SystemdError('systemd/unavailable', why, {
      hint: `another supervisor is started by itself; see ${logPath(directory)} when this goes on`,
    })
  }

  await connect()
  return {
    list: async () => new Map((await ask({ method: 'list' })).units ?? []),
    load: async (name, unit) => {
      requireManageable(name)
      const { warnings = [] } = await ask({ method: 'load', name, unit })
      for (const warning of warnings) log.warn('option of a unit has no effect', { unit: name, warning })
    },
    unload: async (name) => {
      requireManageable(name)
      await ask({ method: 'unload', name, timeoutMs: stopTimeoutMs })
    },
    reload: async () => void (await ask({ method: 'reload' })),
    start: async (name) => {
      requireManageable(name)
      await ask({ method: 'start', name })
    },
    stop: async (name) => {
      requireManageable(name)
      await ask({ method: 'stop', name })
    },
    reloadUnit: async (name) => {
      requireManageable(name)
      await ask({ method: 'reload-unit', name })
    },
    changes: (signal) => hub.listen(AbortSignal.any([signal, closing.signal])),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      connection?.close()
      connection = undefined
      hub.close()
    },
  }
}

/**
 * Stops every unit of a directory and ends its supervisor; files and logs stay. Nothing happens where none runs.
 *
 * @throws SystemdError `systemd/unavailable` when the supervisor does not answer
 */
export async function endProcessSupervisor({
  directory: givenDirectory,
  clock,
  stopTimeoutMs = 100_000,
}: Pick<ProcessUnitManagerOptions, 'directory' | 'clock' | 'stopTimeoutMs'>): Promise<void> {
  const directory = resolvePath(givenDirectory)
  const supervisor = holderOf(directory)
  const connection = await tryToConnect(
    directory,
    () => undefined,
    () => undefined,
  )
  if (connection === undefined) return
  await connection.ask({ method: 'end', timeoutMs: stopTimeoutMs })
  connection.close()
  // what it holds is free once it is gone
  const deadlineMs = clock.monotonicMs() + supervisorTimeoutMs
  while (supervisor !== undefined && isAlive(supervisor) && clock.monotonicMs() < deadlineMs) await clock.sleep(5)
}

const logPath = (directory: string): string => join(directory, 'supervisor.log')

function prepareDirectory(directory: string): void {
  if (process.platform !== 'linux') {
    throw new SystemdError('systemd/unavailable', `units cannot be run as processes on ${process.platform}`, {
      hint: 'their processes are told apart by /proc, which Linux has: use a container or a virtual machine',
    })
  }
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const { uid, mode } = statSync(directory)
    if (uid === process.getuid?.() && (mode & 0o022) === 0) return
  } catch (cause) {
    throw new SystemdError('systemd/directory', `cannot make ${directory}`, {
      hint: 'name a folder that this user may write to',
      cause,
    })
  }
  throw new SystemdError('systemd/directory', `${directory} can be written by others, or is not ours`, {
    hint: `whoever can write there can run programs as this user: chown it to yourself and chmod 700 ${directory}`,
  })
}

type Connection = { readonly ask: (body: RequestBody) => Promise<Reply>; readonly close: () => void }

type Waiting = { readonly resolve: (reply: Reply) => void; readonly reject: (error: SystemdError) => void }

async function openConnection({
  directory,
  supervisorCommand,
  clock,
  signal,
  onChanged,
  onClosed,
}: Pick<ProcessUnitManagerOptions, 'directory' | 'supervisorCommand' | 'clock'> & {
  readonly signal: AbortSignal
  readonly onChanged: (names: readonly string[]) => void
  readonly onClosed: (connection: Connection) => void
}): Promise<Connection> {
  const deadlineMs = clock.monotonicMs() + supervisorTimeoutMs
  let supervisor: ChildProcess | undefined
  let failure: string | undefined
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 100)) {
    const connection = await tryToConnect(directory, onChanged, onClosed)
    if (connection !== undefined) return connection
    if (signal.aborted) throw new SystemdError('systemd/unavailable', 'this unit manager was closed')
    if (failure !== undefined || clock.monotonicMs() > deadlineMs) {
      throw new SystemdError(
        'systemd/unavailable',
        `the supervisor of ${directory} ${failure ?? `does not answer after ${supervisorTimeoutMs} ms`}`,
        { hint: `see ${logPath(directory)}: ${lastLine(logPath(directory))}` },
      )
    }
    // one that found another at work has ended well; that one may be about to end
    if (supervisor === undefined || supervisor.exitCode === 0) {
      supervisor = startSupervisor(directory, supervisorCommand, (why) => {
        failure = why
      })
    }
    await clock.sleep(waitMs, signal)
  }
}

function startSupervisor(
  directory: string,
  [program, ...args]: ProcessUnitManagerOptions['supervisorCommand'],
  onFailure: (why: string) => void,
): ChildProcess {
  const path = logPath(directory)
  const output = openSync(path, 'a', 0o600)
  try {
    if (statSync(path).size > logBytesMax) truncateSync(path)
    // a session of its own: what ends the agent, from kill -9 to Ctrl-C, does not reach it
    const child = spawn(program, [...args, directory], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', output, output],
    })
    child.on('error', (error) => onFailure(`cannot be started: ${error.message}`))
    child.on('exit', (status, killer) => {
      if (status !== 0) onFailure(`ended with ${killer ?? `status ${status}`}`)
    })
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)?.slice(0, 500) ?? ''
  } catch {
    return 'it cannot be read'
  }
}

/** A connection; undefined when nobody listens. */
async function tryToConnect(
  directory: string,
  onChanged: (names: readonly string[]) => void,
  onClosed: (connection: Connection) => void,
): Promise<Connection | undefined> {
  const socket = await openSocket(directory)
  if (socket === undefined) return undefined
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  const connection: Connection = {
    ask: (body) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(lost())
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        writeLine(socket, { id: lastId, body })
      }),
    close: () => void socket.destroy(),
  }
  readLines(socket, (line) => {
    const answer = parseAnswer(line)
    if (answer === undefined) return void socket.destroy()
    if ('changed' in answer) return onChanged(answer.changed)
    const caller = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.error === undefined) caller?.resolve(answer)
    else caller?.reject(errorOf(answer.error))
  })
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.destroy())
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(lost())
    waiting.clear()
    onClosed(connection)
  })
  return connection
}

const lost = (): SystemdError =>
  new SystemdError('systemd/unavailable', 'the connection to the supervisor was lost before it answered', {
    hint: 'look at the units again before you repeat what you asked for',
  })

const codes: readonly SystemdErrorCode[] = [
  'systemd/unavailable',
  'systemd/timeout',
  'systemd/refused',
  'systemd/invalid-name',
  'systemd/directory',
  'systemd/journal',
  'systemd/host',
]

const errorOf = ({ code, message, hint }: WireError): SystemdError =>
  new SystemdError(codes.find((known) => known === code) ?? 'systemd/unavailable', message, { hint })

function openSocket(directory: string): Promise<Socket | undefined> {
  const path = openSocketPath(directory)
  return new Promise((resolve) => {
    const socket = connectSocket(path.path)
    socket.once('connect', () => {
      path.close()
      socket.removeAllListeners('error')
      resolve(socket)
    })
    // no socket, or nobody behind it: both mean that there is no supervisor
    socket.once('error', () => {
      path.close()
      resolve(undefined)
    })
  })
}
