/** The demonstration on machines of the lab, each with its own systemd: states come from systemd inside them. */
import { bringUpCluster, type Programs } from './cluster.ts'
import { type DemoOptions, type DemoStage, type StageMachine, sayHeading, tellStory } from './demo-story.ts'
import type { Lab } from './lab.ts'
import { monotonicMs } from './machine.ts'
import type { LabNames } from './names.ts'
import { streamProgress } from './progress.ts'
import { readValues } from './store.ts'
import type { StoreKind } from './store-program.ts'
import { activeOn, unitOn } from './unit-on-machine.ts'
import { until } from './until.ts'

export type LabDemoOptions = DemoOptions & {
  readonly names: LabNames
  readonly programs: Programs
  /** Ends by pulling a plug instead of staying up. */
  readonly cutsPower: boolean
  readonly store: StoreKind
}

/** A machine of the lab; `name` is its host name, `label` what the lab calls it. */
type LabMachine = StageMachine & { readonly label: string }

/** Runs the demonstration in a lab that the caller takes down. Throws when any of it did not happen. */
export async function demonstrate(options: LabDemoOptions): Promise<void> {
  const { names, programs, io, signal, cutsPower, store } = options
  sayHeading(io, 'Three machines, each with its own systemd, one store, a fleetd on each')
  io.stdout.write('\n')
  const lab = await bringUpCluster(
    names,
    { machines: 3, programs, environment: io.env, ownerPid: process.pid, store },
    streamProgress(process.stdout, '  '),
    signal,
  )
  await tellStory(labStage(lab, signal), { io, signal, losesMachine: cutsPower })
}

function labStage(lab: Lab, signal: AbortSignal): DemoStage<LabMachine> {
  const machines = lab.machines.map(({ name, hostname, address }) => ({ label: name, name: hostname, address }))
  const [first] = machines
  const fleetctl: DemoStage<LabMachine>['fleetctl'] = (args, { label }) =>
    lab.exec(label, ['sh', '-c', 'cd /opt/cluster/examples && exec fleetctl "$@"', 'fleetctl', ...args], {
      timeoutMs: 60_000,
    })
  /** A machine that is up, for questions that any can answer. */
  const asked = async (): Promise<string> => {
    const { machines: all } = await lab.status()
    return all.find(({ condition }) => condition === 'up')?.name ?? 'm1'
  }
  return {
    machines,
    fleetctl,
    hint: ({ label }) => `see what fleetd says: journalctl -u fleetd on ${label}`,
    activeOn: async (unit) => {
      const labels = await activeOn(lab, unit)
      return machines.filter(({ label }) => labels.includes(label))
    },
    nowMs: monotonicMs,
    becameActiveMs: async (unit, { label }) => (await unitOn(lab, label, unit)).activeSinceMs,
    valuesBelow: async (directory) =>
      new Map(
        [...(await readValues(lab.names, directory))].map(([key, value]) => [key.replace(/.*\//, ''), value] as const),
      ),
    fetchText: async (url) => {
      const script = `fetch(${JSON.stringify(url)}).then((answer) => answer.text()).then((text) => process.stdout.write(text))`
      return lab.run(await asked(), ['node', '-e', script])
    },
    lose: ({ label }) => lab.kill(label),
    bringBack: async ({ label }) => {
      await lab.boot(label)
      const other = machines.find((machine) => machine.label !== label) ?? first
      if (other === undefined) return
      await until(() => fleetctl(['list-machines', '--no-legend'], other), {
        what: `${label} among the machines`,
        timeoutMs: 20_000,
        is: ({ stdout }) => stdout.trim().split('\n').length === machines.length,
        signal,
      })
    },
    words: { lost: (name) => `Power cut on ${name}`, figure: 'power cut', event: 'the power cut' },
  }
}

/** What to do with a cluster that stays up. */
export const tryNext = (lab: string): string => `
The cluster stays up until Ctrl-C. In another terminal:

  export CLUSTER_LAB_NAME=${lab}
  npm run lab -- exec m1 -- fleetctl status hello.service
  npm run lab -- exec m2 -- fleetctl list-units
  npm run lab -- exec m1 -- fleetctl why gpu.service
  npm run lab -- kill m3        pull a plug; then list-units again (also: freeze, cut, reboot)
  npm run lab -- shell m1       a shell; the units are in /opt/cluster/examples

`
