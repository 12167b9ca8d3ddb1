/**
 * What nobody needs any more in the registry: texts no unit refers to (fleet never removes them, spec/fleet.md trap 2)
 * and keys of units that do not exist (trap 42). Pure: things must be seen in the same condition for a while, since a
 * unit that is being created looks just like that until its object stands.
 */
import type { Revision } from '@cluster/kv'
import type { ClusterView, KeyAt } from '../registry/cluster-view.ts'

export type Waste =
  | { readonly kind: 'text'; readonly hash: string; readonly revision: Revision }
  | { readonly kind: 'leftovers'; readonly unit: string; readonly keys: readonly KeyAt[] }

export type Housekeeping = {
  /** What has been waste for long enough. */
  readonly due: (view: ClusterView, nowMs: number) => readonly Waste[]
}

export function createHousekeeping({
  textGraceMs,
  leftoverGraceMs,
}: {
  readonly textGraceMs: number
  readonly leftoverGraceMs: number
}): Housekeeping {
  let texts = new Map<string, { readonly revision: Revision; readonly sinceMs: number }>()
  let leftovers = new Map<string, { readonly keys: string; readonly sinceMs: number }>()
  return {
    due(view, nowMs) {
      const due: Waste[] = []
      const nextTexts: typeof texts = new Map()
      for (const [hash, revision] of view.unreferencedTexts) {
        const known = texts.get(hash)
        const sinceMs = known?.revision === revision ? known.sinceMs : nowMs
        nextTexts.set(hash, { revision, sinceMs })
        if (nowMs - sinceMs >= textGraceMs) due.push({ kind: 'text', hash, revision })
      }
      const nextLeftovers: typeof leftovers = new Map()
      for (const [unit, { keys }] of view.leftovers) {
        const known = leftovers.get(unit)
        const named = keys.map(({ key, revision }) => `${key} ${revision}`).join('\n')
        const sinceMs = known?.keys === named ? known.sinceMs : nowMs
        nextLeftovers.set(unit, { keys: named, sinceMs })
        if (nowMs - sinceMs >= leftoverGraceMs) due.push({ kind: 'leftovers', unit, keys })
      }
      texts = nextTexts
      leftovers = nextLeftovers
      return due
    },
  }
}
