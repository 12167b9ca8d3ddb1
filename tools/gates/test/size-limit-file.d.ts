/** The plugin brings no types: it measures files as they are, compressed with brotli. */
declare module '@size-limit/file' {
  const plugin: (...args: unknown[]) => unknown
  // biome-ignore lint/style/noDefaultExport: this is how the plugin exports itself
  export default plugin
}
