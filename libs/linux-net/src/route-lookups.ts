/** The way to an address, from one long-lived `ip -json -batch -`; answers are kept until something changes. */
import { BatchProcess } from './batch-process.ts'
import { LinuxNetError } from './errors.ts'
import { parseRouteGet } from './parse-ip.ts'
import type { ProgramHost } from './run-program.ts'
import type { RouteLookup } from './state/kernel.ts'
import { isAddress } from './state/prefix.ts'

/** Most answers that are kept. */
const answersMax = 10_000

type Question = {
  readonly address: string
  readonly resolve: (answer: RouteLookup | undefined) => void
  readonly reject: (error: unknown) => void
}

export class RouteLookups implements AsyncDisposable {
  readonly #program: BatchProcess
  readonly #answers = new Map<string, Promise<RouteLookup | undefined>>()
  #waiting: Question[] = []
  #asking: Promise<void> | undefined
  #isStarted = false

  constructor(host: ProgramHost) {
    this.#program = new BatchProcess(['ip', '-N', '-json'], host)
  }

  /** Whether the program may remember numbers of devices. */
  get isStarted(): boolean {
    return this.#isStarted
  }

  /** Whether anybody has asked since the last change. */
  get inUse(): boolean {
    return this.#answers.size > 0
  }

  /** The answers so far may be wrong now. */
  forget(): void {
    this.#answers.clear()
  }

  /** Device names may belong to other devices now: the program keeps their numbers. */
  async forgetDevices(): Promise<void> {
    this.forget()
    await this.#asking
    this.#isStarted = false
    this.#program.stop()
  }

  /**
   * The way to an address; `undefined`: none. All who ask in one turn are answered by one batch.
   *
   * @throws LinuxNetError `linux-net/observation` for what is no address
   */
  find(address: string): Promise<RouteLookup | undefined> {
    const known = this.#answers.get(address)
    if (known !== undefined) return known
    if (!isAddress(address)) {
      return Promise.reject(
        new LinuxNetError('linux-net/observation', `"${address}" is no address`, { hint: 'write it like 10.78.0.2' }),
      )
    }
    if (this.#answers.size >= answersMax) this.forget()
    const answer = new Promise<RouteLookup | undefined>((resolve, reject) => {
      this.#waiting.push({ address, resolve, reject })
    })
    this.#answers.set(address, answer)
    answer.catch(() => this.#answers.delete(address))
    this.#asking ??= this.#ask()
    return answer
  }

  async #ask(): Promise<void> {
    // the rest of this turn may ask more
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const questions = this.#waiting
      this.#waiting = []
      try {
        this.#isStarted = true
        const lines = questions.map(({ address }) => `route get ${address}`)
        const outcome = await this.#program.run(lines, { outputs: true })
        const complaints = outcome.complaints
        if (outcome.kind === 'died')
          throw new LinuxNetError('linux-net/program-died', `ip route get: ${outcome.lastWords}`)
        const answers = outcome.output.values()
        for (const [index, { resolve }] of questions.entries()) {
          resolve(complaints.has(index) ? undefined : parseRouteGet(answers.next().value ?? ''))
        }
      } catch (error) {
        for (const { reject } of questions) reject(error)
      }
    }
    this.#asking = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]()
  }
}
