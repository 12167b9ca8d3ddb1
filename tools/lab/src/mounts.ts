/** What is mounted on this host. */
import { readFileSync } from 'node:fs'

/** Whether something is mounted at exactly this place. */
export const isMounted = (place: string): boolean =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === place)
