/** The words of `npm run lab -- …`. */
import {
  type Command,
  type CommandLine,
  exitCodes,
  type Flags,
  type Invocation,
  type Io,
  outputFlag,
  outputForm,
  printTable,
} from '@cluster/cli'
import type { Lab } from './lab.ts'
import { renderMetadata } from './names.ts'
import type { StoreKind } from './store-program.ts'

/** What the commands do their work with; a fake in tests. */
export type LabContext = {
  readonly io: Io
  /** Boots a cluster of that many machines and leaves it up; with the environment's store when none is given. */
  readonly up: (machines: number, store: StoreKind | undefined) => Promise<Lab>
  readonly open: () => Lab
  readonly down: (options: { readonly withCache: boolean }) => Promise<boolean>
  /** Runs a command on this terminal inside a machine. */
  readonly attach: (machine: string, command: readonly string[]) => Promise<number>
  readonly isInteractive: boolean
  /** The words behind `exec MACHINE`, flags of the command among them. */
  readonly commandWords: readonly string[]
}

type LabCommand = Command<LabContext>

/**
 * The words apart: `lab 3` is `lab up 3`, and what stands behind `exec MACHINE` belongs to that command, flags and all.
 */
export function splitWords(argv: readonly string[]): {
  readonly own: readonly string[]
  readonly command: readonly string[]
} {
  const [first, ...rest] = argv
  if (first !== undefined && /^\d+$/.test(first)) return { own: ['up', first, ...rest], command: [] }
  if (first !== 'exec' || rest[0] === undefined || rest[0].startsWith('-')) return { own: argv, command: [] }
  const command = rest.slice(1)
  return { own: ['exec', rest[0]], command: command[0] === '--' ? command.slice(1) : command }
}

const define = (
  name: string,
  usage: string,
  summary: string,
  examples: LabCommand['examples'],
  run: (context: LabContext, invocation: Invocation) => Promise<number>,
  flags: Flags = {},
): LabCommand => ({
  name,
  usage,
  summary,
  description: summary,
  examples,
  flags,
  usageExitCode: exitCodes.usage,
  load: async () => run,
})

const onMachine = (name: string, summary: string, act: (lab: Lab, machine: string) => Promise<unknown>): LabCommand =>
  define(
    name,
    `${name} MACHINE...`,
    summary,
    [{ line: `lab ${name} m2`, about: summary }],
    async (context, { args }) => {
      if (args.length === 0) return wrongUsage(context, `${name} needs the name of a machine, such as m2`)
      const lab = context.open()
      for (const machine of args) {
        await act(lab, machine)
        context.io.stderr.write(`${machine}: ${name} done\n`)
      }
      return exitCodes.done
    },
  )

const storeActs = {
  freeze: (lab: Lab) => lab.freezeStore(),
  thaw: (lab: Lab) => lab.thawStore(),
  kill: (lab: Lab) => lab.killStore(),
  start: (lab: Lab) => lab.startStore(),
  stop: (lab: Lab) => lab.stopStore(),
  restart: async (lab: Lab) => {
    await lab.stopStore()
    await lab.startStore()
  },
  cut: (lab: Lab) => lab.cutStore(),
  restore: (lab: Lab) => lab.restoreStore(),
  fill: (lab: Lab) => lab.fillStoreDisk(),
  free: (lab: Lab) => lab.freeStoreDisk(),
} as const

const isStoreAct = (word: string | undefined): word is keyof typeof storeActs => word !== undefined && word in storeActs

