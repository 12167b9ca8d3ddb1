/** What a unit asks of the machine it runs on: the [X-Fleet] section. Rules: fleet 1.0, spec/fleet.md §2.5–2.8. */

/** Requirements with legacy spellings merged, specifiers expanded and lists split. */
export type FleetRequirements = {
  /** Full machine ID or its first 8 characters; `''` is a requirement that no machine meets. */
  readonly machineId?: string
  /** Exact names of units that must be on the same machine. */
  readonly machineOf: readonly string[]
  /** Globs (Go `path.Match`) on names of units that must not be on the same machine. */
  readonly conflicts: readonly string[]
  /** Globs on names of units that this one pushes to another machine. */
  readonly replaces: readonly string[]
  /** Key → allowed values; every key must match one of its values. */
  readonly metadata: ReadonlyMap<string, readonly string[]>
  readonly global: boolean
}
