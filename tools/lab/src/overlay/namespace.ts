/**
 * Network namespaces that live as long as this process: each is held by a `cat` that reads from us. Were we killed, its
 * input would end, and the namespace with everything in it would be gone. Nothing has a name that could be left behind.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { type CommandResult, runCommand, runOrThrow } from '../command.ts'
import { LabError } from '../errors.ts'

export type Namespace = AsyncDisposable & {
  /** Of the process that holds it: `ip link set … netns PID`. */
  readonly pid: number
  /** Program and arguments that run a command inside; it keeps the process ID, since each of them only execs the next. */
  readonly inside: (command: readonly string[]) => readonly [file: string, args: readonly string[]]
  /** Runs a program inside to its end, whatever its exit code. */
  readonly run: (command: readonly string[], timeoutMs?: number) => Promise<CommandResult>
  /** Runs `ip` commands inside, one per line, in one process; they must succeed. */
  readonly ip: (lines: readonly string[]) => Promise<void>
  /** Writes kernel settings: `net.ipv4.ip_forward` → `1`. */
  readonly set: (setting: string, value: string) => Promise<void>
}

/** Opens an empty network namespace. Needs root. */
export async function openNamespace(): Promise<Namespace> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'pipe'] })
  await held(holder)
  const { pid } = holder
  if (pid === undefined) throw new LabError('lab/command-failed', 'unshare has no process ID')
  const inside: Namespace['inside'] = (command) => ['nsenter', [`--net=/proc/${pid}/ns/net`, ...command]]
  const run: Namespace['run'] = (command, timeoutMs = 20_000) => runCommand(...inside(command), { timeoutMs })
  return {
    pid,
    inside,
    run,
    ip: async (lines) => {
      await runOrThrow(...inside(['ip', '-batch', '-']), { input: `${lines.join('\n')}\n`, timeoutMs: 20_000 })
    },
    set: async (setting, value) => {
      const file = `/proc/sys/${setting.replaceAll('.', '/')}`
      await runOrThrow(...inside(['sh', '-c', `echo "$1" > "$2"`, 'sh', value, file]), { timeoutMs: 5000 })
    },
    [Symbol.asyncDispose]: () => ended(holder),
  }
}

function held(holder: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = ''
    holder.stdout?.once('data', () => resolve())
    holder.stderr?.on('data', (text: Buffer) => {
      complaint += text.toString('utf8')
    })
    holder.once('error', reject)
    holder.once('close', () =>
      reject(new LabError('lab/requirements', `no network namespace could be made: ${complaint.trim()}`)),
    )
  })
}

function ended(holder: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (holder.exitCode !== null || holder.signalCode !== null) return resolve()
    holder.once('close', () => resolve())
    holder.stdin?.end()
  })
}
