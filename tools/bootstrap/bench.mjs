/** `npm run bench -- NAME`: measures a claim beside the real program, in the same run. */
import { build, ensurePackages, handOver, hasProgram, Refusal, runMain } from './prepare.mjs'

await runMain(async () => {
  const args = process.argv.slice(2)
  await ensurePackages()
  if (args.includes('kv') && !hasProgram('etcd')) {
    throw new Refusal('the peer is missing: apt-get install -y --no-install-recommends etcd-server')
  }
  await build(['@cluster/bench', '@cluster/kvd', '@cluster/flanneld'])
  return handOver('tools/bench/dist/bench.js', args)
})
