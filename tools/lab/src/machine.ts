/**
 * One machine: a systemd-nspawn container that boots its own systemd, in a cgroup and behind a link of its own.
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type CgroupHost, createGroup, groupFolders, isFrozen, processesOf, thawGroup } from './cgroups.ts'
import { type CommandOptions, type CommandResult, runCommand } from './command.ts'
import { LabError } from './errors.ts'
import { bridgeName, type LabNames, nspawnName } from './names.ts'
import type { MachineState } from './state.ts'
import { until } from './until.ts'

/** SIGRTMIN+4 asks systemd as PID 1 to power off in order. */
const powerOffSignal = 38

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The cgroup of one machine. */
export const machineGroup = (names: LabNames, machine: string): string => `${names.cgroup}/${machine}`

/**
 * Boots a machine and resolves when its systemd says "running".
 *
 * @throws LabError `lab/timeout` with the end of its console
 */
export async function bootMachine(
  host: CgroupHost,
  names: LabNames,
  root: string,
  machine: MachineState,
  timeoutMs = 60_000,
): Promise<void> {
  const group = machineGroup(names, machine.name)
  createGroup(host, group)
  const folder = `${names.runtimeFolder}/${machine.name}`
  mkdirSync(folder, { recursive: true })
  const consoleFile = `${folder}/console.log`
  const log = openSync(consoleFile, 'w')
  // The shell moves itself into the group and then becomes nspawn: nothing of the machine is ever outside.
  const script = `for group in "$@"; do [ "$group" = -- ] && break; echo $$ > "$group/cgroup.procs" || exit 1; done
while [ "$1" != -- ]; do shift; done; shift; exec "$@"`
  const child = spawn(
    '/bin/sh',
    ['-c', script, 'lab', ...groupFolders(host, group), '--', 'nsenter', `--net=${names.networkFile}`, ...nspawn()],
    { detached: true, stdio: ['ignore', log, log], env: { PATH: path } },
  )
  child.on('error', () => undefined)
  child.unref()
  closeSync(log)
  try {
    await until(
      async () => {
        if (child.exitCode !== null) return 'ended'
        if (leaderOf(host, names, machine.name) === undefined) return 'no PID 1 yet'
        return (await execInMachine(host, names, machine.name, ['systemctl', 'is-system-running'])).stdout.trim()
      },
      {
        what: `${machine.name} running`,
        timeoutMs,
        is: (state) => {
          if (state === 'ended') throw new LabError('lab/machine-down', `${machine.name} ended while it booted`)
          return state === 'running' || state === 'degraded'
        },
      },
    )
  } catch (cause) {
    throw new LabError('lab/timeout', `${machine.name} did not boot; the end of its console:\n${tail(consoleFile)}`, {
      cause,
    })
  }

  function nspawn(): readonly string[] {
    return [
      'systemd-nspawn',
      '--quiet',
      `--directory=${root}`,
      '--volatile=overlay',
      '--boot',
      '--register=no',
      '--keep-unit',
      `--network-bridge=${bridgeName}`,
      `--machine=${nspawnName(names, machine.name)}`,
      '--capability=all',
      ...machine.binds.map(({ from, to, writable }) => `--bind${writable === true ? '' : '-ro'}=${from}:${to}`),
      ...machine.wants.map((unit) => `systemd.wants=${unit}`),
    ]
  }
}

/** The host's pid of the machine's PID 1, or undefined when the machine is not up. */
export function leaderOf(host: CgroupHost, names: LabNames, machine: string): number | undefined {
  return processesOf(host, machineGroup(names, machine)).find((pid) => {
    try {
      // "NSpid: 812 1": the first process of a pid namespace one below ours.
      const numbers = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/)
      return numbers?.length === hostDepth() + 1 && numbers.at(-1) === '1' && readlinkSync(`/proc/${pid}/exe`) !== ''
    } catch {
      return false
    }
  })
}

/**
 * As `leaderOf`, for callers that need it.
 *
 * @throws LabError `lab/machine-down`
 */
