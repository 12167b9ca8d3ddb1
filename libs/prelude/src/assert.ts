/** A bug of ours: what must hold did not. Nobody catches it; the process ends. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/**
 * Ends the program when what must hold does not.
 *
 * @throws InvariantError
 */
export function assert(condition: unknown, whatMustHold: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${whatMustHold}`)
}

/** Marks a place that the types say cannot be reached. */
export const unreachable = (value: never): never => {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`)
}
