/** The supervisor as a file to run: `node process-supervisor.js DIRECTORY`. */
import { runProcessSupervisor } from './run-supervisor.ts'

const [, , directory] = process.argv
if (directory === undefined) {
  process.stderr.write('usage: process-supervisor DIRECTORY\n')
  process.exitCode = 2
} else {
  runProcessSupervisor(directory).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = 1
  })
}
