/** `npm run vectors -- SET [DIR]`: runs a set of recorded cases against our code. */
import { build, ensureLabPrograms, ensurePackages, handOver, labObstacles, runMain } from './prepare.mjs'

/** The set that makes a network of its own. */
const labSet = 'flannel-lab'

await runMain(async () => {
  await ensurePackages()
  const args = process.argv.slice(2)
  const isLab = args[0] === labSet
  // What is missing there, and cannot be had, the set itself says.
  if (isLab && labObstacles().length === 0) await ensureLabPrograms()
  await build(['@cluster/vectors', '@cluster/kvd', '@cluster/kvctl', ...(isLab ? ['@cluster/flanneld'] : [])])
  return handOver('tools/vectors/dist/vectors.js', args)
})
