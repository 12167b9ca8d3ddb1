/** What would change in the kernel: the desired state against the observed one, as lines to read. Pure. */

export type Plan = {
  /** Commands, each as one line that could be typed: `ip route replace 10.5.34.0/24 …`. Empty: all is as it should be. */
  readonly lines: readonly string[]
  /** Why something is not planned although a lease asks for it. */
  readonly notes: readonly string[]
}
