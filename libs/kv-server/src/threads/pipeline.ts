/** The way of a proposal through consensus and log and back, as the store part sees it, whatever runs the other parts. */
import type { Flush } from './pipeline-memory.ts'
import type { MessageReceiver, MessageSender } from './records.ts'
import type { RingWriter } from './ring.ts'

export interface Pipeline {
  /** Marks the proposals of this life of the member; unsigned 32-bit. */
  readonly origin: number
  /** For proposals written in place. */
  readonly proposals: RingWriter
  /** For everything else, in the same order: what is too large for one record, and control messages. */
  readonly sender: MessageSender
  /** What the log held, then what is committed. */
  readonly committed: MessageReceiver
  /** Whether the disk has room for client writes. */
  readonly hasRoom: boolean
  /** Gives each flush since the last call. */
  readonly takeFlushes: (each: (flush: Flush) => void) => void
  /** Calls back once, in a later turn, when something has come or there is room again for what found none. */
  readonly whenWork: (callback: () => void) => void
  /** Calls back once, when a part has failed: nothing will be committed any more. */
  readonly onFatal: (callback: (error: Error) => void) => void
  /** A `close` message is on its way: parts that end now have not failed. */
  readonly expectEnd: () => void
  /** Waits until the other parts have ended, as they do after a `close` message; those that have not are ended by force. */
  readonly end: () => Promise<void>
}
