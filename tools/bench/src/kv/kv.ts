/** `bench kv`: our store beside Debian's etcd 3.4, v2 API, durable, same client, same run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchContext } from '../bench.ts'
import { table } from '../table.ts'
import { measureMillion } from './million.ts'
import { type Peer, peerCommands, startPeer } from './peer.ts'
import type { KeySpace } from './requests.ts'
import { measureThroughput, medianRound, type Round } from './throughput.ts'
import { measureWatchers } from './watchers.ts'

export type KvOptions = {
  readonly parts: readonly KvPart[]
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly keys: number
  readonly watchers: number
}

export const kvParts = ['throughput', 'latency', 'million', 'watchers'] as const
export type KvPart = (typeof kvParts)[number]

const small: KeySpace = { keys: 10_000, valueBytes: 256, perDirectory: 1000 }

/** The report as Markdown. Data directories are made below the folder that the context names, so that the disk is ours to choose. */
export async function benchKv(options: KvOptions, { root, folder, say }: BenchContext): Promise<string> {
  const sections: string[] = []
  const commands = peerCommands(root)
  const withPeers = async <Value>(work: (peers: readonly Peer[]) => Promise<Value>): Promise<Value> => {
    const base = mkdtempSync(join(folder, 'bench-kv-'))
    const peers: Peer[] = []
    try {
      for (const command of commands) peers.push(await startPeer(command, join(base, command.name)))
      return await work(peers)
    } finally {
      for (const peer of peers) await peer.stop()
      rmSync(base, { recursive: true, force: true })
    }
  }
  if (options.parts.includes('throughput')) {
    const { rounds, seconds, connections } = options
    const found = await withPeers((peers) =>
      measureThroughput({ peers, space: small, connections, seconds, rounds, say }),
    )
    sections.push(throughputSection(found, `${connections} connections, ${rounds} rounds of ${seconds} s`))
  }
  if (options.parts.includes('latency')) {
    const { rounds } = options
    const found = await withPeers((peers) =>
      measureThroughput({ peers, space: small, connections: 1, seconds: 2, rounds, say }),
    )
    sections.push(throughputSection(found, `1 connection, ${rounds} rounds of 2 s`))
  }
  if (options.parts.includes('million')) sections.push(await millionSection(options, commands, folder, say))
  if (options.parts.includes('watchers')) {
    const rows: (readonly string[])[] = []
    for (const command of commands) {
      const base = mkdtempSync(join(folder, 'bench-kv-'))
      const peer = await startPeer(command, base)
      try {
        const one = await measureWatchers(peer, options.watchers)
        say(`${one.peer}: last of ${one.watchers} watchers after ${one.lastMs.toFixed(0)} ms`)
        rows.push([one.peer, kilobytes(one.bytesEach), ms(one.firstMs), ms(one.lastMs)])
      } finally {
        await peer.stop()
        rmSync(base, { recursive: true, force: true })
      }
    }
    sections.push(
      `**${options.watchers} watchers of one key**\n\n${table(['server', 'memory each', 'first has the event', 'last has the event'], rows)}`,
    )
  }
  return sections.join('\n\n')
}

async function millionSection(
  { keys }: KvOptions,
  commands: ReturnType<typeof peerCommands>,
  folder: string,
  say: (line: string) => void,
): Promise<string> {
  const rows: (readonly string[])[] = []
  for (const command of commands) {
    const base = mkdtempSync(join(folder, 'bench-kv-'))
    try {
      const one = await measureMillion(command, base, { keys, valueBytes: 256, perDirectory: 1000 }, say)
      rows.push([
        one.peer,
        `${Math.round(one.fillPerSecond)}/s`,
        megabytes(one.rssBytes),
        megabytes(one.rssAfterRestartBytes),
        `${one.restartSeconds.toFixed(1)} s`,
        ms(one.probeP99Ms),
        ms(one.stallMs),
        String(one.failures),
      ])
    } finally {
      rmSync(base, { recursive: true, force: true })
    }
  }
  const heads = ['server', 'filled at', 'memory', 'after restart', 'restart', 'probe p99', 'longest stall', 'failures']
  return `**${keys} keys of 256 bytes, a probe beside the fill**\n\n${table(heads, rows)}`
}

function throughputSection(rounds: readonly Round[], what: string): string {
  const failures = rounds.reduce((sum, one) => sum + one.failures, 0)
  const rows = (['put', 'get'] as const).flatMap((operation) => {
    const [etcd, kvd] = (['etcd', 'kvd'] as const).map((peer) => medianRound(rounds, peer, operation))
    if (etcd === undefined || kvd === undefined) return []
    return [etcd, kvd].map((one) => [
      operation.toUpperCase(),
      one.peer,
      String(Math.round(one.perSecond)),
      one === etcd ? '1' : (kvd.perSecond / etcd.perSecond).toFixed(2),
      ms(one.p50Ms),
      ms(one.p99Ms),
      ms(one.p999Ms),
      one.cpuMicros.toFixed(0),
      one.mainMicros.toFixed(1),
      megabytes(one.rssBytes),
    ])
  })
  const heads = ['', 'server', 'per s', 'ratio', 'p50', 'p99', 'p99.9', 'CPU µs', 'main thread µs', 'memory']
  return `**${what}, 256-byte values, durable; medians; ${failures} failures**\n\n${table(heads, rows)}`
}

const ms = (value: number): string => `${value.toFixed(2)} ms`
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`
