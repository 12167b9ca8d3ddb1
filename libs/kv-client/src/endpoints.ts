/**
 * Which endpoint to ask next. The one that answered last is asked first; one that failed rests, longer each time, and
 * is asked in that time only when no other is left: nothing is ever refused for want of an endpoint.
 */
import type { Clock, Random } from '@cluster/prelude'
import { KvClientError } from './errors.ts'

/** The origin of a server: `http://10.0.0.1:2379`, without a trailing slash. */
export type Endpoint = string

export type Endpoints = {
  readonly all: readonly Endpoint[]
  /** All of them, in the order to ask. */
  readonly inOrder: () => readonly Endpoint[]
  readonly succeeded: (endpoint: Endpoint) => void
  readonly failed: (endpoint: Endpoint) => void
}

const restFirstMs = 200
const restLongestMs = 10_000

/**
 * Keeps score of the endpoints. The first to be asked is a random one, so that many clients spread out.
 *
 * @throws KvClientError `kv-client/invalid-endpoint`
 */
export function createEndpoints(urls: readonly string[], clock: Clock, random: Random): Endpoints {
  const all = [...new Set(urls.map(parseEndpoint))]
  if (all.length === 0) {
    throw new KvClientError('kv-client/invalid-endpoint', 'no endpoint of the store was given', { hint: endpointHint })
  }
  const resting = new Map<Endpoint, { readonly failures: number; readonly untilMs: number }>()
  const first = Math.floor(random.next() * all.length)
  let preferred = all[first]

  return {
    all,
    inOrder: () => {
      const nowMs = clock.monotonicMs()
      const turned = [...all.slice(first), ...all.slice(0, first)]
      const restOf = (endpoint: Endpoint): number => Math.max(0, (resting.get(endpoint)?.untilMs ?? 0) - nowMs)
      const rank = (endpoint: Endpoint): number => (endpoint === preferred ? 0 : 1)
      return turned.sort((left, right) => restOf(left) - restOf(right) || rank(left) - rank(right))
    },
    succeeded: (endpoint) => {
      resting.delete(endpoint)
      preferred = endpoint
    },
    failed: (endpoint) => {
      const failures = (resting.get(endpoint)?.failures ?? 0) + 1
      const longestMs = Math.min(restLongestMs, restFirstMs * 2 ** Math.min(failures - 1, 20))
      const restMs = longestMs * (0.5 + random.next() / 2)
      resting.set(endpoint, { failures, untilMs: clock.monotonicMs() + restMs })
    },
  }
}

const endpointHint = 'expected http://HOST:PORT or https://HOST:PORT, such as http://127.0.0.1:2379'

function parseEndpoint(text: string): Endpoint {
  const invalid = (why: string): KvClientError =>
    new KvClientError('kv-client/invalid-endpoint', `the endpoint ${JSON.stringify(text)} ${why}`, {
      hint: endpointHint,
    })
  if (!URL.canParse(text)) throw invalid('is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid('is neither http nor https')
  // The text is not repeated: there is a password in it.
  if (url.username !== '' || url.password !== '') {
    throw new KvClientError(
      'kv-client/invalid-endpoint',
      `the endpoint at ${url.host} contains a user name or password`,
      {
        hint: 'give user name and password on their own',
      },
    )
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw invalid('has more than host and port')
  return url.origin
}
