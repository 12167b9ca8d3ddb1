/** Takes leases out of the store so that machines with the original daemon see it, too. */
import type { Conflict, Key, Kv, Revision } from '@cluster/kv'
import type { Result } from '@cluster/prelude'

/** What the lease has left if we end between the two steps. */
const lastSeconds = 60

/**
 * Removes a lease of this machine if it is still as it was seen; a conflict otherwise, without an entry when it is gone.
 *
 * In two steps, since releases 0.5 and 0.9 take a deletion with a condition for a lease without a value: they ask for that
 * event again and again, and see nothing of what comes after. First the lease is written as it stands, on the condition
 * that nobody else has it, which also keeps it from running out; then it is deleted without one.
 */
export async function releaseLease(
  kv: Kv,
  { key, value, revision }: { readonly key: Key; readonly value: string; readonly revision: Revision },
  signal?: AbortSignal,
): Promise<Result<Revision, Conflict>> {
  const cancel = signal === undefined ? {} : { signal }
  const onlyIf = { kind: 'revision', revision } as const
  const claimed = await kv.put(key, value, { onlyIf, ttlSeconds: lastSeconds, ...cancel })
  return claimed.ok ? kv.delete(key, cancel) : claimed
}
