import { type Flannel, FlannelError, type FlannelStatus } from '@cluster/flannel'
import type { Handler, HttpRequest } from '@cluster/http'
import { expect, it } from 'vitest'
import { controlHandler, healthHandler } from './control.ts'

const status = (ready: boolean): FlannelStatus => ({
  phase: ready ? 'running' : 'waiting-for-config',
  ready,
  store: { reachable: true },
  kernel: { repairs: 0, failures: [] },
  peers: [],
  problems: [],
})

const service = (ready: boolean, known: string): Flannel => ({
  run: async () => 'stopped',
  ready: async () => ready,
  status: () => status(ready),
  plan: async () => ({ lines: ['ip route replace x'], notes: [] }),
  check: async (peer) => {
    if (peer === known) return { subnet: peer, publicIp: '10.0.0.1', hops: [] }
    throw new FlannelError('flannel/unknown-peer', `${peer} has no lease`, { hint: 'look at flanneld status' })
  },
})

const metrics = async () => ({ text: 'flannel_peers 1\n', contentType: 'text/plain; version=0.0.4' })

async function ask(handler: Handler, target: string, method = 'GET'): Promise<{ status: number; body: string }> {
  const { pathname, searchParams } = new URL(target, 'http://flanneld')
  const request: HttpRequest = {
    method,
    target,
    path: pathname,
    query: searchParams,
    headers: [],
    body: (async function* () {})(),
    peer: { kind: 'unix' },
    signal: new AbortController().signal,
  }
  const response = await handler(request)
  return { status: response.status, body: String(response.body) }
}

it("answers /healthz in flannel's words, for any method, from the start", async () => {
  const handler = healthHandler({ services: [service(false, '')], metrics })
  expect(await ask(handler, '/healthz')).toEqual({ status: 200, body: 'flanneld is running' })
  expect(await ask(handler, '/healthz', 'POST')).toEqual({ status: 200, body: 'flanneld is running' })
  expect(await ask(handler, '/healthz/')).toMatchObject({ status: 404 })
  expect(await ask(handler, '/metrics')).toEqual({ status: 200, body: 'flannel_peers 1\n' })
})

it('is ready when every network is', async () => {
  const two = (...ready: readonly boolean[]) =>
    healthHandler({ services: ready.map((one) => service(one, '')), metrics })
  expect(await ask(two(true, false), '/readyz')).toEqual({ status: 503, body: 'flanneld is not ready yet' })
  expect(await ask(two(true, true), '/readyz')).toEqual({ status: 200, body: 'flanneld is ready' })
})

it('shows the state only where it is asked through the control socket', async () => {
  const options = { services: [service(true, 'a'), service(true, 'b')], metrics }
  expect(await ask(healthHandler(options), '/v1/status')).toMatchObject({ status: 404 })
  const handler = controlHandler(options)
  expect(JSON.parse((await ask(handler, '/v1/status')).body)).toMatchObject({ networks: [{ ready: true }, {}] })
  expect(JSON.parse((await ask(handler, '/v1/plan')).body)).toMatchObject({ networks: [{ notes: [] }, {}] })
})

it('asks the networks in turn for a peer, and says when none knows it', async () => {
  const handler = controlHandler({ services: [service(true, 'a'), service(true, 'b')], metrics })
  expect(await ask(handler, '/v1/check?peer=b')).toMatchObject({ status: 200 })
  const unknown = await ask(handler, '/v1/check?peer=c')
  expect([unknown.status, JSON.parse(unknown.body)]).toEqual([
    409,
    { code: 'flannel/unknown-peer', message: 'c has no lease', hint: 'look at flanneld status' },
  ])
})
