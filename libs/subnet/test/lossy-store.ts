/**
 * A store in virtual time behind a bad network: requests get lost, answers get lost after the write took effect, and
 * a request may arrive long after its sender gave up on it, even in the sender's next life.
 */
import { assert, type Random } from '@cluster/prelude'

/** Things that happen at moments, in order of time. */
export type Timeline = {
  readonly nowMs: () => number
  readonly after: (delayMs: number, action: () => void) => void
  /** Lets everything happen up to a moment. */
  readonly runUntil: (endMs: number) => void
}

export function createTimeline(): Timeline {
  const actions: { readonly atMs: number; readonly order: number; readonly action: () => void }[] = []
  let nowMs = 0
  let order = 0
  return {
    nowMs: () => nowMs,
    after(delayMs, action) {
      const added = { atMs: nowMs + delayMs, order: order++, action }
      let index = actions.length
      // Latest first, so that the next one is at the end.
      while (index > 0 && (actions[index - 1]?.atMs ?? 0) <= added.atMs) index--
      actions.splice(index, 0, added)
    },
    runUntil(endMs) {
      for (let next = actions.at(-1); next !== undefined && next.atMs <= endMs; next = actions.at(-1)) {
        actions.pop()
        assert(next.atMs >= nowMs, 'time goes forward')
        nowMs = next.atMs
        next.action()
      }
      nowMs = endMs
    },
  }
}

export type StoredEntry = {
  readonly key: string
  readonly value: string
  readonly revision: number
  /** Seconds left when it was read. */
  readonly ttlSeconds?: number
}

export type StoreRequest =
  | { readonly kind: 'list' }
  | {
      readonly kind: 'put'
      readonly key: string
      readonly value: string
      /** The revision that must stand there; 0: nothing must. */
      readonly onlyIf: number
      readonly ttlSeconds?: number
    }
  | { readonly kind: 'delete'; readonly key: string; readonly onlyIf: number }

export type StoreAnswer =
  | { readonly kind: 'listed'; readonly entries: readonly StoredEntry[] }
  | { readonly kind: 'done'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly found: StoredEntry | undefined }
  /** The sender gave up: nobody knows. */
  | { readonly kind: 'no-answer' }

export type LossyStore = {
  readonly request: (request: StoreRequest, answered: (answer: StoreAnswer) => void) => void
  /** Written by hand: not through the network. */
  readonly plant: (key: string, value: string, ttlSeconds?: number) => void
  /** From now on nothing gets lost or late. */
  readonly heal: () => void
}

const giveUpMs = 1_000

export function createLossyStore(timeline: Timeline, random: Random): LossyStore {
  const entries = new Map<string, { readonly value: string; readonly revision: number; readonly endMs: number }>()
  let revision = 0
  let isBad = true

  const find = (key: string): StoredEntry | undefined => {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    const leftMs = entry.endMs - timeline.nowMs()
    if (leftMs <= 0) return undefined
    const { value } = entry
    const ttl = leftMs === Number.POSITIVE_INFINITY ? {} : { ttlSeconds: Math.floor(leftMs / 1_000) }
    return { key, value, revision: entry.revision, ...ttl }
  }
  const put = (key: string, value: string, ttlSeconds: number | undefined): void => {
    const endMs = ttlSeconds === undefined ? Number.POSITIVE_INFINITY : timeline.nowMs() + ttlSeconds * 1_000
    entries.set(key, { value, revision: ++revision, endMs })
  }
  const apply = (request: StoreRequest): StoreAnswer => {
    if (request.kind === 'list')
      return { kind: 'listed', entries: [...entries.keys()].flatMap((key) => find(key) ?? []) }
    const found = find(request.key)
    if ((found?.revision ?? 0) !== request.onlyIf) return { kind: 'conflict', found }
    if (request.kind === 'put') put(request.key, request.value, request.ttlSeconds)
    else {
      entries.delete(request.key)
      revision++
    }
    return { kind: 'done', revision }
  }
  const travelMs = (): number => {
    const isSlow = isBad && random.next() < 0.05
    return 1 + random.next() * (isSlow ? 20_000 : 20)
  }
  const isLost = (share: number): boolean => isBad && random.next() < share

  return {
    request(request, answered) {
      let isOver = false
      const answer = (one: StoreAnswer): void => {
        if (isOver) return
        isOver = true
        answered(one)
      }
      timeline.after(giveUpMs, () => answer({ kind: 'no-answer' }))
      if (isLost(0.05)) return
      timeline.after(travelMs(), () => {
        const result = apply(request)
        if (!isLost(0.1)) timeline.after(travelMs(), () => answer(result))
      })
    },
    plant: put,
    heal: () => {
      isBad = false
    },
  }
}
