/** `/debug/vars`: what Go's expvar shows of an etcd process. */
import type { Exchange } from '@cluster/http'
import { byteStringOf } from '@cluster/kv-store'
import { respondMethodNotAllowed } from './plain-answers.ts'
import type { Replica } from './replica.ts'

/** What only the process itself knows. */
export type ProcessFacts = {
  readonly commandLine: readonly string[]
  readonly fileDescriptorsMax: number
  /** Figures in bytes by name (`HeapAlloc`, `Sys` …). */
  readonly memory: () => Readonly<Record<string, number>>
}

export function respondDebugVars(exchange: Exchange, replica: Replica, facts: ProcessFacts): void {
  if (exchange.method !== 'GET') {
    respondMethodNotAllowed(exchange, 'GET')
    return
  }
  const { status, appliedIndex, appliedTerm } = replica
  const vars = {
    cmdline: facts.commandLine,
    file_descriptor_limit: facts.fileDescriptorsMax,
    memstats: facts.memory(),
    'raft.status': {
      id: status.memberId,
      term: appliedTerm,
      commit: appliedIndex,
      lead: status.leaderId ?? '0',
      raftState: status.isLeader ? 'StateLeader' : 'StateFollower',
    },
  }
  const lines = Object.entries(vars).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`)
  const body = byteStringOf(`{\n${lines.join(',\n')}\n}\n`)
  exchange.respond(200, 'Content-Type: application/json; charset=utf-8\r\n', body)
}
