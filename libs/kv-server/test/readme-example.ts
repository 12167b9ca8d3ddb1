import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@cluster/kv-server'

const dir = join(await mkdtemp(join(tmpdir(), 'store-')), 'data')

// One thread is enough here; leave `threads` out to give the log and consensus a thread each.
{
  await using store = await openStore({ dir, threads: 'none' })
  await store.put('/jobs/web', 'on machine m1')
  const taken = await store.put('/jobs/web', 'on machine m2', { onlyIf: { kind: 'absent' } })
  console.log('m2 may have it too:', taken.ok)
}

// Opened again, with etcd's v2 API beside it: `curl` and `etcdctl` see the same keys.
await using store = await openStore({ dir, threads: 'none', serve: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
const answer = await fetch(`${store.url}/v2/keys/jobs/web`)
console.log(answer.status, await answer.text())
console.log('in this process:', (await store.get('/jobs/web'))?.value)
