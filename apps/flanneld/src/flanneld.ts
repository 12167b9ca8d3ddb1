/** The commands for people: what they are called, what they take, and where their code is. */
import {
  type CommandLine,
  type Flag,
  type Flags,
  type FlagValues,
  type Io,
  ioOf,
  outputFlag,
  runCommandLine,
} from '@cluster/cli'
import type { Context, FlanneldCommand } from './command.ts'
import { type ConfigFault, networkFilesOf, storeConfigOf } from './config.ts'
import { FlanneldError } from './errors.ts'
import { type Flag as DaemonFlag, flags as daemonFlags, machineFlagNames, storeFlags } from './flag-table.ts'
import { type GivenFlags, parseBoolean } from './flags.ts'
import { machinePorts } from './machine-ports.ts'
import { version } from './version.ts'

const fileFlagNames = ['subnet-file', 'subnet-dir', 'networks'] as const

const fileFlags: readonly DaemonFlag[] = fileFlagNames.flatMap((name) => daemonFlags.get(name) ?? [])

const shared: readonly DaemonFlag[] = [...fileFlags, ...storeFlags]

const text = (summary: string, fallback = ''): Flag => ({ kind: 'string', default: fallback, summary })
const boolean = (summary: string): Flag => ({ kind: 'boolean', default: false, summary })

/** The flags with which the daemon would look at this machine. */
const machineFlags: Flags = Object.fromEntries(
  machineFlagNames
    .flatMap((name) => daemonFlags.get(name) ?? [])
    .map(({ name, kind, fallback, help }): readonly [string, Flag] => [
      name,
      kind === 'boolean'
        ? { kind, default: parseBoolean(fallback) === true, summary: help }
        : { kind: 'string', default: fallback, summary: help, repeats: kind === 'repeated' && name !== 'iface-regex' },
    ]),
)

const optionFlags = (what: string): Flags => ({
  f: text(`Subnet file to read`, '/run/flannel/subnet.env'),
  d: text(`Write to this file instead of standard output`),
  output: { ...outputFlag, summary: `Form of the answer: table (as ${what} takes it), plain (the same) or json` },
})

