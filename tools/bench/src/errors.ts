import { ClusterError } from '@cluster/prelude'

/** Why a measurement cannot be made. */
export type BenchErrorCode = 'bench/no-corpus' | 'bench/no-namespaces' | 'bench/machine-ended'

/** A failure of a measurement, recognised by `code`. */
export class BenchError extends ClusterError<BenchErrorCode> {
  override readonly name = 'BenchError'
}
