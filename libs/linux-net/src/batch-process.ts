/**
 * A long-lived `ip -force -batch -` or `bridge -force -batch -`: commands without a process for each.
 *
 * A batch says nothing of commands that succeed, and `Command failed -:LINE` on its unbuffered standard error after the
 * complaint about one that fails. So each run ends with a line that must fail: when its number is heard of, all before it
 * have been done, and every complaint belongs to the number that follows it.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { programMissing } from './errors.ts'
import { isMissing, type ProgramHost, startProgram, timeoutMsDefault, tooLate } from './run-program.ts'

/** What became of the lines of one run. */
export type BatchOutcome =
  | {
      readonly kind: 'done'
      /** Complaints by index into the lines. */
      readonly complaints: ReadonlyMap<number, string>
      /** What was printed, one element per line of output. */
      readonly output: readonly string[]
    }
  /** The program ended on the way, as `ip` does when a neighbour cannot be changed: which line it was, nobody knows. */
  | {
      readonly kind: 'died'
      readonly complaints: ReadonlyMap<number, string>
      /** The complaint that no number followed. */
      readonly lastWords: string
    }

/** A word that is no command of either program. */
const marker = 'end-of-batch'

type Run = {
  readonly firstLine: number
  readonly markerLine: number
  readonly outputsExpected: boolean
  readonly complaints: Map<number, string>
  readonly output: string[]
  marked: boolean
  readonly resolve: (outcome: BatchOutcome) => void
  readonly reject: (error: unknown) => void
}

/** One program in batch mode. Runs are one at a time: the caller waits for each. */
export class BatchProcess implements AsyncDisposable {
  readonly #words: readonly string[]
  readonly #host: ProgramHost
  #child: ChildProcessWithoutNullStreams | undefined
  #line = 0
  #complaint = ''
  #partialOutput = ''
  #run: Run | undefined

  /** @param words the program and its options but for those of batch mode: `['ip', '-N', '-json']` */
  constructor(words: readonly string[], host: ProgramHost) {
    this.#words = words
    this.#host = host
  }

  /**
   * Does the lines in their order.
   *
   * @param outputs whether each line that succeeds prints one line: then the outcome waits for all of them
   * @throws LinuxNetError `linux-net/program-missing`, `linux-net/timeout`
   */
  async run(lines: readonly string[], { outputs = false } = {}): Promise<BatchOutcome> {
    const child = this.#start()
    const ended = new AbortController()
    const timeoutMs = (this.#host.timeoutMs ?? timeoutMsDefault) + lines.length
    void this.#host.clock.sleep(timeoutMs, ended.signal).then(() => {
      if (ended.signal.aborted) return
      this.#run?.reject(tooLate(`${this.#words[0]} -batch`, timeoutMs))
      this.stop()
    })
    try {
      return await new Promise<BatchOutcome>((resolve, reject) => {
        this.#run = {
          firstLine: this.#line + 1,
          markerLine: this.#line + lines.length + 1,
          outputsExpected: outputs,
          complaints: new Map(),
          output: [],
          marked: false,
          resolve,
          reject,
        }
        this.#line += lines.length + 1
        child.stdin.write(`${lines.join('\n')}${lines.length === 0 ? '' : '\n'}${marker}\n`)
      })
    } finally {
      ended.abort()
    }
  }

  /**
   * Starts the program, if it does not run.
   *
   * @throws LinuxNetError `linux-net/program-missing`
   */
  start(): Promise<void> {
    const child = this.#start()
    if (child.pid !== undefined) return Promise.resolve()
    return new Promise((_, reject) => {
      child.once('error', (error) => reject(isMissing(error) ? programMissing(this.#words[0] ?? '', error) : error))
    })
  }

  /** Starts the program, if it does not run; what goes wrong is told by the next run. */
  warm(): void {
    this.#start()
  }

  /**
   * Ends the program; the next run starts it anew. What it remembers of device numbers goes with it. A run that is on its
   * way has died.
   */
  stop(): void {
    const run = this.#run
    this.#child?.kill('SIGKILL')
    this.#forget()
    run?.resolve({ kind: 'died', complaints: run.complaints, lastWords: 'it was stopped' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    this.stop()
    await closed
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#child !== undefined) return this.#child
    const child = startProgram([...this.#words, '-force', '-batch', '-'], this.#host)
    this.#child = child
    const isCurrent = (): boolean => this.#child === child
    child.stdin.on('error', () => undefined)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => isCurrent() && this.#onOutput(chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => isCurrent() && this.#onComplaint(chunk))
    child.once('error', (error) => {
      if (isCurrent()) this.#fail(isMissing(error) ? programMissing(this.#words[0] ?? '', error) : error)
    })
    child.once('close', () => {
      if (isCurrent()) this.#onDeath()
    })
    return child
  }

  #onOutput(chunk: string): void {
    const lines = (this.#partialOutput + chunk).split('\n')
    this.#partialOutput = lines.pop() ?? ''
    this.#run?.output.push(...lines.filter((line) => line !== ''))
    this.#settle()
  }

  #onComplaint(chunk: string): void {
    this.#complaint += chunk
    for (;;) {
      const end = /Command failed -:(\d+)\n/.exec(this.#complaint)
      if (end === null) return
      const text = this.#complaint.slice(0, end.index)
      this.#complaint = this.#complaint.slice(end.index + end[0].length)
      const run = this.#run
      if (run === undefined) continue
      const line = Number(end[1])
      if (line === run.markerLine) run.marked = true
      else run.complaints.set(line - run.firstLine, text)
      this.#settle()
    }
  }

  #settle(): void {
    const run = this.#run
    if (run === undefined || !run.marked) return
    const expected = run.outputsExpected ? run.markerLine - run.firstLine - run.complaints.size : 0
    if (run.output.length < expected) return
    this.#run = undefined
    run.resolve({ kind: 'done', complaints: run.complaints, output: run.output })
  }

  #onDeath(): void {
    const [run, lastWords] = [this.#run, this.#complaint.trim()]
    this.#forget()
    if (run === undefined) return
    const missing = /^exec of ".*" failed: No such file/m.test(lastWords)
    if (missing) run.reject(programMissing(this.#words[0] ?? ''))
    else run.resolve({ kind: 'died', complaints: run.complaints, lastWords })
  }

  #fail(error: unknown): void {
    const run = this.#run
    this.#forget()
    run?.reject(error)
  }

  #forget(): void {
    this.#child = undefined
    this.#run = undefined
    this.#line = 0
    this.#complaint = ''
    this.#partialOutput = ''
  }
}
