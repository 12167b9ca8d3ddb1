/** `npm run lab -- 3`, `npm run lab -- down` and the rest; `npm run lab -- --help` lists them. */
import { existsSync } from 'node:fs'
import { asksForEtcd, handOver, prepareLab, repository, runMain } from './prepare.mjs'

await runMain(async () => {
  const args = process.argv.slice(2)
  const program = 'tools/lab/dist/lab.js'
  // Only booting needs fresh programs: what acts on a lab that is up should not wait for a build.
  const boots = args[0] === undefined || args[0] === 'up' || /^\d+$/.test(args[0])
  if (boots || !existsSync(`${repository}/${program}`)) await prepareLab({ withEtcd: asksForEtcd(args) })
  return handOver(program, args.length === 0 ? ['--help'] : args)
})
