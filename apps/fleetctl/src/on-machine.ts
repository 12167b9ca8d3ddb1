/**
 * Runs a program on the machine that has a unit: here, if that is this computer, else through the system's ssh.
 * Source: spec/fleet.md §10.4.
 */
import type { FlagValues, Invocation } from '@cluster/cli'
import type { FleetMachine } from '@cluster/fleet-api'
import type { FleetContext } from './context.ts'

export type Command = readonly [string, ...string[]]

/** Exit code of ssh itself when it could not get there. */
const sshFailed = 255

/** The exit code of the command on the machine of that ID; what cannot be reached is told on stderr. */
export async function runOnMachine(
  context: FleetContext,
  machineId: string,
  command: Command,
  invocation: Invocation,
): Promise<number> {
  if ((await context.host.machineId()) === machineId) return await runHere(context, command)
  const machine = (await context.fleet.listMachines(context.signal)).find(({ id }) => id === machineId)
  if (machine === undefined || machine.primaryIp === '') {
    const why = machine === undefined ? 'it is not among the machines that are up' : 'it publishes no address'
    context.io.stderr.write(
      `Error getting machine IP: machine ${machineId}: ${why}\n` +
        'See "fleetctl list-machines"; a unit of a lost machine moves when that machine is declared dead.\n',
    )
    return 1
  }
  if (machine.primaryIp.startsWith('127.')) {
    context.io.stderr.write(
      `Unable to reach machine ${machineId}: it publishes ${machine.primaryIp}, where only its own computer can ask\n` +
        'Run this there; where its fleetd runs units as processes, name its process_dir with --process-dir.\n',
    )
    return 1
  }
  return await runThere(context, machine, command, invocation)
}

/** Runs a command on this computer. */
export async function runHere({ io, runProgram, signal }: FleetContext, command: Command): Promise<number> {
  const exitCode = await runProgram(command, signal)
  if (exitCode !== undefined) return exitCode
  io.stderr.write(`There is no ${command[0]} on this computer. Is it a systemd machine?\n`)
  return 1
}

async function runThere(
  { io, runProgram, signal, settings, host }: FleetContext,
  machine: FleetMachine,
  command: Command,
  { flags }: Invocation,
): Promise<number> {
  const argv = sshArguments(machine.primaryIp, command, {
    user: settings.text('ssh-username'),
    port: flags.number('ssh-port'),
    timeoutSeconds: settings.number('ssh-timeout'),
    knownHosts: knownHosts(settings, host.homeFolder),
  })
  const exitCode = await runProgram(argv, signal)
  const target = `${settings.text('ssh-username')}@${machine.primaryIp}`
  if (exitCode === undefined) {
    io.stderr.write('Unable to SSH to remote host: there is no ssh on this computer\nInstall openssh-client.\n')
    return sshFailed
  }
  if (exitCode === sshFailed) {
    io.stderr.write(
      `Unable to SSH to remote host: ssh to ${target} failed; its own words are above\n` +
        `Check that "ssh ${target}" works without a question, or run this on machine ${machine.id}.\n`,
    )
  }
  return exitCode
}

type SshOptions = {
  readonly user: string
  readonly port: number
  readonly timeoutSeconds: number
  /** Files with known keys; `unchecked`: any machine is believed. */
  readonly knownHosts: readonly string[] | 'unchecked'
}

/** The call of ssh; it never asks, and the words of the command reach the machine as they are. */
export function sshArguments(address: string, command: Command, options: SshOptions): Command {
  const { user, port, timeoutSeconds, knownHosts: files } = options
  const checking =
    files === 'unchecked'
      ? ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
      : ['-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${files.map((file) => `"${file}"`).join(' ')}`]
  return [
    'ssh',
    '-o',
    'BatchMode=yes',
    '-o',
    `ConnectTimeout=${Math.max(1, Math.ceil(timeoutSeconds))}`,
    ...checking,
    ...(port === 22 ? [] : ['-p', String(port)]),
    '-l',
    user,
    '--',
    address,
    command.map(quoted).join(' '),
  ]
}

/** fleet's own file first, then the one that ssh itself keeps. */
const knownHosts = (settings: FlagValues, homeFolder: string): SshOptions['knownHosts'] =>
  settings.boolean('strict-host-key-checking')
    ? [settings.text('known-hosts-file').replace(/^~(?=\/|$)/, homeFolder), `${homeFolder}/.ssh/known_hosts`]
    : 'unchecked'

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
