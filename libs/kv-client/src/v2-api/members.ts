/**
 * The members API: who belongs to the cluster.
 *
 * @see spec/etcd-v2.md §3.1
 */
import { notEtcd, refused } from './failure.ts'
import { isObject, listAt, objectIn, objectOf, textAt, textsAt } from './json.ts'
import type { V2Signal } from './keys.ts'
import type { Requester, V2Answer } from './requester.ts'
import { escapePath } from './target.ts'

export type V2Member = {
  /** Hex, shortest form. */
  readonly id: string
  /** Empty until it has started. */
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly clientUrls: readonly string[]
}

export type V2Members = {
  readonly list: (options?: V2Signal) => Promise<readonly V2Member[]>
  readonly leader: (options?: V2Signal) => Promise<V2Member>
  readonly add: (peerUrls: readonly string[], options?: V2Signal) => Promise<V2Member>
  readonly update: (id: string, peerUrls: readonly string[], options?: V2Signal) => Promise<void>
  readonly remove: (id: string, options?: V2Signal) => Promise<void>
}

/** The members API over a requester. All methods throw `V2ApiError`. */
export function createV2Members(requester: Requester): V2Members {
  const body = (peerUrls: readonly string[]) => {
    const text = JSON.stringify({ peerURLs: peerUrls })
    return { type: 'json', text, shown: text } as const
  }
  return {
    list: async ({ signal } = {}) => {
      const answer = await requester.ask({ method: 'GET', target: '/v2/members', signal })
      return listAt(objectOf(expect(answer, 200).text), 'members').map(memberOf)
    },
    leader: async ({ signal } = {}) => {
      const answer = await requester.ask({ method: 'GET', target: '/v2/members/leader', signal })
      return memberOf(objectOf(expect(answer, 200).text))
    },
    add: async (peerUrls, { signal } = {}) => {
      const call = { method: 'POST', target: '/v2/members', body: body(peerUrls), isOnce: true, signal } as const
      return memberOf(objectOf(expect(await requester.ask(call), 201).text))
    },
    update: async (id, peerUrls, { signal } = {}) => {
      const target = `/v2/members/${escapePath(id)}`
      expect(await requester.ask({ method: 'PUT', target, body: body(peerUrls), signal }), 204)
    },
    remove: async (id, { signal } = {}) => {
      const target = `/v2/members/${escapePath(id)}`
      expect(await requester.ask({ method: 'DELETE', target, isOnce: true, signal }), 204)
    },
  }
}

function expect(answer: V2Answer, wanted: number): V2Answer {
  if (answer.status === wanted) return answer
  throw plainRefusal(answer)
}

/** What a path outside the keys refused with. */
export function plainRefusal({ status, text }: V2Answer) {
  const message = objectIn(text)?.['message']
  return refused({ kind: 'plain', status, message: typeof message === 'string' ? message : undefined })
}

function memberOf(value: unknown): V2Member {
  if (!isObject(value)) throw notEtcd('a member that is no object')
  return {
    id: textAt(value, 'id'),
    name: textAt(value, 'name'),
    peerUrls: textsAt(value, 'peerURLs'),
    clientUrls: textsAt(value, 'clientURLs'),
  }
}
