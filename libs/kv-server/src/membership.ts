/**
 * The members of the cluster as records in the store, below `/0` as etcd keeps them, and the numbers that name members
 * and clusters. Rules: spec/etcd-v2.md §2.1, §3.1, §8.1.
 */
import { createHash } from 'node:crypto'
import { type ByteString, escapeGoJson } from '@cluster/kv-store'
import type { Command, Store, StorePath } from '@cluster/kv-store/v2'
import { goString, goStrings, parseGoJson, readGoFields } from './go-json.ts'

/** Ids are lower-case hex in its shortest form; texts are bytes, one character each. */
export type Member = {
  readonly id: string
  /** Empty: the member has not started yet. */
  readonly name: ByteString
  readonly peerUrls: readonly ByteString[]
  /** Empty: the member has not started yet. */
  readonly clientUrls: readonly ByteString[]
}

const membersPath = '/0/members'
const removedPath = '/0/removed_members'
const versionPath = '/0/version'

/**
 * The id of a member. `clusterToken` is that of the bootstrap, empty for a member that is added at run time;
 * `addedSeconds` the Unix time at which it is added, absent for one of the bootstrap.
 *
 * @param peerUrls in any order
 */
export function memberIdOf(
  peerUrls: readonly ByteString[],
  { clusterToken, addedSeconds }: { readonly clusterToken: string; readonly addedSeconds?: number },
): string {
  const urls = Buffer.from([...peerUrls].sort().join(''), 'latin1')
  const hash = createHash('sha1').update(urls).update(clusterToken)
  if (addedSeconds !== undefined) hash.update(String(addedSeconds))
  return shortHex(hash.digest('hex').slice(0, 16))
}

/** The id of the cluster that these members begin. */
export function clusterIdOf(memberIds: readonly string[]): string {
  const hash = createHash('sha1')
  for (const id of [...memberIds].sort(compareIds)) hash.update(Buffer.from(id.padStart(16, '0'), 'hex'))
  return shortHex(hash.digest('hex').slice(0, 16))
}

/** An id as sent in its shortest form, undefined for what is no 64-bit number in hex. */
export function parseMemberId(text: ByteString): string | undefined {
  if (!/^[0-9a-fA-F]+$/.test(text)) return undefined
  const id = shortHex(text.toLowerCase())
  return id.length > 16 ? undefined : id
}

const shortHex = (hex: string): string => hex.replace(/^0+(?=.)/, '')

/** Ids in the order of the numbers they stand for. */
function compareIds(left: string, right: string): number {
  const [padded, other] = [left.padStart(16, '0'), right.padStart(16, '0')]
  return padded < other ? -1 : padded > other ? 1 : 0
}

/** Makes a member known: one index. At bootstrap one of these for each member comes first in the log. */
export const addMemberCommand = (id: string, peerUrls: readonly ByteString[]): Command => ({
  kind: 'create',
  path: `${membersPath}/${id}/raftAttributes`,
  value: renderPeerUrls(peerUrls),
  isDirectory: false,
  deadlineMs: undefined,
})

/** Gives a member other peer URLs: one index, also when they are the same. */
export const updateMemberCommand = (id: string, peerUrls: readonly ByteString[]): Command => ({
  kind: 'update',
  path: `${membersPath}/${id}/raftAttributes`,
  value: renderPeerUrls(peerUrls),
  deadlineMs: undefined,
  isRefresh: false,
})

/** What a member says of itself at every start: one index. */
export const publishMemberCommand = (
  id: string,
  { name, clientUrls }: { readonly name: ByteString; readonly clientUrls: readonly ByteString[] },
): Command =>
  setCommand(
    `${membersPath}/${id}/attributes`,
    // Go leaves out what is empty.
    `{${[
      ...(name === '' ? [] : [`"name":"${escapeGoJson(name)}"`]),
      ...(clientUrls.length === 0 ? [] : [`"clientURLs":${renderTexts(clientUrls)}`]),
    ].join()}}`,
  )

/** The version that all members can speak, set once by the leader: one index. */
export const clusterVersionCommand = (version: string): Command => setCommand(versionPath, version)

const setCommand = (path: StorePath, value: ByteString): Command => ({
  kind: 'set',
  path,
  value,
  isDirectory: false,
  deadlineMs: undefined,
  isRefresh: false,
})

const renderPeerUrls = (peerUrls: readonly ByteString[]): ByteString => `{"peerURLs":${renderTexts(peerUrls)}}`

const renderTexts = (texts: readonly ByteString[]): ByteString =>
  `[${texts.map((text) => `"${escapeGoJson(text)}"`).join()}]`

/** The cluster's version, undefined before it has been decided. */
export const clusterVersionOf = (store: Store): ByteString | undefined => store.valueOf(versionPath)

/** All members, in the order of their numbers. Reads are not counted in the stats. */
export function readMembers(store: Store): readonly Member[] {
  const ids = [...(store.childrenOf(membersPath) ?? [])].sort(compareIds)
  return ids.flatMap((id) => readMember(store, id) ?? [])
}

/** One member, undefined when there is none with this id. */
export function readMember(store: Store, id: string): Member | undefined {
  const raft = store.valueOf(`${membersPath}/${id}/raftAttributes`)
  if (raft === undefined) return undefined
  const attributes = store.valueOf(`${membersPath}/${id}/attributes`)
  return { id, name: '', clientUrls: [], peerUrls: [], ...readAttributes(raft), ...readAttributes(attributes ?? '{}') }
}

/** Whether a member with this id was removed: its id never comes back. */
export const isRemovedMember = (store: Store, id: string): boolean =>
  store.valueOf(`${removedPath}/${id}`) !== undefined

/** etcd reads all members and all removed ones through the store before each change of them: the stats show it. */
export function countMembershipReads(store: Store): void {
  store.countRead(store.childrenOf(membersPath) !== undefined)
  store.countRead(store.childrenOf(removedPath) !== undefined)
}

function readAttributes(json: ByteString): Partial<Member> {
  let attributes: Partial<Member> = {}
  const parsed = parseGoJson(json)
  if (!parsed.ok) return attributes
  const set = (change: Partial<Member>): void => {
    attributes = { ...attributes, ...change }
  }
  readGoFields(
    parsed.value,
    {
      name: goString((name) => set({ name })),
      peerURLs: goStrings((peerUrls) => set({ peerUrls: peerUrls ?? [] })),
      clientURLs: goStrings((clientUrls) => set({ clientUrls: clientUrls ?? [] })),
    },
    'Member',
  )
  return attributes
}

/** A member as the API shows it. */
export const renderMember = ({ id, name, peerUrls, clientUrls }: Member): ByteString =>
  `{"id":"${id}","name":"${escapeGoJson(name)}","peerURLs":${renderTexts(peerUrls)},"clientURLs":${renderTexts(clientUrls)}}`
