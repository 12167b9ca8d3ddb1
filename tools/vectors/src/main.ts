/** Entry of the bundle that `npm run vectors` starts. */
import { fileURLToPath } from 'node:url'
import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  // npm changes to the root of the project; the user typed DIR somewhere else.
  directories: [process.cwd(), process.env['INIT_CWD'] ?? process.cwd()],
  // Both src/main.ts and dist/vectors.js are three folders below the root.
  projectRoot: fileURLToPath(new URL('../../../', import.meta.url)),
})
