/** `npm start`: from a fresh clone to three machines that run the example units. */
import { handOver, prepareLab, runMain } from './prepare.mjs'

const usage = `npm start             boots three machines, shows what the cluster does, stays up until Ctrl-C
npm start -- --exit   does the same, then pulls the plug of a machine and ends
`

await runMain(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  const unknown = args.find((arg) => arg !== '--exit')
  if (unknown !== undefined) {
    process.stderr.write(`"${unknown}" is not known here\n${usage}`)
    return 2
  }
  await prepareLab()
  return handOver('tools/lab/dist/demo.js', args)
})
