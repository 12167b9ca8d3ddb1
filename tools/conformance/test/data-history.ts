/** A little of everything that a store keeps, written through the API, and what the API then shows of it. */

/** A snapshot is taken after so many entries, so that the history lies partly in it and partly in the log after it. */
export const snapshotFlags = ['--snapshot-count', '40']

const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString()

async function send(clientUrl: string, method: string, path: string, body?: string): Promise<void> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const answer = await fetch(`${clientUrl}${path}`, body === undefined ? { method } : { method, headers, body })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
}

/** Writes the history into an empty store. */
export async function writeHistory(clientUrl: string): Promise<void> {
  const put = (key: string, body: string): Promise<void> => send(clientUrl, 'PUT', `/v2/keys${key}`, body)
  for (let at = 1; at <= 30; at += 1) await put(`/before/k${at}`, form({ value: `value ${at}` }))
  await put('/_hidden/secret', form({ value: 'not listed' }))
  await put('/deep/a/b/c/d', form({ value: 'four levels' }))
  await put(`/${encodeURIComponent('ü')}/${encodeURIComponent('名前')}`, form({ value: 'Grüße, 世界' }))
  await put('/escapes', form({ value: 'tab\tquote"less<and>&\n' }))
  await put('/lease', form({ value: 'gone in a hundred years', ttl: '3153600000' }))
  await put('/empty', form({ dir: 'true' }))
  await put('/bytes', 'value=%ff%00%fe')
  await put('/nothing', form({ value: '' }))
  for (const job of ['one', 'two', 'three']) await send(clientUrl, 'POST', '/v2/keys/queue', form({ value: job }))
  await send(clientUrl, 'DELETE', '/v2/keys/before/k30')
  await put('/after/snapshot', form({ value: 'only in the log' }))
  await put('/before/k1', form({ value: 'changed after the snapshot' }))
  await put('/before/k2?prevValue=value%202', form({ value: 'swapped' }))
  await send(clientUrl, 'DELETE', '/v2/keys/before/k29')
  await send(clientUrl, 'PUT', '/v2/auth/users/ann', '{"user":"ann","password":"of version 1"}')
  const permissions = { kv: { read: ['/*'], write: [] } }
  await send(clientUrl, 'PUT', '/v2/auth/roles/reader', JSON.stringify({ role: 'reader', permissions }))
  await send(clientUrl, 'PUT', '/v2/auth/users/ann', '{"user":"ann","grant":["reader"]}')
}

const shownPaths = [
  '/v2/keys?recursive=true&sorted=true',
  '/v2/keys/_hidden?recursive=true&sorted=true',
  '/v2/keys/before?wait=true&recursive=true&waitIndex=34',
  '/v2/auth/users/ann',
  '/v2/auth/roles/reader',
]

/** What the API shows: whole answers by path, without the `ttl` that counts down. `X-Etcd-Index` is not part of it. */
export async function readHistory(clientUrl: string): Promise<Readonly<Record<string, string>>> {
  const shown: Record<string, string> = {}
  for (const path of shownPaths) {
    const answer = await fetch(`${clientUrl}${path}`)
    shown[path] = (await answer.text()).replace(/"ttl":\d+,/g, '')
  }
  const members = await fetch(`${clientUrl}/v2/members`)
  shown['the member'] = /"id":"([0-9a-f]+)"/.exec(await members.text())?.[1] ?? 'none'
  return shown
}