const commands: readonly FlanneldCommand[] = [
  {
    name: 'status',
    summary: "This machine's lease, its peers and their state",
    usage: 'status [--output FORM]',
    description:
      'Asks the flanneld that runs on this machine, through the socket beside its subnet file; where none runs, store and kernel are read. The exit code is 0 when the overlay is ready, else 1.',
    examples: [
      { line: 'flanneld status', about: 'For a person' },
      { line: 'flanneld status --output json', about: 'For a script' },
    ],
    flags: { output: outputFlag, ...machineFlags },
    usageExitCode: 2,
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'check',
    summary: 'The first broken hop on the way to a peer',
    usage: 'check [--output FORM] PEER',
    description:
      "PEER is a machine's subnet, an address in it, or its public address. Looks at lease, link, route, neighbour, forwarding entry, firewall and MTU, in the order in which a packet needs them. Works without a running flanneld, too. The exit code is 1 when one of them is broken.",
    examples: [{ line: 'flanneld check 10.5.34.2', about: 'Why can a container not be reached?' }],
    flags: { output: outputFlag, ...machineFlags },
    usageExitCode: 2,
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'plan',
    summary: 'What would change in the kernel, without changing it',
    usage: 'plan [--output FORM]',
    description:
      'Prints the commands that would make the kernel as the leases ask for; none when it is so already, which a running flanneld sees to. Where none runs: what its start would change, and which subnet it would ask for. The exit code is 0 either way.',
    examples: [
      { line: 'flanneld plan', about: 'What has somebody changed by hand?' },
      { line: 'flanneld plan --iface eth1 --ip-masq', about: 'What will the first start do here?' },
    ],
    flags: { output: outputFlag, ...machineFlags },
    usageExitCode: 2,
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'cleanup',
    summary: 'Remove all that flanneld made in the kernel',
    usage: 'cleanup [--release-lease --public-ip IP]',
    description:
      'For a machine that leaves the network: removes devices, routes, neighbours, forwarding entries and filter rules of ours, and the subnet file. Nothing else is touched. A stopped flanneld leaves all of it, so that a restart loses no packet. Stop flanneld first.',
    examples: [
      { line: 'flanneld cleanup', about: 'The machine keeps its subnet for when it returns' },
      { line: 'flanneld cleanup --release-lease --public-ip 10.0.0.11', about: 'The subnet is for others' },
    ],
    flags: {
      'release-lease': boolean('Give the subnet back, too'),
      'public-ip': text('Address by which the lease is known'),
      output: outputFlag,
    },
    usageExitCode: 2,
    load: async () => (await import('./commands/cleanup.ts')).cleanup,
  },
  {
    name: 'docker-opts',
    summary: 'Options for dockerd, from the subnet file',
    usage: 'docker-opts [-f FILE] [-d FILE] [-i] [-c] [-m] [-k KEY]',
    description: "Prints what flannel's mk-docker-opts.sh writes. With neither -i nor -c: both forms.",
    examples: [{ line: 'flanneld docker-opts -d /run/docker_opts.env -i', about: 'As CoreOS starts docker' }],
    flags: {
      ...optionFlags('dockerd'),
      i: boolean('One variable for each option'),
      c: boolean('All options in one variable'),
      m: boolean('Leave out --ip-masq'),
      k: text('Name of the variable with all options', 'DOCKER_OPTS'),
    },
    usageExitCode: 1,
    load: async () => (await import('./commands/container-options.ts')).dockerOptions,
  },
  {
    name: 'podman-opts',
    summary: 'The command that makes a network of podman, from the subnet file',
    usage: 'podman-opts [-f FILE] [-d FILE]',
    description:
      "Prints the words behind podman that make a network of this machine's subnet. When the overlay masquerades, podman is told to leave the bridge alone, which then has to exist: see nspawn-opts.",
    examples: [{ line: 'podman $(flanneld podman-opts)', about: 'Once for each subnet' }],
    flags: optionFlags('podman'),
    usageExitCode: 2,
    load: async () => (await import('./commands/container-options.ts')).podmanOptions,
  },
  {
    name: 'nspawn-opts',
    summary: 'Files for systemd-nspawn, from the subnet file',
    usage: 'nspawn-opts [-f FILE] [-d DIRECTORY]',
    description:
      "Prints the files that make a bridge with this machine's subnet by systemd-networkd and put every container of systemd-nspawn@.service on it. With -d DIRECTORY they are written below that directory: / for this machine.",
    examples: [
      { line: 'flanneld nspawn-opts', about: 'To look at' },
      { line: 'flanneld nspawn-opts -d / && networkctl reload', about: 'To use them' },
    ],
    flags: optionFlags('systemd-networkd'),
    usageExitCode: 2,
    load: async () => (await import('./commands/container-options.ts')).nspawnOptions,
  },
  {
    name: 'completion',
    summary: 'A script that completes commands and flags in a shell',
    usage: 'completion bash|zsh|fish',
    description: 'Prints the script; source it.',
    examples: [{ line: 'source <(flanneld completion bash)', about: 'In this shell' }],
    flags: {},
    usageExitCode: 2,
    load: async () => (await import('./commands/completion.ts')).completionOf(commandLine),
  },
]

/** The whole command line. */
export const commandLine: CommandLine<Context> = {
  program: 'flanneld',
  version,
  summary:
    'A subnet of the overlay for this machine, and routes to those of all others. Without a command: the daemon.',
  flags: Object.fromEntries(shared.map(({ name, help, fallback }) => [name, text(help, fallback)])),
  environmentPrefix: 'FLANNELD_',
  commands,
  usageExitCode: 2,
}

/** The options of mk-docker-opts.sh have one dash and one letter, which the command line spells with two. */
export const spelledOut = (argv: readonly string[]): readonly string[] =>
  argv.map((word) => (/^-[fdicmk]$/.test(word) ? `-${word}` : word))

/** Runs one command and gives its exit code. */
export async function runFlanneldCommand(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController()
  // The first signal ends waits and requests; a second one ends the program where it stands.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort())
  const io = ioOf(process)
  return runCommandLine(commandLine, spelledOut(argv), io, (settings) => contextOf(io, settings, interruption.signal))
}

/**
 * What a command is given: the flags that it shares with the daemon.
 *
 * @throws FlanneldError `flanneld/usage`
 */
export function contextOf(io: Io, settings: FlagValues, signal: AbortSignal): Context {
  const given: GivenFlags = new Map(
    shared.flatMap(({ name }) =>
      settings.given(name) ? [[name, { texts: [settings.text(name)], source: 'flag' as const }] as const] : [],
    ),
  )
  const [networks, store] = [networkFilesOf(given), storeConfigOf(given)]
  if (!networks.ok) throw wrongFlag(networks.error)
  if (!store.ok) throw wrongFlag(store.error)
  return { io, networks: networks.value, store: store.value, machine: machinePorts, signal }
}

const wrongFlag = ({ message, remedy }: ConfigFault): FlanneldError =>
  new FlanneldError('flanneld/usage', message, { hint: remedy })
