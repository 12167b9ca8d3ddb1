/** Commands through the long-lived programs: in order, as few waits as possible, and each failure with its command. */
import { BatchProcess } from './batch-process.ts'
import { failureOf } from './errors.ts'
import type { ProgramHost } from './run-program.ts'
import { batchLine, type NetworkCommand, programOf } from './state/command.ts'
import type { Failure } from './state/kernel.ts'

/** The programs that change things. One call of `apply` at a time. */
export class Batches implements AsyncDisposable {
  readonly #programs: Readonly<Record<'ip' | 'bridge', BatchProcess>>
  /** Devices that were named since the programs began to remember. */
  readonly #named = new Set<string>()

  constructor(host: ProgramHost) {
    this.#programs = { ip: new BatchProcess(['ip'], host), bridge: new BatchProcess(['bridge'], host) }
  }

  /** Starts `ip`, which every change needs. Its first answer is not waited for. */
  async start(): Promise<void> {
    await this.#programs.ip.start()
  }

  /** Starts what does not run yet, so that the first command finds it running. */
  warm(): void {
    this.#programs.ip.warm()
    this.#programs.bridge.warm()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#programs.ip[Symbol.asyncDispose](), this.#programs.bridge[Symbol.asyncDispose]()])
  }

  /** Whether the programs may have kept the number of the device of that name. */
  hasNamed(device: string): boolean {
    return this.#named.has(device)
  }

  /** The programs keep numbers of devices by name: to be called when a device that was named has come or gone. */
  forgetDevices(): void {
    this.#named.clear()
    this.#programs.ip.stop()
    this.#programs.bridge.stop()
  }

  /**
   * Does the commands in their order.
   *
   * @returns those that had no effect; a command whose device could not be made is not tried
   */
  async apply(commands: readonly NetworkCommand[]): Promise<readonly Failure[]> {
    const failures: Failure[] = []
    const lost = new Set<string>()
    for (const runs of stepsOf(commands)) {
      const isLost = (command: NetworkCommand): boolean => lost.has(deviceOf(command) ?? '')
      const tried = lost.size === 0 ? runs : runs.map((run) => run.filter((command) => !isLost(command)))
      for (const command of lost.size === 0 ? [] : runs.flat().filter(isLost)) {
        failures.push({ command, reason: 'skipped', text: 'its device could not be made' })
      }
      const failed = (await Promise.all(tried.map((run) => this.#run(run)))).flat()
      failures.push(...failed)
      for (const { command } of failed) if (command.kind === 'add-link') lost.add(command.link.name)
      // a new name is looked up when it is first used
      if (runs.some((run) => run.some(({ kind }) => kind === 'delete-link'))) this.forgetDevices()
    }
    return failures
  }

  async #run(commands: readonly NetworkCommand[]): Promise<readonly Failure[]> {
    const failures = await this.#runOnce(commands)
    const again = failures.filter(({ reason }) => reason === 'no-device').map(({ command }) => command)
    if (again.length === 0) return failures
    // the number of a device that somebody has made anew
    const [first] = commands
    if (first !== undefined) this.#programs[programOf(first)].stop()
    return [...failures.filter(({ reason }) => reason !== 'no-device'), ...(await this.#runOnce(again))]
  }

  async #runOnce(commands: readonly NetworkCommand[]): Promise<readonly Failure[]> {
    const [first] = commands
    if (first === undefined) return []
    for (const command of commands) this.#noteNames(command)
    const outcome = await this.#programs[programOf(first)].run(commands.map(batchLine))
    if (outcome.kind === 'died') return this.#runOneByOne(commands)
    return [...outcome.complaints].flatMap(([index, complaint]) => {
      const command = commands[index]
      return (command && failureOf(command, complaint)) ?? []
    })
  }

  #noteNames(command: NetworkCommand): void {
    const underlay = command.kind === 'add-link' ? command.link.vxlan?.underlay : undefined
    for (const name of [deviceOf(command), underlay]) if (name !== undefined) this.#named.add(name)
  }

  /**
   * `ip` ends at the first neighbour that it cannot change. Then all is done once more, each command followed by one that
   * must fail: the first command that no such failure follows is the one. The commands may be repeated, all but the
   * making of a device, which ends no program.
   */
  async #runOneByOne(commands: readonly NetworkCommand[]): Promise<readonly Failure[]> {
    const failures: Failure[] = []
    let rest = commands
    while (rest.length > 0) {
      const [first] = rest
      if (first === undefined) break
      const outcome = await this.#programs[programOf(first)].run(
        rest.flatMap((command) => [batchLine(command), 'done']),
      )
      const doneCount = outcome.kind === 'done' ? rest.length : countMarks(outcome.complaints, rest.length)
      for (const [at, command] of rest.slice(0, doneCount).entries()) {
        const complaint = outcome.complaints.get(2 * at)
        const failure = complaint === undefined ? undefined : failureOf(command, complaint)
        if (failure !== undefined) failures.push(failure)
      }
      const culprit = rest[doneCount]
      rest = rest.slice(doneCount + 1)
      if (outcome.kind === 'done' || culprit === undefined) break
      const failure = failureOf(culprit, outcome.lastWords)
      if (failure === undefined) continue
      failures.push(failure)
      // what holds for one holds for all of them: no process for each
      const alike = rest.filter((command) => sharesFate(command, failure))
      failures.push(...alike.map((command) => ({ ...failure, command })))
      rest = rest.filter((command) => !sharesFate(command, failure))
    }
    return failures
  }
}

