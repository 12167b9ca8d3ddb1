/** Starts the process of one command: environment, arguments, user, streams. Rules: systemd.exec(5), spec/unit-files.md §4.2. */
import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs'
import { constants as osConstants, userInfo } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import {
  commandArguments,
  type Environment,
  type ExecCommand,
  environmentOf,
  mergeEnvironments,
  parseEnvironmentFile,
} from '@cluster/unit-file'
import { type Account, findAccount } from './accounts.ts'
import type { OutputTarget, ServiceDefinition } from './definition.ts'
import { spawnFailures } from './exit-status.ts'
import { readProcess } from './process-table.ts'
import type { ProcessExit } from './service-machine.ts'

export type SpawnRequest = {
  readonly service: ServiceDefinition
  readonly command: ExecCommand
  /** Of the manager: the least that every process has. */
  readonly baseEnvironment: Environment
  /** `INVOCATION_ID`, `MAINPID` and the like; the unit cannot replace them. */
  readonly ownEnvironment: Environment
  /** Opens a stream that leads to the journal, for one child. */
  readonly openJournal: () => number
}

/** A process that runs, or why there is none: the status that systemd's own would have ended with. */
export type SpawnOutcome =
  | {
      readonly kind: 'running'
      readonly pid: number
      readonly startTicks: number
      readonly command: string
      readonly ended: Promise<ProcessExit>
    }
  | { readonly kind: 'failed'; readonly status: number; readonly message: string }

const failed = (status: number, message: string): SpawnOutcome => ({ kind: 'failed', status, message })

/** Where commands without a slash are looked for, and PATH unless somebody sets it. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function spawnCommand(request: SpawnRequest): SpawnOutcome {
  const { service, command } = request
  const environment = readEnvironment(request)
  if (typeof environment === 'string') return failed(spawnFailures.environment, environment)
  const identity = readIdentity(service, command)
  if ('problem' in identity) return failed(identity.status, identity.problem)
  const variables = mergeEnvironments(identity.environment, environment, request.ownEnvironment)
  const directory = workingDirectoryOf(service, identity.home)
  if (directory === undefined) {
    return failed(spawnFailures.chdir, `working directory ${service.workingDirectory.path} cannot be entered`)
  }
  const path = findExecutable(command.path, service.searchPath.length > 0 ? service.searchPath : undefined, variables)
  if (path === undefined) return failed(spawnFailures.exec, `${command.path} is not there or cannot be executed`)
  const [argv0 = command.path, ...args] = commandArguments(command, variables)

  const opened: number[] = []
  try {
    const output = openOutput(service.standardOutput, request.openJournal)
    opened.push(output)
    const sameTarget = service.standardError === service.standardOutput
    const complaints = sameTarget ? output : openOutput(service.standardError, request.openJournal)
    opened.push(complaints)
    // inherited across the fork, which happens inside of spawn(): nobody else sees it
    const ownMask = process.umask(service.umask)
    try {
      const child = spawn(path, args, {
        argv0,
        cwd: directory,
        env: Object.fromEntries(variables),
        stdio: ['ignore', output, complaints],
        detached: true,
        ...(identity.uid !== undefined && { uid: identity.uid }),
        ...(identity.gid !== undefined && { gid: identity.gid }),
      })
      const ended = new Promise<ProcessExit>((resolve) => {
        child.on('exit', (status, signal) => resolve(exitOf(status, signal)))
      })
      let problem = 'cannot be executed'
      child.on('error', (error) => {
        problem = error.message
      })
      const { pid } = child
      if (pid === undefined) return failed(spawnFailures.exec, `${path} ${problem}`)
      return {
        kind: 'running',
        pid,
        // a process that is over already is not mixed up with anybody: its end is reported by its starter
        startTicks: readProcess(pid)?.startTicks ?? 0,
        command: basename(path),
        ended,
      }
    } finally {
      process.umask(ownMask)
    }
  } catch (error) {
    return failed(spawnFailures.output, error instanceof Error ? error.message : String(error))
  } finally {
    for (const descriptor of new Set(opened)) closeSync(descriptor)
  }
}

function exitOf(status: number | null, signal: NodeJS.Signals | null): ProcessExit {
  if (signal !== null) return { kind: 'killed', signal: osConstants.signals[signal] }
  return status === null ? { kind: 'unknown' } : { kind: 'exited', status }
}

/** The variables without those of the user; or which file is missing. */
function readEnvironment({ service, baseEnvironment }: SpawnRequest): Environment | string {
  const passed = service.passEnvironment.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [`${name}=${value}`]
  })
  const files: Environment[] = []
  for (const { path, isOptional } of service.environmentFiles.map(({ path, optional }) => ({
    path,
    isOptional: optional,
  }))) {
    try {
      files.push(parseEnvironmentFile(readFileSync(path)).environment)
    } catch (error) {
      if (!isOptional) {
        return `environment file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`
      }
    }
  }
  const variables = new Map(
    mergeEnvironments(baseEnvironment, environmentOf(passed), environmentOf(service.environment), ...files),
  )
  for (const unset of service.unsetEnvironment) {
    const equals = unset.indexOf('=')
    if (equals === -1) variables.delete(unset)
    else if (variables.get(unset.slice(0, equals)) === unset.slice(equals + 1)) variables.delete(unset.slice(0, equals))
  }
  return variables
}

