/** The words that are commands; all else starts the daemon. A list of its own, so that the daemon loads no commands. */
export const commandNames = [
  'status',
  'check',
  'plan',
  'cleanup',
  'docker-opts',
  'podman-opts',
  'nspawn-opts',
  'completion',
  'help',
] as const
