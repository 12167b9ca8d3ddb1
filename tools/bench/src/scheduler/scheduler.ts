/** `npm run bench -- scheduler`: how fast the planner places, plans anew, explains and predicts. */
import { loadavg } from 'node:os'
import {
  createPlanner,
  defaultPolicy,
  explainHeld,
  explainUnit,
  machineSets,
  planCluster,
  whatIfLost,
} from '@cluster/scheduler'
import type { BenchContext } from '../bench.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { type ChangeKind, changeKinds, nthChange } from './changes.ts'
import { mixedCluster } from './clusters.ts'
import { measureEngineRounds } from './engine-round.ts'
import { placeStraightforwardly } from './straightforward.ts'

export const schedulerParts = ['placements', 'replan', 'explain', 'lose-two', 'engine'] as const

export type SchedulerPart = (typeof schedulerParts)[number]

export type SchedulerOptions = {
  readonly parts: readonly SchedulerPart[]
  readonly rounds: number
  /** Divides every size; 1 measures the claims. */
  readonly shrink: number
}

/** The report, as Markdown. */
export function benchScheduler({ parts, rounds, shrink }: SchedulerOptions, context: BenchContext): string {
  const reports: Readonly<Record<SchedulerPart, () => string>> = {
    placements: () => measurePlacements(rounds, shrink, context),
    replan: () => measureReplan(shrink, context),
    explain: () => measureExplain(rounds, shrink, context),
    'lose-two': () => measureLoseTwo(shrink, context),
    engine: () => measureEngine(shrink, context),
  }
  const load = `Load average of the machine at the start: ${loadavg()[0]?.toFixed(1)}.`
  return [load, ...parts.map((part) => reports[part]())].join('\n\n')
}

function measurePlacements(rounds: number, shrink: number, { say }: BenchContext): string {
  const rows = [
    [1000, 10_000],
    [5000, 50_000],
  ].map(([machines = 0, units = 0]) => {
    const state = mixedCluster(machines / shrink, units / shrink)
    // Building the whole model for each decision is quadratic: some hundred decisions tell the pace.
    const sample = 300
    const ours: Timing[] = []
    const theirs: Timing[] = []
    for (let round = -warmUpRounds; round < rounds; round++) {
      say(`placements: ${machines} × ${units}, round ${round + 1} of ${rounds}`)
      const plan = timed(() => planCluster(state, defaultPolicy))
      const naive = timed(() => placeStraightforwardly(state, sample))
      if (round < 0) continue
      ours.push(perSecond(plan, plan.result.placement.size))
      theirs.push(perSecond(naive, naive.result.size))
    }
    const pace = ({ wall, cpu }: Timing): string => `${count(wall)} (${count(cpu)})`
    const size = `${count(machines / shrink)} × ${count(units / shrink)}`
    return [size, pace(middle(ours)), count(Math.max(...ours.map(({ wall }) => wall))), pace(middle(theirs))]
  })
  const heads = ['machines × units', 'ours', 'best round', 'straightforward']
  return `Placements per second from empty, model included; in brackets per second of processor time, all threads. Median of ${rounds} after ${warmUpRounds} to warm up.\n\n${table(heads, rows)}`
}

function measureReplan(shrink: number, { say }: BenchContext): string {
  const state = mixedCluster(10_000 / shrink, 1_000_000 / shrink)
  const before = residentMegabytes()
  say(`replan: holding ${count(state.machines.length)} × ${count(state.units.length)}`)
  const { result: planner, wallMs } = timed(() => createPlanner(state, defaultPolicy))
  const held = residentMegabytes() - before
  const times = new Map<ChangeKind, Spent[]>(changeKinds.map((kind) => [kind, []]))
  const changes = 7 * 1000
  for (let index = 0; index < changes; index++) {
    const kind = changeKinds[index % changeKinds.length] ?? 'unit added'
    const change = nthChange(kind, index, state, planner)
    if (change !== undefined) times.get(kind)?.push(timed(() => planner.apply(change)))
    if (index % changeKinds.length === 0 && index % 1000 < changeKinds.length) say(`replan: ${count(index)} changes`)
  }
  const all = [...times.values()].flat()
  const row = (name: string, spent: readonly Spent[]) => [
    name,
    count(spent.length),
    ...[0.5, 0.9, 0.99, 1].map((share) => quantile(spent.map(wallOf), share).toFixed(3)),
    ...[0.5, 0.99].map((share) => quantile(spent.map(cpuOf), share).toFixed(3)),
    `${((100 * spent.filter(({ wallMs }) => wallMs < 1).length) / spent.length).toFixed(1)}%`,
  ]
  const rows = [row('all', all), ...Array.from(times, ([kind, values]) => row(kind, values))]
  return (
    `One change of ${count(state.machines.length)} machines × ${count(state.units.length)} units, milliseconds. ` +
    `A machine that leaves moves its ${Math.round(state.units.length / state.machines.length)} units. ` +
    `Held in ${(wallMs / 1000).toFixed(1)} s and ${count(held)} MB beside the state of ${count(before)} MB; ` +
    `${count(residentMegabytes())} MB in the end.\n\n` +
    table(['change', 'times', 'p50', 'p90', 'p99', 'most', 'CPU p50', 'CPU p99', 'under 1 ms'], rows)
  )
}

