/**
 * Asks every member that is known whether it is well. The cluster is, if one of them is.
 *
 * @see spec/etcd-v2.md §7.5
 */
import type { V2Api, V2Member } from '@cluster/kv-client'
import { type Context, exitCode, type Run } from '../command.ts'
import { sayUnreachable } from '../failure.ts'
import { totalDeadline, withUnsyncedApi } from '../open-api.ts'

const pauseMs = 10_000

/** Exit 0 for a healthy cluster, 5 for another; with `--forever` it ends when interrupted, with 0. */
export const clusterHealth: Run = async (context, { flags }) => {
  const isForever = flags.isOn('forever')
  return await withUnsyncedApi(context, async (api) => {
    const members = await api.members.list({ signal: totalDeadline(context) }).catch((error: unknown) => {
      context.io.stdout.write('cluster may be unhealthy: failed to list members\n')
      throw error
    })
    for (;;) {
      const isHealthy = await checkAll(context, api, members)
      if (context.signal.aborted) return isForever ? exitCode.done : exitCode.interrupted
      context.io.stdout.write(`cluster is ${isHealthy ? 'healthy' : 'unhealthy'}\n`)
      if (!isForever) return isHealthy ? exitCode.done : exitCode.unhealthy
      context.io.stdout.write('\nnext check after 10 second...\n\n')
      await context.clock.sleep(pauseMs, context.signal)
      if (context.signal.aborted) return exitCode.done
    }
  })
}

async function checkAll(context: Context, api: V2Api, members: readonly V2Member[]): Promise<boolean> {
  let isOneHealthy = false
  for (const member of members) {
    if (context.signal.aborted) break
    if (await checkMember(context, api, member)) isOneHealthy = true
  }
  return isOneHealthy
}

async function checkMember({ io, signal }: Context, api: V2Api, { id, clientUrls }: V2Member): Promise<boolean> {
  if (clientUrls.length === 0) {
    io.stdout.write(`member ${id} is unreachable: no available published client urls\n`)
    return false
  }
  for (const url of clientUrls) {
    const checked = await check(api, url, signal)
    if (checked.kind === 'failed') {
      io.stdout.write(`failed to check the health of member ${id} on ${url}: ${checked.reason}\n`)
      continue
    }
    const word = checked.isHealthy ? 'healthy' : 'unhealthy'
    io.stdout.write(`member ${id} is ${word}: got ${word} result from ${url}\n`)
    return checked.isHealthy
  }
  io.stdout.write(`member ${id} is unreachable: [${clientUrls.join(' ')}] are all unreachable\n`)
  return false
}

type Checked =
  | { readonly kind: 'answered'; readonly isHealthy: boolean }
  | { readonly kind: 'failed'; readonly reason: string }

async function check(api: V2Api, url: string, signal: AbortSignal): Promise<Checked> {
  try {
    const health = await api.health(url, { signal })
    if (health === 'unclear') return { kind: 'failed', reason: 'the answer does not say whether it is healthy' }
    return { kind: 'answered', isHealthy: health === 'healthy' }
  } catch (error) {
    return { kind: 'failed', reason: `Get "${url}/health": ${sayUnreachable(url, error)}` }
  }
}
