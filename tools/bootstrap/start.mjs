/** `npm start`: from a fresh clone to three machines that run the example units. */
import { build, ensurePackages, handOver, prepareLab, Refusal, runMain } from './prepare.mjs'

const usage = `npm start                     three machines on this computer, as processes: shows what the cluster does, and stays
                              up until Ctrl-C; needs Linux and Node, and neither root nor systemd
npm start -- --exit           does the same, then loses a machine, gets it back, and ends
npm start -- --lab [--exit]   the same on three booted machines, each with its own systemd; needs Debian and root
npm start -- --lab --etcd     … with Debian's etcd for the store instead of our own
`

const known = ['--exit', '--lab', '--etcd']

await runMain(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  const unknown = args.find((arg) => !known.includes(arg))
  if (unknown !== undefined) {
    process.stderr.write(`"${unknown}" is not known here\n${usage}`)
    return 2
  }
  if (args.includes('--lab')) return startLab(args.filter((arg) => arg !== '--lab'))
  if (args.includes('--etcd')) {
    process.stderr.write(`"--etcd" goes with --lab: what runs on this computer alone has our own store\n${usage}`)
    return 2
  }
  if (process.platform !== 'linux') {
    throw new Refusal(
      `npm start runs units as processes, which needs Linux; this is ${process.platform}\n` +
        'use a container: docker run -it -v "$PWD":/cluster -w /cluster node:20 npm start',
    )
  }
  await ensurePackages()
  await build(['@cluster/kvd', '@cluster/fleetd', '@cluster/fleetctl', '@cluster/lab'])
  return handOver('tools/lab/dist/local-demo.js', args)
})

async function startLab(args) {
  await prepareLab({ withEtcd: args.includes('--etcd') })
  return handOver('tools/lab/dist/demo.js', args)
}
