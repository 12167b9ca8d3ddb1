/** `npm run bench -- NAME`: measures one claim, prints the report, and with --record keeps it in docs/benchmarks.md. */
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { appendReport, type BenchContext, reportHead } from './bench.ts'
import { benchKv, kvParts } from './kv/kv.ts'
import { benchOverlay, overlayParts } from './overlay/overlay.ts'
import { benchScheduler, schedulerParts } from './scheduler/scheduler.ts'
import { benchUnits } from './units/units.ts'

const usage = `usage: bench NAME [options]

kv         our store beside Debian's etcd 3.4: v2 API, durable, same client, same run
  --only PART     ${kvParts.join(', ')}; can be given more than once; default all
  --rounds N      interleaved rounds (5)
  --seconds N     length of a round (5)
  --connections N (64)
  --keys N        keys of the part "million" (1000000)
  --watchers N    watchers of the part "watchers" (10000)
scheduler  placing, planning anew, explaining and predicting
  --only PART     ${schedulerParts.join(', ')}
  --rounds N      as above
overlay    flanneld in network namespaces: packets, start, leases of others; needs root
  --only PART     ${overlayParts.join(', ')}
  --rounds N, --seconds N   as above
units      reading and writing unit files, with npm's ini beside
  --rounds N, --seconds N   as above
--record   append the report to docs/benchmarks.md
--folder D where data directories are made (the system's temporary folder)
`

type Numbers = Readonly<Record<'rounds' | 'seconds' | 'connections' | 'keys' | 'watchers', number>>

type Bench = {
  readonly title: string
  /** What `--only` may name. */
  readonly parts: readonly string[]
  readonly run: (only: readonly string[], numbers: Numbers, context: BenchContext) => string | Promise<string>
}

const benches: Readonly<Record<string, Bench>> = {
  kv: {
    title: 'kv: our store beside etcd 3.4',
    parts: kvParts,
    run: (only, numbers, context) =>
      benchKv({ ...numbers, parts: kvParts.filter((part) => only.length === 0 || only.includes(part)) }, context),
  },
  scheduler: {
    title: 'scheduler: placing, planning anew, explaining and predicting',
    parts: schedulerParts,
    run: (only, { rounds }, context) => {
      const parts = schedulerParts.filter((part) => only.length === 0 || only.includes(part))
      return benchScheduler({ parts, rounds, shrink: 1 }, context)
    },
  },
  overlay: {
    title: 'overlay: flanneld in network namespaces',
    parts: overlayParts,
    run: (only, { rounds, seconds }, context) => {
      const parts = overlayParts.filter((part) => only.length === 0 || only.includes(part))
      return benchOverlay({ parts, rounds, seconds }, context)
    },
  },
  units: {
    title: 'units: unit files, parsed and rendered',
    parts: [],
    run: (_, numbers, context) => benchUnits(numbers, context),
  },
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
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
  const [name = '', ...more] = positionals
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
  const numbers: Numbers = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    keys: Number(values.keys),
    watchers: Number(values.watchers),
  }
  const unknown = values.only.find((part) => !bench?.parts.includes(part))
  if (
    bench === undefined ||
    more.length > 0 ||
    unknown !== undefined ||
    Object.values(numbers).some((one) => !(one >= 1))
  ) {
    const problem = bench === undefined || unknown === undefined ? '' : `there is no part ${unknown}\n`
    process.stderr.write(`${problem}${usage}`)
    return 2
  }
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const body = await bench.run(values.only, numbers, {
    root,
    folder: values.folder ?? tmpdir(),
    say: (line: string) => void process.stderr.write(`${line}\n`),
  })
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const report = `${reportHead(bench.title, Date.now(), commit)}\n\n${body}`
  process.stdout.write(`${report}\n`)
  if (values.record) appendReport(`${root}docs/benchmarks.md`, report)
  return 0
}

process.exitCode = await main()