type Identity = {
  readonly uid?: number
  readonly gid?: number
  readonly home: string
  readonly environment: Environment
}

function readIdentity(
  { user, group }: ServiceDefinition,
  { flags }: ExecCommand,
): Identity | { readonly status: number; readonly problem: string } {
  const own = userInfo()
  const isPrivileged = flags.includes('privileged') || flags.includes('no-setuid') || flags.includes('ambient')
  const account = user === undefined ? undefined : findUser(user)
  if (user !== undefined && account === undefined) {
    return { status: spawnFailures.user, problem: `there is no user ${user}` }
  }
  const groupAccount = group === undefined ? undefined : findAccount('group', group)
  const groupId = groupAccount?.id ?? (group !== undefined && /^\d+$/.test(group) ? Number(group) : undefined)
  if (group !== undefined && groupId === undefined) {
    return { status: spawnFailures.group, problem: `there is no group ${group}` }
  }
  const home = account?.home ?? own.homedir
  const environment = account === undefined ? environmentOf([]) : environmentOfUser(account)
  // only root can be somebody else; for others the loader made sure that they stay themselves
  if (isPrivileged || own.uid !== 0) return { home, environment }
  const gid = groupId ?? account?.groupId
  return {
    home,
    environment,
    ...(account !== undefined && account.id !== own.uid && { uid: account.id }),
    ...(gid !== undefined && gid !== own.gid && { gid }),
  }
}

const findUser = (user: string): Account | undefined =>
  findAccount('passwd', user) ??
  (/^\d+$/.test(user) ? { name: user, id: Number(user), home: '/', shell: '/bin/sh' } : undefined)

const environmentOfUser = ({ name, home = '/', shell = '/bin/sh' }: Account): Environment =>
  environmentOf([`HOME=${home}`, `LOGNAME=${name}`, `USER=${name}`, `SHELL=${shell}`])

function workingDirectoryOf({ workingDirectory }: ServiceDefinition, home: string): string | undefined {
  const { path, isOptional } = workingDirectory
  const wanted = path === '' ? '/' : path === '~' ? home : path
  try {
    if (!statSync(wanted).isDirectory()) return isOptional ? '/' : undefined
    accessSync(wanted, constants.X_OK)
    return wanted
  } catch {
    return isOptional ? '/' : undefined
  }
}

function findExecutable(
  path: string,
  searchPath: readonly string[] | undefined,
  environment: Environment,
): string | undefined {
  const places = searchPath ?? (environment.get('PATH') ?? defaultPath).split(delimiter)
  const candidates = path.startsWith('/') ? [path] : places.map((place) => join(place, path))
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK)
      return statSync(candidate).isFile()
    } catch {
      return false
    }
  })
}

function openOutput(target: OutputTarget, openJournal: () => number): number {
  if (target.kind === 'journal') return openJournal()
  if (target.kind === 'null') return openSync('/dev/null', 'w')
  const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC } = constants
  const extra = { keep: 0, append: O_APPEND, truncate: O_TRUNC }[target.mode]
  return openSync(target.path, O_WRONLY | O_CREAT | extra, 0o644)
}
