/** A store in this process: durable, a `Kv`, and with the etcd v2 API beside it where it is asked for. */
import type { HttpListener, ListenAddress } from '@cluster/http'
import type { Kv } from '@cluster/kv'
import { openServer, type ServerOptions } from './server.ts'

export type OpenStoreOptions = Omit<ServerOptions, 'directory' | 'listen'> & {
  /** The data directory; made when it does not exist. Its parent must. One process at a time. */
  readonly dir: string
  /** Serves the v2 API there as well; port 0 finds a free one. */
  readonly serve?: ListenAddress
}

/** The store and the way to end it; disposing of it is `close` with one second of grace. */
export interface EmbeddedStore extends Kv, AsyncDisposable {
  /** The base of the v2 API for clients on this machine; undefined when it is not served. */
  readonly url: string | undefined
  /** Writes a snapshot now, and waits until it is durable. */
  readonly snapshot: () => Promise<void>
  readonly close: (graceMs: number) => Promise<void>
}

/**
 * Opens the store in a directory, or makes one there. What a write has answered is durable. Errors as `openServer`.
 *
 * ```ts
 * await using store = await openStore({ dir: 'my-store' })
 * await store.put('/greeting', 'hello')
 * ```
 */
export async function openStore({ dir, serve, ...options }: OpenStoreOptions): Promise<EmbeddedStore> {
  const listen = serve === undefined ? [] : [{ address: serve }]
  const server = await openServer({ ...options, directory: dir, listen })
  const listener: HttpListener | undefined = server.listeners[0]
  return {
    ...server.kv,
    url: listener?.url,
    snapshot: server.snapshot,
    close: server.close,
    [Symbol.asyncDispose]: () => server.close(1000),
  }
}
