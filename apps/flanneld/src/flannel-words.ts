/** Our messages in flannel's own words, for the scripts that look for them (spec/flannel.md §9, §3). Pure. */
import type { LogFields, Logger } from '@cluster/prelude'

type Words = (fields: LogFields) => string

const words: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['network configuration found', ({ backend }) => `Found network config - Backend type: ${backend}`],
  ['lease acquired', ({ subnet, publicIp }) => `Allocated lease (${subnet}) to current node (${publicIp})`],
  ['lease will be renewed', ({ inSeconds }) => `Waiting for ${goDuration(Number(inSeconds))} to renew lease`],
  ['subnet file written', ({ file }) => `Wrote subnet file to ${file}`],
  ['overlay ready', () => 'Running backend.'],
  ['stopping', () => 'shutdownHandler sent cancel signal...'],
  ['overlay stopped, what was set up in the kernel stays', () => 'Waiting for all goroutines to exit'],
])

/** The same log, where a message that flannel has, too, is said as flannel says it; its fields follow. */
export function inFlannelWords(log: Logger, subnetFile: string): Logger {
  const at =
    (level: keyof Logger): Logger['info'] =>
    (message, fields = {}) => {
      const said = words.get(message)
      log[level](said === undefined ? message : said({ ...fields, file: subnetFile }), fields)
    }
  // flannel says when it renews at its usual level.
  const debug: Logger['debug'] = (message, fields) =>
    words.has(message) ? at('info')(message, fields) : log.debug(message, fields)
  return { debug, info: at('info'), warn: at('warn'), error: at('error') }
}

/** Seconds as Go prints a duration: `22h59m59s`. */
export function goDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  if (hours > 0) return `${hours}h${minutes}m${rest}s`
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`
}
