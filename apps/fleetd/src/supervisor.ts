/** The supervisor of the process manager, as a file beside the program: it goes on when fleetd ends. */
import { describeError } from '@cluster/prelude'
import { runProcessSupervisor } from '@cluster/systemd'

const [, , directory] = process.argv
if (directory === undefined) {
  process.stderr.write('usage: fleetd-supervisor DIRECTORY\n')
  process.exitCode = 2
} else {
  runProcessSupervisor(directory).catch((error: unknown) => {
    for (const line of describeError(error)) process.stderr.write(`${line}\n`)
    process.exitCode = 1
  })
}
