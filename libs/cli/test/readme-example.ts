import { type CommandLine, memoryIo, outputFlag, outputForm, printTable, runCommandLine } from '@cluster/cli'

type Context = { readonly machines: readonly { readonly name: string; readonly units: number }[] }

const line: CommandLine<Context> = {
  program: 'demo',
  version: '1.0.0',
  summary: 'Looks at machines.',
  flags: { endpoint: { kind: 'string', default: 'http://127.0.0.1:49153', summary: 'Where the daemon listens' } },
  environmentPrefix: 'DEMO_',
  usageExitCode: 2,
  commands: [
    {
      name: 'list-machines',
      summary: 'Print all machines',
      usage: 'list-machines [--output FORM]',
      description: 'Prints one line for each machine.',
      examples: [{ line: 'demo list-machines --output json', about: 'For a script' }],
      flags: { output: outputFlag },
      usageExitCode: 2,
      load:
        async () =>
        async ({ machines }, { flags }) => {
          printTable(io, outputForm(flags.text('output')), {
            heading: ['MACHINE', 'UNITS'],
            rows: machines.map(({ name, units }) => [name, String(units)]),
            json: machines,
          })
          return 0
        },
    },
  ],
}

// A program passes `ioOf(process)` and `process.argv.slice(2)`.
const io = memoryIo()
const context: Context = { machines: [{ name: 'machine-one', units: 3 }] }
const code = await runCommandLine(line, ['list-m'], io, () => context)
console.log(io.written.stdout, code)
