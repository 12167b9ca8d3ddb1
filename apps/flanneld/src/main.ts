/** flanneld: flags to the daemon or a command, exit codes. Loads only what is asked for. */
import { describeError } from '@cluster/prelude'
import { commandNames } from './command-names.ts'
import { readFlags } from './flags.ts'
import { versionText } from './version.ts'

/** Lets the process end by itself with this code, so that output is flushed. */
const endWith = (code: number): void => {
  process.exitCode = code
}

const complain = ({ message, remedy }: { readonly message: string; readonly remedy: string }, code: number): void => {
  process.stderr.write(`flanneld: ${message}\nflanneld: ${remedy}\n`)
  endWith(code)
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const outcome = readFlags(argv, process.env, commandNames, versionText(process))
  switch (outcome.kind) {
    case 'print':
      process.stdout.write(outcome.text)
      return
    case 'usage':
      return complain(outcome, 2)
    case 'refused':
      return complain(outcome, 1)
    case 'command': {
      const { runFlanneldCommand } = await import('./flanneld.ts')
      return endWith(await runFlanneldCommand(argv))
    }
    case 'run': {
      const { runAsDaemon } = await import('./daemon.ts')
      const fault = await runAsDaemon(outcome)
      return fault === undefined ? undefined : complain(fault, 1)
    }
    default:
      return outcome satisfies never
  }
}

main().catch((error: unknown) => {
  for (const line of describeError(error)) process.stderr.write(`flanneld: ${line}\n`)
  endWith(1)
})
