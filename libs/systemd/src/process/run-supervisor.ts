/**
 * The supervisor as a program: takes the lock of its directory, serves managers on a socket, and ends when it is told to,
 * or when no manager and no unit is left. It never ends because a manager did.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { describeError, isClusterError, type LogFields, type Logger } from '@cluster/prelude'
import { SystemdError } from '../errors.ts'
import { openSocketPath, readLines, writeLine } from './line-socket.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import { takeLock } from './supervisor-lock.ts'
import {
  defaultSettings,
  parseRequest,
  parseSettings,
  protocolVersion,
  type Reply,
  type RequestBody,
  type WireError,
} from './wire.ts'

/** How long the supervisor waits for a manager when it has nothing to do. */
const idleMs = 1000

/**
 * Runs the supervisor of a directory until it is done. Returns at once when the directory has one already. What it has
 * to say goes to standard error, as JSON lines.
 *
 * A program that is bundled calls this in a file of its own and names that file in `supervisorCommand`.
 *
 * @throws SystemdError `systemd/directory`
 */
export async function runProcessSupervisor(directory: string): Promise<void> {
  const log = stderrLogger
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = takeLock(directory)
  if (lock === undefined) return
  const managers = new Set<Socket>()
  let units: ReturnType<Supervisor['list']> = new Map()
  let isFinishing = false
  let markFinished = (): void => undefined
  const finished = new Promise<void>((resolve) => {
    markFinished = resolve
  })
  const finish = (): void => {
    isFinishing = true
    markFinished()
  }
  const supervisor = await createSupervisor({
    directory,
    settings: readSettings(directory),
    log,
    random: { next: Math.random },
    onChange: (changed) => {
      for (const socket of managers) writeLine(socket, { changed })
    },
  })

  let idle: NodeJS.Timeout | undefined
  const watchIdleness = (): void => {
    clearTimeout(idle)
    if (managers.size > 0 || isFinishing) return
    idle = setTimeout(() => {
      units = supervisor.list()
      if (units.size === 0) finish()
    }, idleMs)
  }

  const server = createServer((socket) => {
    managers.add(socket)
    clearTimeout(idle)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      managers.delete(socket)
      watchIdleness()
    })
    readLines(socket, (line) => void answer(socket, line))
  })

  async function answer(socket: Socket, line: string): Promise<void> {
    const request = parseRequest(line)
    if (request === undefined) return void socket.destroy()
    const { id, body } = request
    try {
      writeLine(socket, { id, ...(await handle(body)) } satisfies Reply)
    } catch (error) {
      writeLine(socket, { id, error: wireErrorOf(error) } satisfies Reply)
      if (!isClusterError(error)) log.error('request failed', { method: body.method, error })
    }
    if (body.method === 'end') finish()
  }

  async function handle(body: RequestBody): Promise<Omit<Reply, 'id'>> {
    switch (body.method) {
      case 'hello':
        requireVersion(body.version, directory)
        writeSettings(directory, body.settings)
        supervisor.configure(body.settings)
        return {}
      case 'list':
        return { units: [...supervisor.list()] }
      case 'load':
        return { warnings: await supervisor.load(body.name, body.unit) }
      case 'unload':
        await supervisor.unload(body.name, body.timeoutMs)
        return {}
      case 'reload':
        await supervisor.reload()
        return {}
      case 'start':
        supervisor.start(body.name)
        return {}
      case 'stop':
        supervisor.stop(body.name)
        return {}
      case 'reload-unit':
        supervisor.reloadUnit(body.name)
        return {}
      case 'end':
        await supervisor.stopAll(body.timeoutMs)
        return {}
      default:
        return body satisfies never
    }
  }

  const socketPath = openSocketPath(directory)
  // of a supervisor that was killed; the lock says that there is no other
  rmSync(join(directory, 'supervisor.sock'), { force: true })
  try {
    await listen(server, socketPath.path)
    log.info('supervisor runs', { directory, pid: process.pid })
    watchIdleness()
    await finished
  } finally {
    clearTimeout(idle)
    supervisor.close()
    // what was answered last is still sent
    for (const socket of managers) socket.end()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    socketPath.close()
    lock.release()
    log.info('supervisor ends', { directory, pid: process.pid })
  }
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(path, resolve)
  })

function requireVersion(version: number, directory: string): void {
  if (version === protocolVersion) return
  throw new SystemdError('systemd/unavailable', `the supervisor of ${directory} is of another version`, {
    hint: `stop its units and end it (it is process ${process.pid}), then start the agent again`,
  })
}

function wireErrorOf(error: unknown): WireError {
  if (isClusterError(error)) {
    const message = describeError(error).filter((line) => line !== error.hint)
    return { code: error.code, message: message.join(': '), ...(error.hint !== undefined && { hint: error.hint }) }
  }
  return { code: 'systemd/unavailable', message: error instanceof Error ? error.message : String(error) }
}

const settingsPath = (directory: string): string => join(directory, 'settings.json')

function readSettings(directory: string) {
  try {
    return parseSettings(JSON.parse(readFileSync(settingsPath(directory), 'utf8')))
  } catch {
    // no manager was here yet; the first brings its settings
    return defaultSettings
  }
}

function writeSettings(directory: string, settings: unknown): void {
  const path = settingsPath(directory)
  writeFileSync(`${path}.writing`, JSON.stringify(settings), { mode: 0o600 })
  renameSync(`${path}.writing`, path)
}

const say =
  (level: string) =>
  (message: string, { error, ...fields }: LogFields = {}): void => {
    const why = error === undefined ? {} : { error: describeError(error).join(': ') }
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...why })}\n`)
  }

const stderrLogger: Logger = { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') }
