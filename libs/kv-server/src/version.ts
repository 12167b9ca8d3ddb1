/** `/version`: of this server, and what the cluster has agreed on. */

import type { Exchange } from '@cluster/http'
import { escapeGoJson } from '@cluster/kv-store'
import type { Store } from '@cluster/kv-store/v2'
import { clusterVersionOf } from './membership.ts'
import { respondJson, respondMethodNotAllowed } from './plain-answers.ts'

/** The release of etcd whose API this is; clients compare it with what they need. */
export const etcdVersion = '2.3.8'

export function respondVersion(exchange: Exchange, store: Store, serverVersion: string): void {
  if (exchange.method !== 'GET') {
    respondMethodNotAllowed(exchange, 'GET')
    return
  }
  const cluster = clusterVersionOf(store) ?? 'not_decided'
  respondJson(exchange, 200, `{"etcdserver":"${escapeGoJson(serverVersion)}","etcdcluster":"${escapeGoJson(cluster)}"}`)
}