/** The whole command line; `lab --help` is made of it. */
export const labCommandLine: CommandLine<LabContext> = {
  program: 'lab',
  version: '0.1.0',
  summary: 'A cluster of real systemd machines on this host, to use and to break.',
  flags: {},
  environmentPrefix: 'CLUSTER_LAB_FLAG_',
  usageExitCode: exitCodes.usage,
  commands: [
    define(
      'up',
      'up [COUNT] [--etcd]',
      'Boot COUNT machines (3) with fleetd and one store; "lab 3" for short',
      [
        { line: 'lab 3', about: 'three machines; on a terminal a shell on the first' },
        { line: 'lab 3 --etcd', about: "the same on Debian's etcd instead of our kvd" },
      ],
      async (context, { args, flags }) => {
        const count = Number(args[0] ?? 3)
        if (!Number.isInteger(count)) return wrongUsage(context, `"${args[0]}" is not a count of machines`)
        const lab = await context.up(count, flags.boolean('etcd') ? 'etcd' : undefined)
        const { stderr } = context.io
        stderr.write(`\n${(await lab.run('m1', ['fleetctl', 'list-machines'])).trimEnd()}\n\n`)
        stderr.write(howToGoOn)
        if (!context.isInteractive) return exitCodes.done
        stderr.write('This shell is on m1; "exit" leaves it, the lab stays up.\n')
        await context.attach('m1', ['bash', '-l'])
        return exitCodes.done
      },
      {
        etcd: {
          kind: 'boolean',
          default: false,
          summary: "Take Debian's etcd for the store instead of kvd (or set CLUSTER_LAB_STORE=etcd)",
        },
      },
    ),
    define(
      'exec',
      'exec MACHINE [--] COMMAND...',
      'Run a command on a machine',
      [{ line: 'lab exec m2 -- fleetctl list-units', about: 'what the cluster runs, asked on m2' }],
      async (context, { args: [machine] }) => {
        if (machine === undefined) return wrongUsage(context, 'exec needs the name of a machine, such as m2')
        if (context.commandWords.length === 0)
          return wrongUsage(context, 'exec needs a command; for a shell: lab shell')
        return context.attach(machine, context.commandWords)
      },
    ),
    define(
      'shell',
      'shell [MACHINE]',
      'Open a shell on a machine (m1)',
      [{ line: 'lab shell m3', about: 'look around on m3' }],
      (context, { args: [machine = 'm1'] }) => context.attach(machine, ['bash', '-l']),
    ),
    define(
      'status',
      'status [--output json]',
      'Say which machines are up, frozen, cut off or down',
      [{ line: 'lab status', about: 'machines and store' }],
      async (context, { flags }) => {
        const status = await context.open().status()
        printTable(context.io, outputForm(flags.text('output')), {
          heading: ['NAME', 'CONDITION', 'ADDRESS', 'HOSTNAME', 'MACHINE ID', 'METADATA'],
          rows: [
            ...status.machines.map((machine) => [
              machine.name,
              machine.condition,
              machine.address,
              machine.hostname,
              machine.machineId,
              renderMetadata(machine.metadata),
            ]),
            ['store', status.store, '172.30.0.1', status.storeProgram, '-', '-'],
          ],
          json: status,
        })
        return exitCodes.done
      },
      { output: outputFlag },
    ),
    onMachine('kill', 'Pull the plug of a machine', (lab, machine) => lab.kill(machine)),
    onMachine('boot', 'Boot a machine that is down', (lab, machine) => lab.boot(machine)),
    onMachine('reboot', 'Shut a machine down in order and boot it again', (lab, machine) => lab.reboot(machine)),
    onMachine('freeze', 'Hold every process of a machine still', (lab, machine) => lab.freeze(machine)),
    onMachine('thaw', 'Let a frozen machine go on', (lab, machine) => lab.thaw(machine)),
    onMachine('cut', 'Cut a machine off the network', (lab, machine) => lab.cut(machine)),
    onMachine('restore', 'Put a machine back on the network', (lab, machine) => lab.restore(machine)),
    define(
      'store',
      'store ACT',
      `Do something to the store: ${Object.keys(storeActs).join(', ')}`,
      [
        { line: 'lab store freeze', about: 'the store stops answering; nothing should stop or move' },
        { line: 'lab store fill', about: 'its disk is full, until "lab store free"' },
      ],
      async (context, { args: [act] }) => {
        if (!isStoreAct(act)) return wrongUsage(context, `store takes one of ${Object.keys(storeActs).join(', ')}`)
        await storeActs[act](context.open())
        context.io.stderr.write(`store: ${act} done\n`)
        return exitCodes.done
      },
    ),
    define(
      'down',
      'down [--cache]',
      'Remove the lab: processes, mounts, links and folders',
      [{ line: 'lab down', about: 'also after a crash, and twice' }],
      async (context, { flags }) => {
        const wasThere = await context.down({ withCache: flags.boolean('cache') })
        if (!wasThere) context.io.stderr.write('there is no lab: nothing to remove\n')
        return exitCodes.done
      },
      {
        cache: {
          kind: 'boolean',
          default: false,
          summary: 'Also remove the root file system that is kept for next time',
        },
      },
    ),
  ],
}

const howToGoOn = `The lab is up. Try:
  npm run lab -- exec m2 -- fleetctl start /opt/cluster/examples/hello.service
  npm run lab -- exec m1 -- fleetctl list-units
  npm run lab -- kill m3           pull a plug (also: freeze, cut, reboot)
  npm run lab -- shell m2          a shell on a machine
  npm run lab -- down              leaves nothing behind
`

function wrongUsage({ io }: LabContext, message: string): number {
  io.stderr.write(`${message}\nlab --help shows all commands\n`)
  return exitCodes.usage
}
