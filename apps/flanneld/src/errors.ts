import { ClusterError } from '@cluster/prelude'

/** Every way in which the program itself, beside its libraries, can fail. */
export type FlanneldErrorCode =
  /** Another machine holds our subnet; exit code 1, so that the service manager starts us anew. */
  | 'flanneld/lease-lost'
  /** Another daemon uses our subnet file. */
  | 'flanneld/already-running'
  /** The file of --etcd-password-file cannot be read, or is empty. */
  | 'flanneld/password-file'
  /** A command asks a daemon that is not there. */
  | 'flanneld/not-running'
  /** The daemon's socket is not for this user. */
  | 'flanneld/no-permission'
  /** The daemon answered something that it does not say, or refused. */
  | 'flanneld/bad-answer'
  /** A command was called with what does not go together. */
  | 'flanneld/usage'
  /** A subnet file that a command reads holds what cannot be. */
  | 'flanneld/subnet-file'

/** A failure of the program. Recognise it by its code. */
export class FlanneldError extends ClusterError<FlanneldErrorCode> {
  override readonly name = 'FlanneldError'
}
