import { createManualClock, createModelKv, follow } from '@cluster/kv'
import { seededRandom } from '@cluster/prelude'

// A store in memory. In a daemon: connectEtcd2 of @cluster/kv-client, and the clock of the machine.
const clock = createManualClock()
const kv = createModelKv({ clock })

// Two machines want to lead; the one that creates the key does, for as long as it keeps putting it in time.
const leader = '/cluster/lease/leader'
const first = await kv.put(leader, 'm1', { ttlSeconds: 6, onlyIf: { kind: 'absent' } })
const second = await kv.put(leader, 'm2', { ttlSeconds: 6, onlyIf: { kind: 'absent' } })
console.log('m1 leads:', first.ok, '- m2 leads:', second.ok)

// Everybody else follows what stands below a prefix, through changes and outages.
const stop = new AbortController()
const updates = follow(kv, '/cluster', { signal: stop.signal, clock, random: seededRandom(1) })
void clock.sleep(6000).then(() => kv.setUnavailable(true))
void clock.sleep(9000).then(() => kv.setUnavailable(false))
void clock.advance(20_000)
for await (const update of updates) {
  if (update.kind === 'unavailable') {
    console.log('no news from the store:', update.error.code)
  } else {
    const leads = update.entries.get(leader)?.value ?? 'nobody'
    console.log(update.resync ? 'read:' : 'seen:', leads, 'leads; expired:', [...update.expiredKeys].join() || 'none')
    if (leads === 'nobody' && update.resync) stop.abort()
  }
}
