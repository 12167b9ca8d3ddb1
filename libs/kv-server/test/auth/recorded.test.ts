import { readFileSync } from 'node:fs'
import { byteStringOf } from '@cluster/kv-store'
import { expect, it } from 'vitest'
import { type AuthCase, createAuthCase } from './auth-case.ts'

type Step = {
  readonly request: {
    readonly method: string
    readonly path: string
    readonly authorization?: string
    readonly type?: string
    readonly body?: string
  }
  readonly status: number
  /** Absent: not compared (keys have tests of their own). */
  readonly body?: string
  /** By how much which counters of the stats have grown. */
  readonly counted: Readonly<Record<string, number>>
}
type Recorded = { readonly indexes: number; readonly steps: readonly Step[] }

const recorded: Recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))

const countersOf = ({ replica }: AuthCase): Map<string, number> => new Map(Object.entries(replica.store.stats))

it(`${recorded.steps.length} random requests are answered and counted as etcd answers and counts them`, async () => {
  const created = createAuthCase()
  const { replica, ask } = created
  const firstIndex = replica.store.index
  for (const [at, { request, status, body, counted }] of recorded.steps.entries()) {
    const before = countersOf(created)
    const answer = await ask(request.method, request.path, {
      body: byteStringOf(request.body ?? ''),
      headers: {
        ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
        ...(request.type === undefined ? {} : { 'content-type': request.type }),
      },
    })
    const grown = [...countersOf(created)].flatMap(([name, value]) => {
      const growth = value - (before.get(name) ?? 0)
      return growth === 0 ? [] : [[name, growth]]
    })
    const seen = {
      status: answer.status,
      counted: Object.fromEntries(grown),
      ...(body === undefined ? {} : { body: answer.body }),
    }
    // A fake exchange keeps the body that a listener leaves out.
    const shown = body === undefined ? {} : { body: request.method === 'HEAD' ? answer.body : byteStringOf(body) }
    expect(seen, `step ${at}: ${JSON.stringify(request)}`).toEqual({ status, counted, ...shown })
  }
  expect(replica.store.index - firstIndex).toBe(recorded.indexes)
})
