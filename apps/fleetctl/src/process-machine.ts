/**
 * `status` and `journal` where fleetd runs units as processes on this computer: there is no systemctl and no journalctl
 * to ask, but the log in the process manager's folder, and what the machine has published.
 */
import type { JournalEntry } from '@cluster/systemd'
import type { FleetContext } from './context.ts'

/** The process manager's folder of a machine, when it is among those that `--process-dir` names. */
export async function processFolderOf(
  { host, settings }: Pick<FleetContext, 'host' | 'settings'>,
  machineId: string,
): Promise<string | undefined> {
  const folders = settings.text('process-dir').split(',')
  return (await host.processMachines(folders.filter((folder) => folder !== ''))).get(machineId)
}

type UnitPlace = { readonly name: string; readonly machineId: string; readonly folder: string }

export type ProcessLogRequest = UnitPlace & {
  readonly lines: number
  readonly follow: boolean
  /** In the words of journalctl. */
  readonly form: string
}

/** Prints the latest entries, and with `follow` those to come until the person interrupts. Gives the exit code. */
export async function printProcessLog(context: FleetContext, request: ProcessLogRequest): Promise<number> {
  const { io, host, signal } = context
  const render = forms.get(request.form)
  if (render === undefined) {
    io.stderr.write(
      `The log of ${request.name} cannot be printed as "${request.form}": its fleetd runs units as processes\n` +
        `Use --output with one of ${[...forms.keys()].join(', ')}.\n`,
    )
    return 1
  }
  const { folder, name, lines, follow, machineId } = request
  for await (const entry of host.readProcessLog({ directory: folder, unit: name, lines, follow, signal })) {
    io.stdout.write(`${render(entry, machineId)}\n`)
  }
  return 0
}

/** Exit code of systemctl for a unit that is not active. */
const notActive = 3

/** Prints what the machine has published of the unit, and its latest lines, in the manner of systemctl. */
export async function printProcessStatus(
  { io, fleet, host, signal }: FleetContext,
  { name, machineId, folder }: UnitPlace,
): Promise<number> {
  const [state] = await fleet.listStates({ unit: name, machineId }, signal)
  const unit = await fleet.getUnit(name, signal)
  const description = unit?.options.find(({ name: option }) => option === 'Description')?.value
  const isActive = state?.activeState === 'active' || state?.activeState === 'reloading'
  const rows = [
    ['Loaded', state?.loadState ?? 'unknown: its machine has published nothing yet'],
    ['Active', state === undefined ? 'unknown' : `${state.activeState} (${state.subState})`],
    ['Machine', machineId],
    ['Manager', `processes of fleetd, in ${folder}`],
  ]
  io.stdout.write(`${isActive ? '●' : '○'} ${name}${description === undefined ? '' : ` - ${description}`}\n`)
  for (const [label = '', value] of rows) io.stdout.write(`${label.padStart(11)}: ${value}\n`)
  let isFirst = true
  for await (const entry of host.readProcessLog({ directory: folder, unit: name, lines: 10, signal })) {
    io.stdout.write(`${isFirst ? '\n' : ''}${shortForm(entry, machineId)}\n`)
    isFirst = false
  }
  return isActive ? 0 : notActive
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As journalctl's `short`, with the machine where that has the name of the host. */
function shortForm({ timeMs, message, program = 'unknown', pid }: JournalEntry, machineId: string): string {
  const time = new Date(timeMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  const who = pid === undefined ? program : `${program}[${pid}]`
  return `${months[time.getMonth()]} ${two(time.getDate())} ${clock} ${machineId.slice(0, 8)} ${who}: ${message}`
}

/** Field names of systemd.journal-fields(7). */
const jsonForm = ({ timeMs, message, unit, pid, priority, program }: JournalEntry, machineId: string): string =>
  JSON.stringify({
    __REALTIME_TIMESTAMP: String(Math.round(timeMs * 1000)),
    _MACHINE_ID: machineId,
    _SYSTEMD_UNIT: unit,
    ...(pid === undefined ? {} : { _PID: String(pid) }),
    ...(priority === undefined ? {} : { PRIORITY: String(priority) }),
    ...(program === undefined ? {} : { SYSLOG_IDENTIFIER: program }),
    MESSAGE: message,
  })

const forms: ReadonlyMap<string, (entry: JournalEntry, machineId: string) => string> = new Map([
  ['short', shortForm],
  ['cat', ({ message }: JournalEntry) => message],
  ['json', jsonForm],
])
