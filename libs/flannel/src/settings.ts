/** `FlannelConfig` with every default filled in. */
import { renewMarginMinutes } from '@cluster/subnet'
import { FlannelError } from './errors.ts'
import type { FlannelConfig } from './options.ts'

export type Settings = Required<FlannelConfig>

const defaults: Settings = {
  masquerade: false,
  forward: true,
  renewMarginMinutes: 60,
  lookIntervalMs: 10_000,
  filterIntervalMs: 5000,
  onLeaseTaken: 'stop',
  externalDeadlineMs: 60_000,
  acquireDeadlineMs: 120_000,
  checkSources: true,
}

/** @throws FlannelError `flannel/bad-option` */
export function withDefaults(config: FlannelConfig = {}): Settings {
  const settings = { ...defaults, ...config }
  const { min, max } = renewMarginMinutes
  const margin = settings.renewMarginMinutes
  if (!(margin >= min && margin <= max)) {
    throw new FlannelError('flannel/bad-option', `a renew margin of ${margin} minutes is out of range`, {
      hint: `leases live a day: choose ${min} to ${max} minutes`,
    })
  }
  return settings
}
