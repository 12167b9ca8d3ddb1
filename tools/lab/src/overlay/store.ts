/** The store of an overlay lab: our kvd in the router's namespace, asked from outside through a unix socket. */
import { rm } from 'node:fs/promises'
import { LabError } from '../errors.ts'
import { unixRequest } from '../unix-http.ts'
import { until } from '../until.ts'
import type { Namespace } from './namespace.ts'
import { type RunningProgram, startProgram } from './running-program.ts'

/** A key as etcd's v2 API tells of it. */
export type StoredKey = { readonly key: string; readonly value: string; readonly ttl: number | undefined }

export type OverlayStore = AsyncDisposable & {
  /** Every key below the folder, by name; empty when it is not there. */
  readonly list: (folder: string) => Promise<readonly StoredKey[]>
  readonly put: (key: string, value: string, ttlSeconds?: number) => Promise<void>
  readonly remove: (key: string) => Promise<void>
  /** SIGKILL, as a power cut. */
  readonly kill: () => Promise<void>
  /** Starts it again on what it had written; resolves when it answers. */
  readonly start: () => Promise<void>
  /** Removes what it has written; call it between `kill` and `start`. */
  readonly forget: () => Promise<void>
  readonly log: () => string
}

/** Where the hosts find it. */
export const overlayStoreUrl = 'http://10.78.0.254:2379'

/** Starts the store; `program` is the built kvd. */
export async function startOverlayStore(router: Namespace, program: string, folder: string): Promise<OverlayStore> {
  const socket = `${folder}/store.sock`
  const flags = [
    ...['--name', 'store', '--data-dir', `${folder}/store`],
    ...['--listen-client-urls', `http://0.0.0.0:2379,unix://${socket}`, '--advertise-client-urls', overlayStoreUrl],
  ]
  let running: RunningProgram | undefined
  const start = async (): Promise<void> => {
    running = startProgram(router.inside([process.execPath, program, ...flags]), `${folder}/store.log`)
    await until(() => unixRequest(socket, { path: '/version', timeoutMs: 500 }), {
      what: 'the store answers',
      timeoutMs: 15_000,
      everyMs: 20,
      is: ({ status }) => status === 200,
    }).catch((cause: unknown) => {
      throw new LabError('lab/timeout', `the store does not answer: ${running?.log().trimEnd()}`, { cause })
    })
  }
  const ask = async (method: string, key: string, fields: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const body = method === 'PUT' ? new URLSearchParams(fields).toString() : undefined
    const query = method === 'PUT' ? '' : `?${new URLSearchParams(fields).toString()}`
    const type = body === undefined ? undefined : 'application/x-www-form-urlencoded'
    const { status, text } = await unixRequest(socket, { method, path: `/v2/keys${key}${query}`, body, type })
    if (status === 404 && method !== 'PUT') return undefined
    if (status >= 300) throw new Error(`${method} ${key}: ${status} ${text}`)
    return JSON.parse(text)
  }
  await start()
  return {
    list: async (folderKey) => leavesOf(field(await ask('GET', folderKey, { recursive: 'true' }), 'node')),
    put: async (key, value, ttlSeconds) => {
      await ask('PUT', key, { value, ...(ttlSeconds === undefined ? {} : { ttl: String(ttlSeconds) }) })
    },
    remove: async (key) => {
      await ask('DELETE', key)
    },
    kill: async () => {
      await running?.stop('SIGKILL')
    },
    start,
    forget: () => rm(`${folder}/store`, { recursive: true, force: true }),
    log: () => running?.log() ?? '',
    [Symbol.asyncDispose]: async () => {
      await running?.stop('SIGKILL')
    },
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([one]) => one === name)?.[1] : undefined

function leavesOf(node: unknown): readonly StoredKey[] {
  const nodes = field(node, 'nodes')
  if (Array.isArray(nodes)) return nodes.flatMap((one: unknown) => leavesOf(one)).sort(byKey)
  const [key, value, ttl] = [field(node, 'key'), field(node, 'value'), field(node, 'ttl')]
  if (typeof key !== 'string' || typeof value !== 'string') return []
  return [{ key, value, ttl: typeof ttl === 'number' ? ttl : undefined }]
}

const byKey = (one: StoredKey, other: StoredKey): number => (one.key < other.key ? -1 : 1)
