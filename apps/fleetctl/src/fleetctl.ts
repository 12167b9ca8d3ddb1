/** The command line of fleetctl: global flags and commands as declared, each with the file that runs it. */
import { type Command, type CommandLine, type Example, type Flag, type Flags, outputFlag } from '@cluster/cli'
import { isClusterError } from '@cluster/prelude'
import type { Context, RunCommand } from './context.ts'
import { printFailure } from './failure.ts'
import { hint } from './log.ts'
import { version } from './version.ts'

const text = (summary: string, byDefault = ''): Flag => ({ kind: 'string', default: byDefault, summary })
const deprecated = (instead: string): Flag => text(`DEPRECATED: use --${instead}`)
const toggle = (summary: string): Flag => ({ kind: 'boolean', default: false, summary })
const count = (summary: string, byDefault = 0): Flag => ({ kind: 'int', default: byDefault, summary })

const globalFlags: Flags = {
  'ca-file': text('Certificates of authorities that the API server may be certified by'),
  'cert-file': text('Our own certificate, for an API server that wants one'),
  debug: toggle('Accepted for the sake of old scripts; tells nothing more'),
  driver: text('How the cluster is reached; "API" is the one there is', 'API'),
  endpoint: text('Where the fleet API listens: unix:///PATH, http://HOST:PORT', 'unix:///var/run/fleet.sock'),
  'etcd-cafile': deprecated('ca-file'),
  'etcd-certfile': deprecated('cert-file'),
  'etcd-key-prefix': text('Keys of fleet in the store; of no use with --driver=API', '/_coreos.com/fleet/'),
  'etcd-keyfile': deprecated('key-file'),
  'experimental-api': { kind: 'boolean', default: true, summary: 'DEPRECATED: the API is always used' },
  'key-file': text('Key of our own certificate'),
  'known-hosts-file': text('Host keys of machines, in the form of OpenSSH', '~/.fleetctl/known_hosts'),
  'no-color': toggle('No colours, not even on a terminal'),
  'process-dir': text(
    'Folders A,B,… of process managers on this computer, for status and journal',
    '/run/fleet/process',
  ),
  'request-timeout': { kind: 'float', default: 3, summary: 'Seconds for one request; of no use with --driver=API' },
  'ssh-timeout': { kind: 'float', default: 10, summary: 'Seconds for getting an SSH connection' },
  'ssh-username': text('User on the machines, for status and journal', 'core'),
  'strict-host-key-checking': { kind: 'boolean', default: true, summary: 'Refuse machines with unknown host keys' },
  tunnel: text('HOST[:PORT] of a machine to reach the cluster through, by SSH'),
}

const blockAttempts = count('Wait for at most N times two seconds; 0 is no limit. Global units are not waited for.')
const noBlock = toggle('Do not wait at all')
const replace = toggle('Replace units in the cluster whose local file differs')
const sign: Flag = { ...toggle('DEPRECATED: does nothing'), hidden: true }
const sshPort = count('Port of SSH on the machines', 22)
const wait = toggle('Wait also for units that were wanted so before')
const full = toggle('Whole IDs and hashes')
const noLegend = toggle('No line of column names')
const output = outputFlag

const example = (about: string, line: string): Example => ({ about, line: `fleetctl ${line}` })

type Declaration = Omit<Command<Context>, 'load' | 'usageExitCode'> & { readonly usageExitCode?: number }

/** A command that talks to the daemon. The recorded exit code for wrong flags is 0 (trap 20). */
const command = (declared: Declaration, load: () => Promise<{ readonly run: RunCommand }>): Command<Context> => ({
  usageExitCode: 0,
  ...declared,
  load: async () => {
    const { run } = await load()
    return async (context, invocation) => {
      let opened: Awaited<ReturnType<Context['openFleet']>>
      try {
        opened = await context.openFleet(context.settings)
      } catch (error) {
        // An endpoint that is none is refused in the original's one line.
        if (!isClusterError(error, 'fleet-api/invalid-endpoint')) {
          return printFailure(context, 'Unable to initialize client: ', error)
        }
        context.io.stderr.write(`Unable to initialize client: ${error.message}\n`)
        hint(context, error.hint ?? '')
        return 1
      }
      await using fleet = opened
      return await run({ ...context, fleet }, invocation)
    }
  },
})

