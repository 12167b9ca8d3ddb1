/**
 * Claim: from a cold start of the process to the subnet file takes at most 250 ms; aim 150 ms. flannel 0.9.1 took 60 ms on a
 * machine of this kind. Beside it, in the same run: a start of Node that does nothing.
 */
import type { BenchContext } from '../bench.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { cleanUp, type Daemon, startDaemon, startNothing } from './daemon.ts'
import { makeNetwork, openLab } from './lab.ts'

export type Start = {
  readonly totalMs: number
  /** Of the process itself, without the programs that it starts. */
  readonly cpuMs?: number
  readonly rssBytes?: number
}

const turnsPerRound = 4

/** Starts all contenders in turns; gives the report as Markdown. */
export async function benchStart(rounds: number, { root, say }: BenchContext): Promise<string> {
  await using lab = await openLab(root, [1])
  const network = '10.5.0.0/16'
  const seats = [
    { name: 'vxlan', seat: await makeNetwork(lab, root, { name: 'vxlan', network, backend: 'vxlan' }) },
    { name: 'host-gw', seat: await makeNetwork(lab, root, { name: 'host-gw', network, backend: 'host-gw' }) },
    { name: 'udp', seat: await makeNetwork(lab, root, { name: 'udp', network, backend: 'udp' }) },
  ]
  const results = new Map<string, Start[]>()
  const note = (name: string, start: Start): void => {
    results.set(name, [...(results.get(name) ?? []), start])
  }
  for (let turn = 1; turn <= rounds * turnsPerRound; turn += 1) {
    for (const { name, seat } of seats) {
      note('Node alone', { totalMs: await startNothing(seat) })
      for (const how of ['first', 'again']) {
        const daemon = await startDaemon(seat)
        note(`${name}, ${how}`, startOf(daemon))
        await daemon.stop()
      }
      await cleanUp(seat)
    }
    say(
      `turn ${turn}: ${[...results].map(([name, starts]) => `${name} ${starts.at(-1)?.totalMs.toFixed(0)}`).join(', ')} ms`,
    )
  }
  return startReport(results)
}

/** The report of the starts of each contender. */
export function startReport(results: ReadonlyMap<string, readonly Start[]>): string {
  const rows = [...results].map(([name, starts]) => {
    const ms = starts.map(({ totalMs }) => totalMs)
    const [cpu, rss] = [starts.flatMap(({ cpuMs }) => cpuMs ?? []), starts.flatMap(({ rssBytes }) => rssBytes ?? [])]
    return [
      name,
      `${median(ms).toFixed(0)} ms`,
      `${Math.min(...ms).toFixed(0)} ms`,
      cpu.length === 0 ? '' : `${median(cpu).toFixed(0)} ms`,
      rss.length === 0 ? '' : `${(median(rss) / 1e6).toFixed(0)} MB`,
    ]
  })
  const [count = 0] = [...results].map(([, starts]) => starts.length).slice(1)
  return [
    `**From the start of the process to the subnet file, ${count} of each, cold processes, medians.** First: no device and no lease; again: both are there. Processor time is that of flanneld at the subnet file.`,
    '',
    table(['', 'median', 'least', 'CPU', 'memory'], rows),
    '',
    'flannel 0.9.1, recorded on a machine of this kind: 60 ms. Floor 250 ms, aim 150 ms.',
  ].join('\n')
}

function startOf({ startedMs, subnetFileMs, figures }: Daemon): Start {
  const { cpuSeconds, rssBytes } = figures()
  return { totalMs: subnetFileMs - startedMs, cpuMs: cpuSeconds * 1000, rssBytes }
}
