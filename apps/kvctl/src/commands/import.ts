/** Writes the keys of a snapshot of etcd 0.4 into a store. */
import { readFile } from 'node:fs/promises'
import type { V2Api } from '@cluster/kv-client'
import { type Context, exitCode, type Run } from '../command.ts'
import { totalDeadline, withApi } from '../open-api.ts'
import { type ImportedKey, keysOfSnapshot } from '../zero-four-snapshot.ts'

/** Complaints about the file go to stdout, exit 1: vectors/etcdctl-v2/backup.json. */
export const importSnapshot: Run = async (context, { flags }) => {
  const { io } = context
  const file = flags.text('snap')
  if (file === '') return refuse(context, 'no snapshot file provided (use --snap)')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return refuse(context, `cannot read snapshot file ${file}`)
  const keys = keysOfSnapshot(text, flags.list('hidden'))
  if (!keys.ok) return refuse(context, `cannot recover the snapshot file: ${keys.error}`)
  return await withApi(context, async (api) => {
    const workers = Math.min(1000, Math.max(1, Number(flags.integer('c'))))
    io.stdout.write(`starting to import snapshot ${file} with ${workers} clients\n`)
    const queue = keys.value[Symbol.iterator]()
    const counts = await Promise.all(Array.from({ length: workers }, () => copy(context, api, queue)))
    io.stdout.write(`finished importing ${counts.reduce((sum, count) => sum + count, 0)} keys\n`)
    return exitCode.done
  })
}

function refuse({ io }: Context, message: string): number {
  io.stdout.write(`${message}\n`)
  return exitCode.badArgument
}

async function copy(context: Context, { keys }: V2Api, queue: Iterable<ImportedKey>): Promise<number> {
  let count = 0
  for (const { key, value, expiresMs } of queue) {
    const ttlSeconds = expiresMs === undefined ? 0 : Math.ceil((expiresMs - context.clock.nowMs()) / 1000)
    if (expiresMs !== undefined && ttlSeconds <= 0) continue
    await keys.set(key, value, { ttlSeconds, signal: totalDeadline(context) })
    count++
  }
  return count
}
