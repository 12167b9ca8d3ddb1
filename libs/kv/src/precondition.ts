import type { KvEntry, Precondition } from './kv.ts'

/** Whether a write under `precondition` may happen where `found` stands; no precondition always holds. */
export function preconditionHolds(precondition: Precondition | undefined, found: KvEntry | undefined): boolean {
  switch (precondition?.kind) {
    case undefined:
      return true
    case 'absent':
      return found === undefined
    case 'present':
      return found !== undefined
    case 'value':
      return found?.value === precondition.value
    case 'revision':
      return found?.revision === precondition.revision
    default:
      return precondition satisfies never
  }
}

/** A precondition in words, for messages and logs: `is absent`, `has revision 12`. */
export function describePrecondition(precondition: Precondition): string {
  switch (precondition.kind) {
    case 'absent':
      return 'is absent'
    case 'present':
      return 'is present'
    case 'value':
      return `has the value ${JSON.stringify(abbreviate(precondition.value))}`
    case 'revision':
      return `has revision ${precondition.revision}`
    default:
      return precondition satisfies never
  }
}

const abbreviate = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)
