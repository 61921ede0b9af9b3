/** How a program names other programs and its own functions. */
import { platform } from '#platform';
import { checkModule } from '../../boot/check-options.ts';

/** './x.js' is relative to the program; anything else is resolved as on the host. */
export function resolveChild(module: URL | string, parent: string): string {
  checkModule('spawn: module', module);
  const specifier = String(module);
  if (/^\.\.?\//.test(specifier)) return new URL(specifier, parent).href;
  return platform.resolveModule(specifier);
}

/** TypeError for an entry that is no name. */
export function checkEntry(syscall: string, entry: unknown): void {
  if (typeof entry === 'string') return;
  throw new TypeError(`${syscall}: entry must name an export, got ${typeof entry}`);
}
