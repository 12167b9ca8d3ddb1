/** What the target state of a unit means under a policy. */
import type { TargetState } from './model.ts'
import type { Policy } from './policy.ts'

type WithTargetState = { readonly targetState?: TargetState; readonly unknownTargetState?: string }

/** The word as the registry has it; `''` when the key is missing. */
export const targetStateWord = ({ targetState, unknownTargetState }: WithTargetState): string =>
  targetState ?? unknownTargetState ?? ''

/** `unclear`: neither inactive nor one of the states an agent can bring about. */
export function effectiveTargetState(unit: WithTargetState, policy: Policy): TargetState | 'unclear' {
  if (unit.targetState !== undefined) return unit.targetState
  const reading = unit.unknownTargetState === undefined ? policy.missingTargetState : policy.unknownTargetState
  return reading === 'inactive' ? 'inactive' : 'unclear'
}

/** Whether a machine should have the unit: everything but inactive. */
export const isWanted = (unit: WithTargetState, policy: Policy): boolean =>
  effectiveTargetState(unit, policy) !== 'inactive'
