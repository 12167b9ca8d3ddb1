/** The whole API over a replica in memory, with turns of the loop and timers in the hands of the test. */
import type { Access, Authorizer } from '../src/api-ports.ts'
import { createHandler, type HandlerOptions } from '../src/handler.ts'
import { FakeExchange, type FakeRequest } from './fake-exchange.ts'
import { createMemoryReplica, type MemoryReplica } from './memory-replica.ts'

export type TestApi = {
  readonly replica: MemoryReplica
  readonly clock: { nowMs: number }
  /** What rights were asked for. */
  readonly accesses: Access[]
  /** What the next requests are told when they ask for rights. */
  isAllowed: boolean
  /** Asks; the answer may come later. */
  readonly ask: (request: FakeRequest) => FakeExchange
  /** Asks in one line: `PUT /v2/keys/a value=1`. */
  readonly send: (line: string) => FakeExchange
  /** Runs what was put off to a later turn of the loop; returns how many tasks there were. */
  readonly turn: () => number
  /** Runs turns until nothing is put off. */
  readonly settle: () => void
  /** Fires all timers. */
  readonly fireTimers: () => void
}

export function createTestApi(options: Partial<HandlerOptions> = {}): TestApi {
  const clock = { nowMs: Date.UTC(2026, 10, 21, 5) }
  const replica = createMemoryReplica({ clock })
  const accesses: Access[] = []
  const tasks: (() => void)[] = []
  const timers = new Set<() => void>()
  const authorizer: Authorizer = {
    isEnabled: true,
    check: (_exchange, access, decide) => {
      accesses.push(access)
      decide(api.isAllowed ? 'allowed' : 'refused')
    },
  }
  const handler = createHandler({
    replica,
    authorizer,
    members: (exchange, path, query) => exchange.respond(200, 'X-Part: members\r\n', `${path} ${query}`),
    auth: (exchange, path, query) => exchange.respond(200, 'X-Part: auth\r\n', `${path} ${query}`),
    name: 'default',
    renderMetrics: () => Promise.resolve({ contentType: 'text/plain', text: 'etcd_x 1\n' }),
    setLogLevel: () => undefined,
    processFacts: { commandLine: ['kvd', '--name=x'], fileDescriptorsMax: 1024, memory: () => ({ Sys: 1 }) },
    utcOffsetMinutes: () => 0,
    timers: {
      nextTurn: (task) => {
        tasks.push(task)
      },
      after: (_ms, task) => {
        timers.add(task)
        return () => timers.delete(task)
      },
    },
    ...options,
  })
  const api: TestApi = {
    replica,
    clock,
    accesses,
    isAllowed: true,
    ask: (request) => {
      const exchange = new FakeExchange(request)
      handler(exchange)
      return exchange
    },
    send: (line) => {
      const [method = '', target = '', body = ''] = line.split(' ')
      return api.ask({ method, target, body })
    },
    turn: () => {
      const batch = tasks.splice(0)
      for (const task of batch) task()
      return batch.length
    },
    settle: () => {
      while (api.turn() > 0);
    },
    fireTimers: () => {
      const batch = [...timers]
      timers.clear()
      for (const task of batch) task()
    },
  }
  return api
}
