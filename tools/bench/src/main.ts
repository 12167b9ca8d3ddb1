/** `npm run bench -- NAME`: measures one claim, prints the report, and with --record keeps it in docs/benchmarks.md. */
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { appendReport, reportHead } from './bench.ts'
import { benchKv, type KvPart, kvParts } from './kv/kv.ts'

const usage = `usage: bench kv [options]

kv         our store beside Debian's etcd 3.4: v2 API, durable, same client, same run
  --only PART     ${kvParts.join(', ')}; can be given more than once; default all
  --rounds N      interleaved rounds (5)
  --seconds N     length of a round (5)
  --connections N (64)
  --keys N        keys of the part "million" (1000000)
  --watchers N    watchers of the part "watchers" (10000)
--record   append the report to docs/benchmarks.md
--folder D where data directories are made (the system's temporary folder)
`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      keys: { type: 'string', default: '1000000' },
      watchers: { type: 'string', default: '10000' },
      folder: { type: 'string' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const [name, ...more] = positionals
  const numbers = [values.rounds, values.seconds, values.connections, values.keys, values.watchers].map(Number)
  const parts = kvParts.filter((part) => values.only?.includes(part) ?? true)
  const unknown = values.only?.find((part) => !kvParts.some((known) => known === part))
  if (name !== 'kv' || more.length > 0 || unknown !== undefined || numbers.some((one) => !(one >= 1))) {
    const problem = unknown === undefined ? '' : `there is no part ${unknown}\n`
    process.stderr.write(`${problem}${usage}`)
    return 2
  }
  const [rounds = 5, seconds = 5, connections = 64, keys = 1_000_000, watchers = 10_000] = numbers
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const context = {
    root,
    folder: values.folder ?? tmpdir(),
    say: (line: string) => void process.stderr.write(`${line}\n`),
  }
  const options: { readonly parts: readonly KvPart[] } & Record<
    'rounds' | 'seconds' | 'connections' | 'keys' | 'watchers',
    number
  > = { parts, rounds, seconds, connections, keys, watchers }
  const body = await benchKv(options, context)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const report = `${reportHead('kv: our store beside etcd 3.4', Date.now(), commit)}\n\n${body}`
  process.stdout.write(`${report}\n`)
  if (values.record) appendReport(`${root}docs/benchmarks.md`, report)
  return 0
}

process.exitCode = await main()
