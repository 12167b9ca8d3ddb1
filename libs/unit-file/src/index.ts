/**
 * systemd unit files: grammar, names, specifiers, drop-ins and fleet's [X-Fleet] section.
 * @packageDocumentation
 */
export type { FleetRequirements } from './fleet-options.ts'
export type { UnitOption } from './option.ts'
