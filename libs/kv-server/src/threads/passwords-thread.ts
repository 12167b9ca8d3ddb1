/** Our side of hashing: at most one worker thread, started when it is first needed, with a bounded queue before it. */
import type { Worker } from 'node:worker_threads'
import { KvServerError } from '../errors.ts'
import type { PasswordHasher } from '../passwords.ts'
import type { PasswordTask, PasswordTaskDone } from './passwords-worker.ts'

export type ThreadHasherOptions = {
  /** Starts the worker: its entry must call `runPasswordsWorker(parentPort)`. */
  readonly spawn: () => Worker
  /** How many passwords may wait at once; each takes some 60 ms. */
  readonly queueMax?: number
}

export interface ThreadHasher extends PasswordHasher, AsyncDisposable {}

type Waiter = { readonly resolve: (result: string | boolean) => void; readonly reject: (error: Error) => void }
type Thread = { readonly worker: Worker; readonly waiters: Map<number, Waiter> }

/** A hasher whose work is done in a thread; disposing it ends the thread and refuses what waits. */
export function createThreadHasher({ spawn, queueMax = 512 }: ThreadHasherOptions): ThreadHasher {
  let thread: Thread | undefined
  let lastId = 0
  let isClosed = false

  const start = (): Thread => {
    const started: Thread = { worker: spawn(), waiters: new Map() }
    // What waits keeps the process alive, an idle thread does not.
    started.worker.unref()
    const fail = (cause: unknown): void => {
      if (thread === started) thread = undefined
      const error = new KvServerError('kv-server/thread-died', 'the thread that hashes passwords has ended', {
        hint: 'the next password starts another one; look at the cause when this comes again',
        cause,
      })
      for (const waiter of started.waiters.values()) waiter.reject(error)
      started.waiters.clear()
    }
    started.worker.on('message', (done: PasswordTaskDone) => {
      const waiter = started.waiters.get(done.id)
      started.waiters.delete(done.id)
      if (started.waiters.size === 0) started.worker.unref()
      waiter?.resolve(done.result)
    })
    started.worker.on('error', fail)
    started.worker.on('exit', () => fail(undefined))
    return started
  }

  const ask = (task: (id: number) => PasswordTask): Promise<string | boolean> => {
    if (isClosed) throw new KvServerError('kv-server/closed', 'passwords are no longer hashed: the store was closed')
    if (thread !== undefined && thread.waiters.size >= queueMax) {
      throw new KvServerError('kv-server/too-many-passwords', `${queueMax} passwords wait to be hashed already`, {
        hint: 'look for a client that keeps sending wrong passwords',
      })
    }
    thread ??= start()
    const { worker, waiters } = thread
    lastId += 1
    const id = lastId
    return new Promise((resolve, reject) => {
      waiters.set(id, { resolve, reject })
      worker.ref()
      worker.postMessage(task(id))
    })
  }

  return {
    hash: async (password) => String(await ask((id) => ({ id, kind: 'hash', password }))),
    verify: async (password, hash) => (await ask((id) => ({ id, kind: 'verify', password, hash }))) === true,
    async [Symbol.asyncDispose]() {
      isClosed = true
      await thread?.worker.terminate()
    },
  }
}
