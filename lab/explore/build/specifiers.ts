/** Where imports lead in the explore build. Paths have forward slashes. */

/** Names under which a user's module finds the kernel and the scenario kit. */
export const PACKAGE_ENTRIES: Readonly<Record<string, string>> = {
  'faultline/kernel': 'kernel/index.ts',
  'faultline/explore': 'lab/explore/model/user-api.ts',
};

/** The path that a specifier names in the module at `from`; null for another package. */
export function resolveSpecifier(specifier: string, from: string): string | null {
  const entry = PACKAGE_ENTRIES[specifier];
  if (entry !== undefined) return entry;
  if (!specifier.startsWith('.')) return null;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
