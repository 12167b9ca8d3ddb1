/** `npm run vectors -- SET [DIR]`: runs a set of recorded cases against our code. */
import { build, ensurePackages, handOver, runMain } from './prepare.mjs'

await runMain(async () => {
  await ensurePackages()
  await build(['@cluster/vectors', '@cluster/kvd', '@cluster/kvctl'])
  return handOver('tools/vectors/dist/vectors.js', process.argv.slice(2))
})
