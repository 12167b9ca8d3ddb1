/** What is to go out in order, kept until the ring has room for it. */
import type { RaftEntry } from '../raft-node.ts'
import { MessageSender } from './records.ts'
import type { RingWriter } from './ring.ts'

/** An entry, a run of own proposals, or a message as it is. Kept by reference until it is out. */
export type Outgoing =
  | { readonly what: 'entry'; readonly entry: RaftEntry }
  | { readonly what: 'run'; readonly run: OwnRun }
  | { readonly what: 'message'; readonly kind: number; readonly message: Uint8Array }

/** Own proposals that were committed one after the other. */
export type OwnRun = {
  readonly firstIndex: number
  readonly term: number
  readonly firstNumber: number
  count: number
}

export class Outbox {
  readonly #sender: MessageSender
  #waiting: Outgoing[] = []
  #at = 0

  constructor(writer: RingWriter) {
    this.#sender = new MessageSender(writer)
  }

  /** Whether everything has gone out. */
  get isEmpty(): boolean {
    return this.#at === this.#waiting.length && !this.#sender.isBusy
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing)
  }

  /** Sends what there is room for and shows it to the other end. True: something went. */
  flush(): boolean {
    // The end of a large one counts: whoever waited for it may go on.
    let sent = this.#sender.isBusy ? 1 : 0
    if (!this.#sender.resume()) return false
    while (!this.#sender.isBusy) {
      const next = this.#waiting[this.#at]
      if (next === undefined || !this.#send(next)) break
      this.#at += 1
      sent += 1
    }
    if (this.#at === this.#waiting.length) {
      this.#waiting = []
      this.#at = 0
    }
    this.#sender.publish()
    return sent > 0
  }

  #send(next: Outgoing): boolean {
    switch (next.what) {
      case 'entry':
        return this.#sender.sendEntry(next.entry.index, next.entry.term, next.entry.kind, next.entry.data)
      case 'run':
        return this.#sender.sendOwnRun(next.run.firstIndex, next.run.term, next.run.firstNumber, next.run.count)
      case 'message':
        return this.#sender.send(next.kind, next.message)
      default:
        return next satisfies never
    }
  }
}