function sharesFate(command: NetworkCommand, { reason, command: failed }: Failure): boolean {
  if (reason === 'no-permission') return true
  return reason === 'no-device' && !command.kind.startsWith('delete-') && deviceOf(command) === deviceOf(failed)
}

/** How many commands in a row were followed by the failure that must follow them. */
function countMarks(complaints: ReadonlyMap<number, string>, limit: number): number {
  let count = 0
  while (count < limit && complaints.has(2 * count + 1)) count += 1
  return count
}

type Run = readonly NetworkCommand[]

/**
 * The runs of one program each, in steps: what is in one step may be done at once. New forwarding entries and new
 * neighbours need nothing of each other, and routes need both; with thousands of them, both programs work at the same time.
 */
function stepsOf(commands: readonly NetworkCommand[]): readonly (readonly Run[])[] {
  const steps: (readonly Run[])[] = []
  let entries: Run | undefined
  for (const run of runsOf(commands)) {
    if (run[0]?.kind === 'replace-forwarding-entry' && run.at(-1)?.kind === 'replace-forwarding-entry') {
      entries = run
      steps.push([run])
    } else if (entries !== undefined && run[0]?.kind === 'replace-neighbour') {
      const others = run.findIndex(({ kind }) => kind !== 'replace-neighbour')
      const neighbours = others < 0 ? run : run.slice(0, others)
      steps.splice(-1, 1, [entries, neighbours])
      if (others >= 0) steps.push([run.slice(others)])
      entries = undefined
    } else {
      entries = undefined
      steps.push([run])
    }
  }
  return steps
}

/** Adjacent commands of one program; the making and deleting of devices by itself, because programs remember numbers. */
function runsOf(commands: readonly NetworkCommand[]): readonly Run[] {
  const runs: NetworkCommand[][] = []
  let before: NetworkCommand | undefined
  for (const command of commands) {
    const together =
      before !== undefined &&
      programOf(before) === programOf(command) &&
      makesOrDeletesDevice(before) === makesOrDeletesDevice(command)
    if (together) runs.at(-1)?.push(command)
    else runs.push([command])
    before = command
  }
  return runs
}

const makesOrDeletesDevice = ({ kind }: NetworkCommand): boolean => kind === 'add-link' || kind === 'delete-link'

function deviceOf(command: NetworkCommand): string | undefined {
  switch (command.kind) {
    case 'add-link':
      return command.link.name
    case 'delete-link':
    case 'set-link':
      return command.device
    case 'add-address':
    case 'delete-address':
      return command.address.device
    case 'replace-route':
    case 'delete-route':
      return command.route.device
    case 'replace-neighbour':
    case 'delete-neighbour':
      return command.neighbour.device
    case 'replace-forwarding-entry':
    case 'delete-forwarding-entry':
      return command.entry.device
    default:
      return command satisfies never
  }
}
