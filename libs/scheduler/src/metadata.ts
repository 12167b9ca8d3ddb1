/** Whether a machine has the metadata that a unit requires. */
import type { FleetRequirements } from '@cluster/unit-file'
import type { Machine } from './model.ts'

/** A required key of which the machine has none of the allowed values; `found` is absent when it lacks the key. */
export type MissingMetadata = {
  readonly key: string
  readonly allowed: readonly string[]
  readonly found?: string
}

/** Every required key that the machine does not meet; none: the requirement is met. */
export function missingMetadata(
  required: FleetRequirements['metadata'],
  metadata: Machine['metadata'],
): readonly MissingMetadata[] {
  const missing: MissingMetadata[] = []
  for (const [key, allowed] of required) {
    const found = Object.hasOwn(metadata, key) ? metadata[key] : undefined
    if (found === undefined) missing.push({ key, allowed })
    else if (!allowed.includes(found)) missing.push({ key, allowed, found })
  }
  return missing
}

/** Whether all required keys are met. */
export function hasMetadata(required: FleetRequirements['metadata'], metadata: Machine['metadata']): boolean {
  for (const [key, allowed] of required) {
    const found = Object.hasOwn(metadata, key) ? metadata[key] : undefined
    if (found === undefined || !allowed.includes(found)) return false
  }
  return true
}
