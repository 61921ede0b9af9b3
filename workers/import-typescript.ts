/** `import` of TypeScript modules on Node, the old versions of which cannot. */
import { register } from 'node:module';

let isRegistered = false;

/** What is loaded from now on in this thread may be TypeScript. */
function registerHooks(): void {
  if (isRegistered) return;
  isRegistered = true;
  register('./typescript-hooks.js', import.meta.url);
  // So that an error's stack has the lines of the source.
  process.setSourceMapsEnabled(true);
}

/** As `import(url)`. From Node 22.18 on the engine strips types itself. */
export function importModule(url: string): Promise<Record<string, unknown>> {
  const { typescript } = process.features as { readonly typescript?: string | false };
  if (!typescript && /^file:[^?#]*\.m?ts([?#]|$)/.test(url)) registerHooks();
  return import(/* @vite-ignore */ /* webpackIgnore: true */ url) as Promise<
    Record<string, unknown>
  >;
}
