/** What writers asked for and what was acknowledged, and whether a tree that was read later agrees. Pure. */

/** The value of a key carries its own number and length, so that half a value is seen. */
export function numberedValue(n: number, fillBytes: number): string {
  return `${n}:${fillBytes}:${'x'.repeat(fillBytes)}`
}

/** The number in a value; undefined when the value is not whole. */
export function numberIn(value: string): number | undefined {
  const [, n, length, fill] = /^(\d+):(\d+):(x*)$/.exec(value) ?? []
  return fill === undefined || fill.length !== Number(length) ? undefined : Number(n)
}

type KeyHistory = {
  /** The last number that was acknowledged as written; 0: none. */
  acknowledged: number
  /** The last number that was sent. */
  sent: number
  /** The acknowledged state is: deleted. */
  isDeleted: boolean
  /** A delete was sent and never answered. */
  isDeletePending: boolean
}

export class Ledger {
  readonly #keys = new Map<string, KeyHistory>()
  /** The highest X-Etcd-Index that an acknowledgement carried. */
  highestIndex = 0
  acknowledgements = 0

  #lastNumber = 0

  /** The number that the value to be put carries; each is given out once. */
  sendPut(key: string): number {
    this.#lastNumber += 1
    this.#of(key).sent = this.#lastNumber
    return this.#lastNumber
  }

  acknowledgePut(key: string, n: number, index: number): void {
    const history = this.#of(key)
    history.acknowledged = n
    history.isDeleted = false
    history.isDeletePending = false
    this.#acknowledge(index)
  }

  sendDelete(key: string): void {
    this.#of(key).isDeletePending = true
  }

  acknowledgeDelete(key: string, index: number): void {
    const history = this.#of(key)
    history.isDeleted = true
    history.isDeletePending = false
    this.#acknowledge(index)
  }

  #acknowledge(index: number): void {
    this.acknowledgements += 1
    this.highestIndex = Math.max(this.highestIndex, index)
  }

  #of(key: string): KeyHistory {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const made = { acknowledged: 0, sent: 0, isDeleted: false, isDeletePending: false }
    this.#keys.set(key, made)
    return made
  }

  /** What is wrong with the tree as it was read after a restart; what is right becomes the new known state. */
  check(tree: ReadonlyMap<string, string>, index: number): readonly string[] {
    const wrong: string[] = []
    if (index < this.highestIndex) {
      wrong.push(`the index is ${index}, and ${this.highestIndex} was acknowledged`)
    }
    for (const key of tree.keys()) if (!this.#keys.has(key)) wrong.push(`${key} was never written`)
    for (const [key, history] of this.#keys) {
      const value = tree.get(key)
      const problem = problemOf(history, value)
      if (problem !== undefined) wrong.push(`${key}: ${problem}`)
      const n = value === undefined ? undefined : numberIn(value)
      history.isDeletePending = false
      history.isDeleted = value === undefined
      if (n !== undefined) history.acknowledged = n
      history.sent = history.acknowledged
    }
    return wrong
  }
}

function problemOf(history: KeyHistory, value: string | undefined): string | undefined {
  const { acknowledged, sent, isDeleted, isDeletePending } = history
  if (value === undefined) {
    if (isDeleted || isDeletePending || acknowledged === 0) return undefined
    return `number ${acknowledged} was acknowledged, and the key is gone`
  }
  const n = numberIn(value)
  if (n === undefined) return `its value is not whole: ${value.slice(0, 40)} (${value.length} bytes)`
  if (n > sent) return `number ${n} was never sent`
  if (n < acknowledged) return `number ${acknowledged} was acknowledged, and it holds ${n}`
  if (isDeleted && n === acknowledged) return `its removal was acknowledged, and it holds ${n}`
  return undefined
}
