/** What is used of npm's `ini`, which brings no types. */
declare module 'ini' {
  export function parse(text: string): Record<string, unknown>
  export function stringify(value: Record<string, unknown>): string
}
