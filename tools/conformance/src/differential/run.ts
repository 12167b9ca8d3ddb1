/**
 * Two servers, the same requests, one after the other. Both begin at the same index, so that answers can be compared as
 * they are. An episode works in a directory of its own and can be repeated by its seed.
 */
import { seededRandom } from '@cluster/prelude'
import type { AllowedDifference } from './allowed.ts'
import { type AnswerDifference, compareAnswers } from './compare.ts'
import {
  authRequest,
  chance,
  credentials,
  type Generator,
  keyRequest,
  otherRequest,
  pick,
  shortLivedRequest,
  watchRequest,
} from './generate.ts'
import { type Answer, ask, begin, curlLine, type DifferentialRequest, type Pending, type Server } from './request.ts'

export type RunOptions = {
  readonly ours: Server
  readonly theirs: Server
  readonly seed: number
  readonly requests: number
  readonly allowed: readonly AllowedDifference[]
  readonly say: (line: string) => void
}

export type RunResult = {
  readonly requests: number
  /** Lines for a person: each difference that no entry allows, with the requests of its episode. */
  readonly differences: readonly string[]
  /** How often each entry of the list was used. */
  readonly used: ReadonlyMap<string, number>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const differencesMax = 20
const episodeRequests = 60

export async function runDifferential({ ours, theirs, seed, requests, allowed, say }: RunOptions): Promise<RunResult> {
  const used = new Map<string, number>()
  const differences: string[] = []
  let sent = 0
  for (let episode = 0; sent < requests && differences.length < differencesMax; episode += 1) {
    await levelIndexes(ours, theirs)
    const stage = new Stage(ours, theirs, seed, episode, allowed, used)
    try {
      await stage.play()
    } finally {
      stage.close()
    }
    sent += stage.sent
    if (stage.found.length > 0) differences.push(...stage.found)
    if (episode % 100 === 99) say(`${sent} requests, ${differences.length} differences`)
  }
  return { requests: sent, differences, used }
}

class Stage {
  readonly found: string[] = []
  sent = 0
  readonly #ours: Server
  readonly #theirs: Server
  readonly #allowed: readonly AllowedDifference[]
  readonly #used: Map<string, number>
  readonly #generator: Generator
  readonly #name: string
  readonly #story: string[] = []
  readonly #watches: { readonly request: DifferentialRequest; readonly pair: readonly [Pending, Pending] }[] = []
  #withCredentials = false

  constructor(
    ours: Server,
    theirs: Server,
    seed: number,
    episode: number,
    allowed: readonly AllowedDifference[],
    used: Map<string, number>,
  ) {
    this.#ours = ours
    this.#theirs = theirs
    this.#allowed = allowed
    this.#used = used
    this.#name = `seed ${seed}, episode ${episode}`
    const random = seededRandom(seed * 1_000_003 + episode)
    this.#generator = { random, base: `/e${episode}`, indexes: [] }
  }

  async play(): Promise<void> {
    const generator = this.#generator
    const kind = pick(generator, [
      'keys',
      'keys',
      'keys',
      'keys',
      'watch',
      'watch',
      ...(chance(generator, 0.2) ? ['auth'] : []),
    ])
    if (kind === 'auth') return this.#playAuth()
    for (let step = 0; step < episodeRequests && this.found.length === 0; step += 1) {
      if (kind === 'watch' && step % 10 === 0) await this.#openWatch()
      if (chance(generator, 0.001)) await this.#compareShortLived()
      else await this.#compare(chance(generator, 0.02) ? otherRequest(generator) : keyRequest(generator))
    }
    if (kind === 'watch' && this.found.length === 0) await this.#closeWatches()
    await this.#both({ method: 'DELETE', path: `/v2/keys${generator.base}?recursive=true`, headers: {} })
  }

  async #playAuth(): Promise<void> {
    const generator = this.#generator
    const root = { Authorization: `Basic ${btoa('root:p1')}`, 'Content-Type': 'application/json' }
    await this.#compare({
      method: 'PUT',
      path: '/v2/auth/users/root',
      headers: root,
      body: '{"user":"root","password":"p1"}',
    })
    for (let step = 0; step < episodeRequests / 2 && this.found.length === 0; step += 1) {
      await this.#compare(authRequest(generator))
    }
    await this.#compare({ method: 'PUT', path: '/v2/auth/enable', headers: root })
    this.#withCredentials = true
    for (let step = 0; step < episodeRequests / 2 && this.found.length === 0; step += 1) {
      await this.#compare(chance(generator, 0.3) ? authRequest(generator) : keyRequest(generator))
    }
    this.#withCredentials = false
    await this.#cleanAuth()
  }

  /** Whatever passwords are right by now: somebody may switch it off. */
  async #cleanAuth(): Promise<void> {
    const passwords = ['p1', 'p2']
    for (const password of passwords) {
      const headers = { Authorization: `Basic ${btoa(`root:${password}`)}` }
      await this.#both({ method: 'DELETE', path: '/v2/auth/enable', headers })
    }
    const headers = {}
    for (const user of ['root', 'u1', 'u2', 'guest', '_u', 'u%201']) {
      await this.#both({ method: 'DELETE', path: `/v2/auth/users/${user}`, headers })
    }
    for (const role of ['guest', 'r1', 'r2', '_r']) {
      await this.#both({ method: 'DELETE', path: `/v2/auth/roles/${role}`, headers })
    }
    await this.#both({ method: 'DELETE', path: `/v2/keys${this.#generator.base}?recursive=true`, headers })
  }

  async #compare(request: DifferentialRequest): Promise<void> {
    const asked =
      this.#withCredentials && !('Authorization' in request.headers)
        ? { ...request, headers: { ...request.headers, ...credentials(this.#generator) } }
        : request
    this.#story.push(curlLine(asked))
    const [ours, theirs] = await this.#both(asked)
    this.#learn(theirs)
    this.#judge(asked, ours, theirs)
  }

  /** Both servers sweep at least once a second; then what has ended is gone from both. */
  async #compareShortLived(): Promise<void> {
    await this.#compare(shortLivedRequest(this.#generator))
    await pause(2200)
    await this.#compare({ method: 'GET', path: `/v2/keys${this.#generator.base}?recursive=true`, headers: {} })
  }

  async #both(request: DifferentialRequest): Promise<readonly [Answer, Answer]> {
    this.sent += 1
    const [theirs, ours] = await Promise.all([ask(this.#theirs, request), ask(this.#ours, request)])
    return [ours, theirs]
  }

  #learn({ body, headers }: Answer): void {
    for (const [, index] of body.matchAll(/"(?:modified|created)Index":(\d+)/g))
      this.#generator.indexes.push(Number(index))
    if (headers['x-etcd-index'] !== undefined) this.#generator.indexes.push(Number(headers['x-etcd-index']))
  }

  #judge(request: DifferentialRequest, ours: Answer, theirs: Answer): void {
    const differences = compareAnswers(ours, theirs)
    if (differences.length === 0) return
    const entry = this.#allowed.find(({ applies }) => applies({ request, ours, theirs, differences }))
    if (entry === undefined) this.found.push(this.#tell(request, differences))
    else this.#used.set(entry.name, (this.#used.get(entry.name) ?? 0) + 1)
  }

  #tell(request: DifferentialRequest, differences: readonly AnswerDifference[]): string {
    const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 600)
    return [
      `${this.#name}: ${curlLine(request)}`,
      ...differences.flatMap(({ at, ours, theirs }) => [
        `  ${at}`,
        `    ours   ${shown(ours)}`,
        `    theirs ${shown(theirs)}`,
      ]),
      '  after:',
      ...this.#story.slice(-12, -1).map((line) => `    ${line}`),
    ].join('\n')
  }

  /** Both servers have answered with their heads before anything else is sent: then both watch. */
  async #openWatch(): Promise<void> {
    const request = watchRequest(this.#generator)
    this.#story.push(`watch: ${curlLine(request)}`)
    this.sent += 1
    const pair = [begin(this.#ours, request), begin(this.#theirs, request)] as const
    await Promise.race([Promise.all(pair.map(({ opened }) => opened.catch(() => undefined))), pause(10_000)])
    this.#watches.push({ request, pair })
  }

  /** A fence: a write that a later watch sees has been seen by the earlier ones, or nearly so. */
  async #closeWatches(): Promise<void> {
    const fence = `/v2/keys/fence/${this.#generator.base.slice(1)}`
    const watching = [
      begin(this.#ours, { method: 'GET', path: `${fence}?wait=true`, headers: {} }),
      begin(this.#theirs, { method: 'GET', path: `${fence}?wait=true`, headers: {} }),
    ]
    await Promise.all(watching.map(({ opened }) => opened))
    await this.#both({
      method: 'PUT',
      path: fence,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'value=1',
    })
    await Promise.race([Promise.all(watching.map(({ ended }) => ended)), pause(10_000)])
    for (let wait = 0; wait < 20 && this.#watches.some(({ pair }) => !isSettled(pair)); wait += 1) {
      await pause(10)
    }
    for (const { request, pair } of this.#watches) {
      const [ours, theirs] = pair.map((one) => ({
        ...one.soFar(),
        headers: { ...one.soFar().headers, 'x-run': one.isEnded() ? 'ended' : 'open' },
      }))
      if (ours !== undefined && theirs !== undefined) this.#judge(request, ours, theirs)
    }
  }

  close(): void {
    for (const { pair } of this.#watches) for (const one of pair) one.abort()
  }
}

const isSettled = ([ours, theirs]: readonly [Pending, Pending]): boolean =>
  ours.isEnded() === theirs.isEnded() && ours.soFar().body.length === theirs.soFar().body.length

/** Writes to the server that is behind until both stand at the same index. */
async function levelIndexes(...servers: readonly Server[]): Promise<void> {
  const read = (server: Server): Promise<number> =>
    ask(server, { method: 'GET', path: '/v2/keys/_level', headers: {} }).then(({ headers }) =>
      Number(headers['x-etcd-index']),
    )
  const indexes = await Promise.all(servers.map(read))
  const highest = Math.max(...indexes)
  for (const [at, server] of servers.entries()) {
    for (let index = indexes[at] ?? highest; index < highest; index += 1) {
      await ask(server, { method: 'PUT', path: '/v2/keys/_level', headers: {}, body: '' })
    }
  }
}