function measureExplain(rounds: number, shrink: number, { say }: BenchContext): string {
  const state = mixedCluster(10_000 / shrink, 10_000 / shrink)
  const planner = createPlanner(state, defaultPolicy)
  const settled = planner.state()
  const names = ['plain-0.service', 'web-0@4.service', 'disk-7.service', 'chain-0-1.service']
  const rows = names.map((name) => {
    say(`explain: ${name}`)
    const timesOf = (explain: () => unknown): string => {
      const spent = Array.from({ length: rounds + warmUpRounds }, () => timed(explain)).slice(warmUpRounds)
      return `${median(spent.map(wallOf)).toFixed(1)} (${median(spent.map(cpuOf)).toFixed(1)})`
    }
    return [
      name,
      timesOf(() => explainHeld(planner, name)),
      timesOf(() => explainUnit(settled, name, defaultPolicy)),
      timesOf(() => explainUnit(state, name, defaultPolicy)),
    ]
  })
  const heads = ['unit', 'held', 'from a state', 'from a state with nothing placed']
  return `Explaining a unit at ${count(state.machines.length)} machines and as many units, milliseconds; in brackets of processor time, all threads. Median of ${rounds} after ${warmUpRounds} to warm up.\n\n${table(heads, rows)}`
}

function measureLoseTwo(shrink: number, { say }: BenchContext): string {
  const state = mixedCluster(200 / shrink, 4000 / shrink)
  const planner = createPlanner(state, defaultPolicy)
  const run = timed(() => {
    let last = ''
    for (const { done, total, worst, failing } of whatIfLost(
      planner,
      machineSets(state.machines, { kind: 'any', count: 2 }),
    )) {
      if (done % 5000 === 0) say(`lose-two: ${count(done)} of ${count(total)}`)
      last = `${count(done)} pairs, ${count(failing)} of them leave units without a place; worst ${worst?.machines.join(' and ') ?? 'none'}: ${worst?.outcome.moves.length ?? 0} moves`
    }
    return last
  })
  return `Losing any two of ${count(state.machines.length)} machines with ${count(state.units.length)} units: ${(run.wallMs / 1000).toFixed(1)} s, ${(run.cpuMs / 1000).toFixed(1)} s of processor time. ${run.result}.`
}

function measureEngine(shrink: number, { say }: BenchContext): string {
  const state = mixedCluster(1000 / shrink, 10_000 / shrink)
  say(`engine: ${count(state.machines.length)} × ${count(state.units.length)}`)
  const nowMs = (): number => performance.now()
  const { firstMs, longestWithoutPauseMs, changesMs, anewMs } = measureEngineRounds(state, nowMs)
  const shares = [0.5, 0.99, 1].map((share) => quantile(changesMs, share).toFixed(2))
  return (
    `A round of the engine over ${count(state.machines.length)} machines × ${count(state.units.length)} units in their places, ` +
    `from entries to tasks, milliseconds. The first one: ${firstMs.toFixed(0)}, at most ${longestWithoutPauseMs.toFixed(0)} ` +
    'of them without a pause.\n\n' +
    table(
      ['one change', 'p50', 'p99', 'most'],
      [
        ['of a held plan', ...shares],
        ['read and planned anew', median(anewMs).toFixed(0), '-', Math.max(...anewMs).toFixed(0)],
      ],
    )
  )
}

/** Rounds that nobody counts: the engine compiles what it sees often. */
const warmUpRounds = 2

type Spent = { readonly wallMs: number; readonly cpuMs: number }

const wallOf = ({ wallMs }: Spent): number => wallMs
const cpuOf = ({ cpuMs }: Spent): number => cpuMs

type Timing = { readonly wall: number; readonly cpu: number }

function timed<T>(action: () => T): Spent & { readonly result: T } {
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  const result = action()
  const wallMs = Number(process.hrtime.bigint() - start) / 1e6
  const { user, system } = process.cpuUsage(cpu)
  return { result, wallMs, cpuMs: (user + system) / 1000 }
}

const perSecond = ({ wallMs, cpuMs }: Spent, done: number): Timing => ({
  wall: (done * 1000) / wallMs,
  cpu: (done * 1000) / Math.max(cpuMs, 0.001),
})

const middle = (timings: readonly Timing[]): Timing => ({
  wall: median(timings.map(({ wall }) => wall)),
  cpu: median(timings.map(({ cpu }) => cpu)),
})

function quantile(values: readonly number[], share: number): number {
  const ascending = [...values].sort((one, other) => one - other)
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? Number.NaN
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const residentMegabytes = (): number => process.memoryUsage().rss / 1e6
