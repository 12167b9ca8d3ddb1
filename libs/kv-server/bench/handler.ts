/**
 * What the API itself costs: the handler over a replica in memory, without sockets and without a log. Run by hand:
 *
 *   npx esbuild bench/handler.ts --bundle --platform=node --format=esm --conditions=@cluster/source \
 *     --outfile=/tmp/bench-handler.mjs && node /tmp/bench-handler.mjs
 */
import type { AnswerStream, Exchange, ExchangeHandler, HttpPeer } from '@cluster/http'
import type { Outcome } from '@cluster/kv-store/v2'
import type { Authorizer } from '../src/api-ports.ts'
import { createHandler } from '../src/handler.ts'
import type { Replica } from '../src/replica.ts'
import { createMemoryReplica } from '../test/memory-replica.ts'

/** The cheapest exchange there can be; one is used for all requests, as answers come in the same turn. */
class BenchExchange implements Exchange {
  method = 'GET'
  target = ''
  body: Uint8Array = new Uint8Array()
  readonly isBodyCut = false
  readonly peer: HttpPeer = { kind: 'unix' }
  answeredBytes = 0

  header(name: string): string | undefined {
    return name === 'content-type' ? 'application/x-www-form-urlencoded' : undefined
  }

  respond(_status: number, head: string, body: string | Uint8Array): void {
    this.answeredBytes += head.length + body.length
  }

  stream(): AnswerStream {
    throw new Error('no stream is expected here')
  }

  onGone(): void {}
}

const keyCount = 10_000

/** A replica whose store answers the same to everything, for what the API costs by itself. */
function createConstantReplica(): Replica {
  const { store, status } = createMemoryReplica()
  const outcome: Outcome = { kind: 'done', index: 123_456, isCreated: false, body: 'x'.repeat(400) }
  return {
    store: Object.assign(Object.create(store), { read: () => outcome }),
    appliedIndex: 234_567,
    appliedTerm: 2,
    status,
    nowMs: () => 0,
    propose: (_command, settle) => settle({ kind: 'applied', outcome, index: 234_568, term: 2 }),
  }
}

const authorizer: Authorizer = { isEnabled: false, check: (_exchange, _access, decide) => decide(true) }
const nothing = (): void => undefined
const createBenchHandler = (replica: Replica): ExchangeHandler =>
  createHandler({
    replica,
    authorizer,
    members: nothing,
    auth: nothing,
    name: 'bench',
    renderMetrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    setLogLevel: nothing,
    processFacts: { commandLine: [], fileDescriptorsMax: 0, memory: () => ({}) },
  })

const targets = Array.from({ length: keyCount }, (_, at) => `/v2/keys/bench/some/key-${at}`)
const value = 'v'.repeat(256)
const exchange = new BenchExchange()

/** Runs `task` for a while and prints what one call takes: the best of ten rounds. */
function measure(name: string, task: (at: number) => void): void {
  const count = 100_000
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 10; round += 1) {
    const start = process.hrtime.bigint()
    for (let at = 0; at < count; at += 1) task(at % keyCount)
    best = Math.min(best, Number(process.hrtime.bigint() - start) / count)
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(6)} ns`)
}

function measureHandler(handler: ExchangeHandler): void {
  const ask = (method: string, targetOf: (at: number) => string, body: string) => {
    const bytes = Buffer.from(body)
    return (at: number): void => {
      exchange.method = method
      exchange.target = targetOf(at)
      exchange.body = bytes
      handler(exchange)
    }
  }
  const plain = (at: number): string => targets[at] ?? ''
  measure('PUT, 256 bytes', ask('PUT', plain, `value=${value}`))
  measure('GET', ask('GET', plain, ''))
  measure(
    'GET ?quorum=true',
    ask('GET', (at) => `${plain(at)}?quorum=true`, ''),
  )
  measure(
    'PUT ?prevExist=true, value and ttl',
    ask('PUT', (at) => `${plain(at)}?prevExist=true`, `value=${value}&ttl=9`),
  )
  measure('PUT, 280 bytes with 80 escapes', ask('PUT', plain, `value=${'a%20b+'.repeat(40)}`))
  measure(
    'GET, an escape in the path',
    ask('GET', (at) => plain(at).replace('some', 's%6Fme'), ''),
  )
}

console.log('the API alone: the store answers the same to everything')
measureHandler(createBenchHandler(createConstantReplica()))
console.log('with the store')
measureHandler(createBenchHandler(createMemoryReplica({ keepsProposed: false })))
