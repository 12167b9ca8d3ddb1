/** The worker's side of hashing: takes tasks in order, one at a time. */
import { hashPassword, verifyPassword } from '../bcrypt-hasher.ts'

/** What the worker is asked. Passwords are bytes, one character each. */
export type PasswordTask =
  | { readonly id: number; readonly kind: 'hash'; readonly password: string }
  | { readonly id: number; readonly kind: 'verify'; readonly password: string; readonly hash: string }

/** What it answers: a hash, or whether the password is right. */
export type PasswordTaskDone = { readonly id: number; readonly result: string | boolean }

/** The part of a MessagePort that is used. */
export interface PasswordsPort {
  on(event: 'message', listen: (task: PasswordTask) => void): unknown
  postMessage(done: PasswordTaskDone): void
}

/** Serves tasks until the thread ends. */
export function runPasswordsWorker(port: PasswordsPort): void {
  port.on('message', (task) => port.postMessage({ id: task.id, result: resultOf(task) }))
}

function resultOf(task: PasswordTask): string | boolean {
  switch (task.kind) {
    case 'hash':
      return hashPassword(task.password)
    case 'verify':
      return verifyPassword(task.password, task.hash)
    default:
      return task satisfies never
  }
}