const machinesFrom = { wordsFrom: 'list-machines --full --no-legend --fields machine' }

const commands: readonly Command<Context>[] = [
  command(
    {
      name: 'brake',
      summary: 'Tell what is held back after several machines vanished, or let it go',
      usage: 'brake [release]',
      description:
        'When several machines vanish at once, units stay on them beyond a third of all: it may be the network. They go\n' +
        'on when the machines return. "release" lets them leave the machines that are away now, and only those.',
      examples: [example('Whether it holds', 'brake'), example('The machines are lost for good', 'brake release')],
      flags: { output },
      words: ['release', 'status'],
      usageExitCode: 2,
    },
    () => import('./commands/brake.ts'),
  ),
  command(
    {
      name: 'cat',
      summary: 'Print the text of a unit as the cluster has it',
      usage: 'cat UNIT',
      description: 'Prints sections and options in order. Comments and blank lines are not kept by the cluster.',
      examples: [example('Compare with the local file', 'cat hello.service | diff - hello.service')],
      flags: { output },
    },
    () => import('./commands/cat.ts'),
  ),
  {
    name: 'completion',
    summary: 'Print a script that completes commands in a shell',
    usage: 'completion bash|zsh|fish',
    description: 'Completes commands, flags and file names.',
    examples: [example('In the running bash', 'completion bash > /tmp/fleetctl.bash && source /tmp/fleetctl.bash')],
    flags: {},
    usageExitCode: 2,
    load: async () => (await import('./commands/completion.ts')).runFor(fleetctl),
  },
  command(
    {
      name: 'cordon',
      summary: 'Keep further units off machines; those that they have stay',
      usage: 'cordon MACHINE...',
      description:
        'A machine is named by its ID, by how that begins, or by its address. It stays cordoned, also when it was away,\n' +
        'until "uncordon". Global units take no notice. A machine that is being drained is drained no longer.',
      examples: [example('Nothing new on this machine', 'cordon 1a000000')],
      flags: { output },
      ...machinesFrom,
      usageExitCode: 2,
    },
    () => import('./commands/cordon.ts'),
  ),
  command(
    {
      name: 'destroy',
      summary: 'Remove units from the cluster',
      usage: 'destroy [--no-block|--block-attempts=N] UNIT...',
      description:
        'Stops units and forgets them; to start one again, submit it anew.\n' +
        'Waits until no machine has them any more, up to 20 s unless --block-attempts says otherwise.',
      examples: [example('Two units at once', 'destroy hello.service web@1')],
      flags: { 'block-attempts': blockAttempts, 'no-block': noBlock, output },
    },
    () => import('./commands/destroy.ts'),
  ),
  command(
    {
      name: 'drain',
      summary: 'Have machines left by their units',
      usage: 'drain [--yes] [--timeout=SECONDS] [--all] [--full] [--output=FORM] MACHINE...',
      description:
        'Tells first which units would move and which fit nowhere else, as "what-if drain" does, and asks. Then the\n' +
        'machines are cordoned, their units stopped there and started elsewhere; what fits nowhere else stays, and moves\n' +
        'as soon as it fits. Global units stay. "uncordon" ends a drain; what has moved stays where it is.\n' +
        'The exit code is 0 when no unit is left, 1 when some are. Ctrl-C ends the wait, not the drain.',
      examples: [
        example('Before the machine is switched off', 'drain 1a000000'),
        example('In a script', 'drain --yes --timeout 600 1a000000 && ssh m1 poweroff'),
      ],
      flags: {
        all: toggle('Name every move, unit and machine, not only the first'),
        full,
        output,
        timeout: { kind: 'float', default: 300, summary: 'Seconds to wait until the machines are left; 0 is no limit' },
        yes: toggle('Do not ask'),
      },
      ...machinesFrom,
      usageExitCode: 2,
    },
    () => import('./commands/drain.ts'),
  ),
  command(
    {
      name: 'journal',
      summary: 'Print the log of a unit',
      usage: 'journal [--lines=N] [--follow] [--output=STRING] [--ssh-port=N] UNIT',
      description:
        'Asks journalctl on the machine that has the unit: directly when that is this computer, else by SSH.\n' +
        'Where fleetd runs units as processes, reads its log of them; see --process-dir.\n' +
        'Does not work with global units.',
      examples: [
        example('The last hundred lines', 'journal --lines 100 hello.service'),
        example('What comes from now on', 'journal --follow hello.service'),
      ],
      flags: {
        f: toggle('The same as --follow'),
        follow: toggle('Go on with new lines as they come'),
        lines: count('How many of the latest lines', 10),
        output: text('Form of the lines, in the words of journalctl', 'short'),
        'ssh-port': sshPort,
        sudo: toggle('Run journalctl by sudo'),
      },
    },
    () => import('./commands/journal.ts'),
  ),
  {
    name: 'lint',
    summary: 'Tell what is wrong or doubtful in unit files',
    usage: 'lint [--fix] [--severity=LEVEL] [--max-findings=N] [--output=FORM] FILE|FOLDER|-...',
    description:
      'Looks at files on this computer, each by itself and all together; the cluster is not asked.\n' +
      'Ends with exit code 1 when there are errors. With --fix what has one plain remedy is repaired in place:\n' +
      'comments, order and modes stay. Of a unit on stdin the repaired text goes to stdout.',
    examples: [
      example('A folder, with its drop-ins', 'lint units/'),
      example('Repair what can be repaired', 'lint --fix units/web@.service'),
      example('For a code host', 'lint --output sarif units/ > lint.sarif'),
      example('A text from elsewhere', 'lint --name web.service - < draft'),
    ],
    flags: {
      fix: toggle('Repair the files where there is one plain remedy'),
      'max-findings': count('So many findings of each file, the most severe ones; 0 is all', 200),
      name: text('Name of the unit on stdin', 'stdin.service'),
      output: {
        kind: 'string',
        default: 'text',
        choices: ['text', 'json', 'sarif'],
        summary: 'Form of the answer: text, json or sarif (2.1.0)',
      },
      severity: {
        kind: 'string',
        default: 'warning',
        choices: ['error', 'warning', 'info'],
        summary: 'The least severe findings to tell',
      },
      'systemd-version': count('The oldest systemd that the units are for', 252),
      'this-machine': toggle('Look also whether programs and other units are on this computer'),
    },
    usageExitCode: 2,
    load: async () => {
      const [{ runOn }, { lintFiles }] = await Promise.all([import('./commands/lint.ts'), import('./lint-files.ts')])
      return runOn(lintFiles)
    },
  },
  command(
    {
      name: 'list-machines',
      summary: 'List the machines that are up',
      usage: 'list-machines [--full] [--fields=LIST] [--no-legend] [--output=FORM]',
      description: 'Machines that have gone are not listed.',
      examples: [example('For a script', 'list-machines --output json')],
      flags: {
        fields: text(
          'Columns: machine, ip, metadata, cordon; the last by itself when one is cordoned',
          'machine,ip,metadata',
        ),
        full,
        l: toggle('The same as --full'),
        'no-legend': noLegend,
        output,
      },
    },
    () => import('./commands/list-machines.ts'),
  ),
  command(
    {
      name: 'list-unit-files',
      summary: 'List all units of the cluster',
      usage: 'list-unit-files [--full] [--fields=LIST] [--no-legend] [--output=FORM]',
      description:
        'DSTATE is what is wanted of a unit, STATE what has become of it, TARGET the machine it is placed on.',
      examples: [example('Only names', 'list-unit-files --fields unit --no-legend')],
      flags: {
        fields: text(
          'Columns: unit, hash, dstate, state, target, global, desc, tmachine',
          'unit,hash,dstate,state,target',
        ),
        full,
        'no-legend': noLegend,
        output,
      },
    },
    () => import('./commands/list-unit-files.ts'),
  ),
  command(
    {
      name: 'list-units',
      summary: 'List what systemd says of the units on their machines',
      usage: 'list-units [--full] [--fields=LIST] [--no-legend] [--output=FORM]',
      description: 'One line for each unit and machine that has it. Units that no machine has are not listed.',
      examples: [
        example('Chosen columns', 'list-units --fields unit,machine,active'),
        example('For a script', 'list-units --output json'),
      ],
      flags: {
        fields: text('Columns: unit, machine, load, active, sub, hash', 'unit,machine,active,sub'),
        full,
        l: toggle('The same as --full'),
        'no-legend': noLegend,
        output,
      },
    },
    () => import('./commands/list-units.ts'),
  ),
  command(
    {
      name: 'load',
      summary: 'Place units on machines without starting them',
      usage: 'load [--replace] [--no-block|--block-attempts=N] UNIT...',
      description:
        'Submits units that the cluster does not have, and waits until a machine has loaded each of them.\n' +
        'A unit that runs is stopped.',
      examples: [example('All units of a folder', 'load units/*.service')],
      flags: { 'block-attempts': blockAttempts, 'no-block': noBlock, replace, sign, wait, output },
    },
    () => import('./commands/load.ts'),
  ),
  command(
    {
      name: 'restart',
      summary: 'Stop running units and start them again',
      usage: 'restart [--block-attempts=N] UNIT...',
      description: 'One after another: the next is stopped only when the one before is active again.',
      examples: [example('Two instances, never both down', 'restart web@1 web@2')],
      flags: { 'block-attempts': blockAttempts, output },
    },
    () => import('./commands/restart.ts'),
  ),
  command(
    {
      name: 'start',
      summary: 'Run units somewhere in the cluster',
      usage: 'start [--replace] [--no-block|--block-attempts=N] UNIT...',
      description:
        'Submits units that the cluster does not have, places them on machines and starts them.\n' +
        'An instance such as web@1.service comes from web@.service, in the cluster or in the same folder.\n' +
        'Waits until systemd has started each of them; global units are not waited for.',
      examples: [
        example('One unit, from the file hello.service', 'start hello.service'),
        example('Three instances of a template', 'start web@1 web@2 web@3'),
        example('All units of a folder', 'start units/*.service'),
      ],
      flags: { 'block-attempts': blockAttempts, 'no-block': noBlock, replace, sign, wait, output },
    },
    () => import('./commands/start.ts'),
  ),
  command(
    {
      name: 'status',
      summary: 'Print what systemd tells of units',
      usage: 'status [--ssh-port=N] UNIT...',
      description:
        'Asks systemctl on the machine that has the unit: directly when that is this computer, else by SSH.\n' +
        'Where fleetd runs units as processes, tells what the cluster knows and its latest lines; see --process-dir.\n' +
        'Ends with the exit code of systemctl at the first unit that is not well.',
      examples: [example('One unit', 'status hello.service')],
      flags: { 'ssh-port': sshPort },
    },
    () => import('./commands/status.ts'),
  ),
  command(
    {
      name: 'stop',
      summary: 'Stop units; they stay on their machines',
      usage: 'stop [--no-block|--block-attempts=N] UNIT...',
      description: 'Stopped units can be started again at once. See also unload and destroy.',
      examples: [example('One unit', 'stop hello.service')],
      flags: { 'block-attempts': blockAttempts, 'no-block': noBlock, output },
    },
    () => import('./commands/stop.ts'),
  ),
  command(
    {
      name: 'submit',
      summary: 'Bring units into the cluster without placing them',
      usage: 'submit [--replace] UNIT...',
      description: 'A unit that the cluster has already stays as it is, unless --replace is given.',
      examples: [example('A template', 'submit web@.service'), example('A folder', 'submit units/*')],
      flags: { replace, sign, output },
    },
    () => import('./commands/submit.ts'),
  ),
  command(
    {
      name: 'uncordon',
      summary: 'Let machines have units again; ends a drain',
      usage: 'uncordon MACHINE...',
      description: 'Takes the cordon away, also of a machine that is not up. What has moved stays where it is.',
      examples: [example('The machine is back in use', 'uncordon 1a000000')],
      flags: { output },
      ...machinesFrom,
      usageExitCode: 2,
    },
    () => import('./commands/uncordon.ts'),
  ),
  command(
    {
      name: 'unload',
      summary: 'Take units off their machines; they stay in the cluster',
      usage: 'unload [--no-block|--block-attempts=N] UNIT...',
      description: 'Running units are stopped first.',
      examples: [example('One unit', 'unload hello.service')],
      flags: { 'block-attempts': blockAttempts, 'no-block': noBlock, output },
    },
    () => import('./commands/unload.ts'),
  ),
  command(
    {
      name: 'verify',
      summary: '',
      usage: 'verify UNIT',
      description: 'No longer does anything.',
      examples: [],
      flags: {},
    },
    () => import('./commands/verify.ts'),
  ),
  command(
    {
      name: 'version',
      summary: 'Print the version and exit',
      usage: 'version',
      description: 'Prints the version of fleetctl itself.',
      examples: [],
      flags: { output },
    },
    () => import('./commands/version.ts'),
  ),
  command(
    {
      name: 'what-if',
      summary: 'Tell what changes would lead to, without making them',
      usage:
        'what-if drain|lose MACHINE... | lose --any=N|--by=KEY[=VALUE] | add-machine [--metadata=K=V] | add|edit FILE... | remove UNIT...',
      description:
        'Reads the cluster once, plans here as fleetd would, and prints which units move, which would have no place and\n' +
        'why, and the load of machines before and after. Nothing is changed.\n' +
        '--any 2 loses every two machines in turn, --by zone every zone, and the worst case is told; Ctrl-C ends that with\n' +
        'the worst so far. An added unit is taken as started. With --fail-on-unplaced the exit code is 1 when a unit that\n' +
        'has a place, or is added, would have none.',
      examples: [
        example('Before the machine is switched off', 'what-if drain 1a000000'),
        example('A gate for CI: the loss of any two machines', 'what-if lose --any 2 --fail-on-unplaced'),
        example('Every zone in turn', 'what-if lose --by zone'),
        example('Whether these units would fit', 'what-if add units/*.service --fail-on-unplaced'),
        example(
          'Whether more machines would help',
          'what-if add-machine --count 2 --metadata disk=ssd --metadata zone=b',
        ),
      ],
      flags: {
        all: toggle('Name every move, unit and machine, not only the first'),
        any: count('Lose every set of so many machines: 1, 2 or 3', 0),
        by: text('Lose all machines with a metadata KEY=VALUE; of a KEY alone each value in turn'),
        count: count('How many machines are added', 1),
        'fail-on-unplaced': toggle('End with exit code 1 when a unit would be left without a place'),
        full,
        metadata: {
          kind: 'string',
          default: '',
          repeats: true,
          summary: 'KEY=VALUE of the added machines; may be given several times',
        },
        output,
      },
      words: ['add', 'add-machine', 'drain', 'edit', 'lose', 'remove'],
      ...machinesFrom,
      usageExitCode: 2,
    },
    () => import('./commands/what-if.ts'),
  ),
  command(
    {
      name: 'why',
      summary: 'Tell why a unit runs where it runs, or nowhere',
      usage: 'why [--machine=MACHINE] [--all] [--full] [--output=FORM] UNIT',
      description:
        'Prints the rule by which each machine decided with its line of the unit file, and what systemd says where the\n' +
        'unit is. Of a unit that no machine can run, also the smallest changes that would help, each tried.\n' +
        'Lines are those of the file here where it says the same as the cluster, else those of "fleetctl cat".\n' +
        'Of a file that the cluster does not have, tells what would be if it were started.',
      examples: [
        example('A unit that does not start', 'why hello.service'),
        example('One machine alone', 'why hello.service --machine 1a000000'),
        example('A file, before it is submitted', 'why units/web.service'),
      ],
      flags: {
        all: toggle('Name every machine, not only the first few that say the same'),
        full,
        machine: text('Only this machine: ID, how it begins, or address'),
        output,
      },
      wordsFrom: 'list-unit-files --no-legend --fields unit',
      usageExitCode: 2,
    },
    () => import('./commands/why.ts'),
  ),
]

export const fleetctl: CommandLine<Context> = {
  program: 'fleetctl',
  version,
  summary: 'runs systemd units on a cluster of machines',
  flags: globalFlags,
  environmentPrefix: 'FLEETCTL_',
  commands,
  usageExitCode: 0,
  usageErrorEcho: 'cannot execute cmdFleet: ',
}
