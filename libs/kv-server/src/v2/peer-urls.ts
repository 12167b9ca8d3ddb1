/** The body that adds or changes a member: `{"peerURLs":[…]}`, with the errors of Go's decoder (spec/etcd-v2.md §3.1). */
import type { ByteString } from '@cluster/kv-store'
import { err, type Result } from '@cluster/prelude'
import { goStrings, parseGoJson, readGoFields, renderMisfit } from '../go-json.ts'
import { parseMemberUrls } from '../go-url.ts'

/** The URLs in a body, sorted, or what is wrong with it in etcd's words. */
export function decodePeerUrls(body: ByteString): Result<readonly ByteString[], ByteString> {
  const parsed = parseGoJson(body)
  if (!parsed.ok) return parsed
  let urls: readonly ByteString[] = []
  const peerURLs = goStrings((texts) => {
    urls = texts ?? []
  })
  // The type is shown as Go's reflection prints it.
  const misfit = readGoFields(parsed.value, { peerURLs }, 'struct { PeerURLs []string "json:\\"peerURLs\\"" }')
  return misfit === undefined ? parseMemberUrls(urls) : err(renderMisfit(misfit))
}
