/** `npm run conformance -- NAME`: our programs beside the real ones, at length. */
import { build, ensurePackages, handOver, hasProgram, Refusal, runMain } from './prepare.mjs'

await runMain(async () => {
  const args = process.argv.slice(2)
  await ensurePackages()
  if (args.includes('differential') && !hasProgram('etcd')) {
    throw new Refusal('the peer is missing: apt-get install -y --no-install-recommends etcd-server')
  }
  await build(['@cluster/conformance', '@cluster/kvd'])
  return handOver('tools/conformance/dist/conformance.js', args)
})
