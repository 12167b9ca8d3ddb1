/** `npm run conformance -- NAME`: our programs beside the real ones. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { allowedDifferences } from './differential/allowed.ts'
import { differential } from './differential/command.ts'
import { killUnderLoad } from './kill/kill.ts'
import { etcdCommand, kvdCommand } from './server-process.ts'

const usage = `usage: conformance differential|kill [options]

differential   the same seeded random requests to kvd and to etcd 3.4 (v2 API); prints what differs
  --seed N       (1)
  --requests N   (100000)
kill           kills the server under load and reads what is there after each restart
  --seed N       (1)
  --kills N      (1000)
--etcd         take etcd in our place: what the test itself gets wrong
`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      requests: { type: 'string', default: '100000' },
      kills: { type: 'string', default: '1000' },
      etcd: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const [seed, requests, kills] = [Number(values.seed), Number(values.requests), Number(values.kills)]
  const [name, ...more] = positionals
  const isKnown = name === 'differential' || name === 'kill'
  if (!isKnown || more.length > 0 || !Number.isSafeInteger(seed) || !(requests >= 1) || !(kills >= 1)) {
    process.stderr.write(usage)
    return 2
  }
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  const command = values.etcd ? etcdCommand : kvdCommand(root)
  if (name === 'kill') {
    const found = await killUnderLoad({ command, seed, kills, say })
    for (const line of found.wrong) process.stdout.write(`${line}\n`)
    process.stdout.write(
      `${found.kills} kills, ${found.acknowledgements} acknowledged writes, ${found.wrong.length} wrong\n`,
    )
    return found.wrong.length === 0 ? 0 : 1
  }
  const result = await differential({ command, seed, requests, say })
  for (const difference of result.differences) process.stdout.write(`${difference}\n\n`)
  for (const { name, reason } of allowedDifferences) {
    process.stdout.write(`allowed ${result.used.get(name) ?? 0} times: ${name}: ${reason}\n`)
  }
  process.stdout.write(`${result.requests} requests, ${result.differences.length} differences\n`)
  return result.differences.length === 0 ? 0 : 1
}

process.exitCode = await main()
