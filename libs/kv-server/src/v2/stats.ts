/** `/v2/stats/self`, `/leader` and `/store` (spec/etcd-v2.md §3.2). */
import type { Exchange } from '@cluster/http'
import { type ByteString, escapeGoJson } from '@cluster/kv-store'
import type { StoreStats } from '@cluster/kv-store/v2'
import { renderGoDuration, renderGoTime } from '../go-text.ts'
import { respondJson, respondMessage, respondMethodNotAllowed } from '../plain-answers.ts'
import type { Replica, ReplicaStatus } from '../replica.ts'

export type StatsOptions = {
  readonly replica: Replica
  /** Name of this member. */
  readonly name: ByteString
  /** Minutes by which local time is ahead of UTC at a moment (ms since 1970). */
  readonly utcOffsetMinutes: (timeMs: number) => number
}

export type Stats = {
  readonly self: (exchange: Exchange) => void
  readonly leader: (exchange: Exchange) => void
  readonly store: (exchange: Exchange) => void
}

export function createStats({ replica, name, utcOffsetMinutes }: StatsOptions): Stats {
  const onGet = (answer: (exchange: Exchange) => void) => (exchange: Exchange) =>
    exchange.method === 'GET' ? answer(exchange) : respondMethodNotAllowed(exchange, 'GET')
  const local = (timeMs: number): string => renderGoTime(timeMs, utcOffsetMinutes(timeMs))
  return {
    self: onGet((exchange) => respondJson(exchange, 200, renderSelf(replica.status, name, replica.nowMs(), local))),
    leader: onGet((exchange) => {
      const { status } = replica
      if (!status.isLeader) return respondMessage(exchange, 403, 'not current leader')
      // Followers appear here when there are other members.
      respondJson(exchange, 200, `{"leader":"${status.memberId}","followers":{}}`)
    }),
    store: onGet((exchange) => respondJson(exchange, 200, renderStore(replica.store.stats))),
  }
}

function renderSelf(status: ReplicaStatus, name: string, nowMs: number, local: (timeMs: number) => string): string {
  const { memberId, leaderId = '', leaderSinceMs, startedMs, isLeader } = status
  const leaderInfo =
    `{"leader":"${leaderId}","uptime":"${renderGoDuration(Math.max(0, nowMs - leaderSinceMs))}",` +
    `"startTime":"${local(leaderSinceMs)}"}`
  return (
    `{"name":"${escapeGoJson(name)}","id":"${memberId}","state":"State${isLeader ? 'Leader' : 'Follower'}",` +
    `"startTime":"${local(startedMs)}","leaderInfo":${leaderInfo},` +
    // Messages between members: one member has none, and rates are left out when they are 0.
    '"recvAppendRequestCnt":0,"sendAppendRequestCnt":0}'
  )
}

function renderStore(stats: StoreStats): string {
  return JSON.stringify({
    getsSuccess: stats.getsSuccess,
    getsFail: stats.getsFail,
    setsSuccess: stats.setsSuccess,
    setsFail: stats.setsFail,
    deleteSuccess: stats.deleteSuccess,
    deleteFail: stats.deleteFail,
    updateSuccess: stats.updateSuccess,
    updateFail: stats.updateFail,
    createSuccess: stats.createSuccess,
    createFail: stats.createFail,
    compareAndSwapSuccess: stats.compareAndSwapSuccess,
    compareAndSwapFail: stats.compareAndSwapFail,
    compareAndDeleteSuccess: stats.compareAndDeleteSuccess,
    compareAndDeleteFail: stats.compareAndDeleteFail,
    expireCount: stats.expireCount,
    watchers: stats.watchers,
  })
}
