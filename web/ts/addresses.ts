/** An address that a worker understands too: it would take relative ones as relative to itself. */
export function absolute(url: string | URL): string {
  return new URL(url, (globalThis as { document?: Document }).document?.baseURI ?? location.href).href;
}
