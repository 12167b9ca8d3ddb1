/** What the two threads of a tunnel tell each other. */
import type { LinuxNetErrorCode } from '../errors.ts'
import type { PeerTable } from './peer-table.ts'

/** Given to the thread at its start. */
export type TunnelThreadData = {
  readonly name: string
  /** Addresses as numbers. */
  readonly address: number
  readonly bind: { readonly address: number; readonly port: number }
  readonly isSenderChecked: boolean
  readonly isBundling: boolean
  readonly counters: SharedArrayBuffer
  /** Two numbers of 32 bits: how many wishes there were, and 1 when the thread is to end. */
  readonly control: SharedArrayBuffer
}

/** What the thread tells. */
export type TunnelThreadMessage =
  | { readonly type: 'opened'; readonly device: string; readonly port: number; readonly wake: number }
  | {
      readonly type: 'failed'
      readonly code: LinuxNetErrorCode
      readonly message: string
      readonly hint?: string
      readonly cause?: unknown
    }

/** What the thread is told: the table, as a whole. */
export type TunnelTableMessage = { readonly type: 'peers'; readonly table: PeerTable }

/** The places of the control numbers. */
export const wishPlace = 0
export const stopPlace = 1