export function leaderOrThrow(host: CgroupHost, names: LabNames, machine: string): number {
  const pid = leaderOf(host, names, machine)
  if (pid !== undefined) return pid
  throw new LabError('lab/machine-down', `${machine} is not up`, { hint: `boot it: npm run lab -- boot ${machine}` })
}

/** The words of `nsenter` ahead of a command that is to run inside. */
export const enterArguments = (pid: number, environment: Readonly<Record<string, string>> = {}): readonly string[] => [
  '-t',
  String(pid),
  '-a',
  '--',
  // The host's own environment would leak in.
  'env',
  '-i',
  `PATH=${path}`,
  'HOME=/root',
  'LANG=C.UTF-8',
  ...Object.entries(environment).map(([key, value]) => `${key}=${value}`),
]

export type ExecOptions = Pick<CommandOptions, 'input' | 'timeoutMs' | 'onLine'> & {
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Runs a command inside, with an environment of its own, and gives what it said, whatever its exit code.
 *
 * @throws LabError `lab/machine-down`
 */
export function execInMachine(
  host: CgroupHost,
  names: LabNames,
  machine: string,
  command: readonly string[],
  { environment = {}, ...options }: ExecOptions = {},
): Promise<CommandResult> {
  const pid = leaderOrThrow(host, names, machine)
  return runCommand('nsenter', [...enterArguments(pid, environment), ...command], { timeoutMs: 60_000, ...options })
}

/** Runs a command inside on this terminal, as a person does, and gives its exit code. */
export function attachToMachine(
  host: CgroupHost,
  names: LabNames,
  machine: string,
  command: readonly string[],
): Promise<number> {
  const pid = leaderOrThrow(host, names, machine)
  const environment = { TERM: process.env['TERM'] || 'xterm' }
  const child = spawn('nsenter', [...enterArguments(pid, environment), ...command], { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 137)))
  })
}

/** Pulls the plug: everything in the machine is gone at once, and the time when (monotonic milliseconds) is given. */
export async function cutPower(host: CgroupHost, names: LabNames, machine: string): Promise<number> {
  const pid = leaderOrThrow(host, names, machine)
  if (isFrozen(host, machineGroup(names, machine))) await thawGroup(host, machineGroup(names, machine))
  const atMs = monotonicMs()
  process.kill(pid, 'SIGKILL')
  await gone(host, names, machine)
  return atMs
}

/** Shuts the machine down in order. */
export async function powerOff(host: CgroupHost, names: LabNames, machine: string): Promise<void> {
  process.kill(leaderOrThrow(host, names, machine), powerOffSignal)
  await gone(host, names, machine)
}

/** The system's monotonic clock in milliseconds: the same that systemd's time stamps tell, in all machines. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Removes what nspawn may leave of a machine outside its cgroup. */
export function removeNspawnTraces(nspawnMachine: string): void {
  const base = '/run/systemd/nspawn'
  if (!existsSync(base)) return
  for (const kind of readdirSync(base)) removeEmpty(`${base}/${kind}/${nspawnMachine}`)
  for (const kind of readdirSync(base)) removeEmpty(`${base}/${kind}`)
  removeEmpty(base)
}

async function gone(host: CgroupHost, names: LabNames, machine: string): Promise<void> {
  await until(() => processesOf(host, machineGroup(names, machine)).length, {
    what: `no process left in ${machine}`,
    timeoutMs: 100_000,
    everyMs: 20,
    is: (count) => count === 0,
  })
  removeNspawnTraces(nspawnName(names, machine))
}

/** In how many pid namespaces this program is: 1 on a plain host. */
const hostDepth = (): number =>
  /^NSpid:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]?.split(/\s+/).length ?? 1

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Not there, or another machine's files are in it.
  }
}

const tail = (file: string): string =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '(nothing)'

/** Writes a file that a machine will see through a bind. */
export function writeBound(names: LabNames, machine: string, name: string, text: string, mode = 0o644): string {
  const file = `${names.runtimeFolder}/${machine}/${name}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode })
  return file
}
